// The large picture: the small one at once, then one as large as a screen, and all its pixels when
// somebody looks closer. Those of its neighbours are fetched meanwhile.

import { say } from "./dom.js";
import { thumbnail } from "./grid.js";

// Pixels of the longer side of what /api/screen gives.
const SCREEN = 2048;

const screen = (photo) => `/api/screen/${photo.id}?v=${photo.version ?? ""}`;

// The picture at an address; `cancel` ends the fetching.
class Fetched {
  constructor(address) {
    this.image = new Image();
    this.image.src = address;
    this.there = this.image.decode().then(() => this.image.src);
    // Whoever waits for it is told; often that is nobody.
    this.there.catch(() => {});
  }

  cancel() {
    this.image.removeAttribute("src");
  }
}

export class LargePicture {
  // `image` is the element that shows it; `told` is called with what there is to say of the picture
  // at full size, and with whether that is a problem.
  constructor(image, told) {
    Object.assign(this, { image, told });
    this.photo = null;
    this.ahead = new Map();
  }

  // Shows a photo; resolves when it is there as large as a screen, or is not going to be.
  async show(photo) {
    this.#leave();
    this.photo = photo;
    this.image.src = thumbnail(photo);
    const kept = this.ahead.get(photo.id);
    this.ahead.delete(photo.id);
    this.fetched = kept ?? new Fetched(screen(photo));
    const address = await this.fetched.there.catch(() => null);
    if (this.photo === photo && address && !this.full) this.image.src = address;
  }

  // Fetches the pictures of these photos and of no others.
  prepare(photos) {
    const wanted = new Map(photos.map((photo) => [photo.id, photo]));
    for (const [id, fetched] of this.ahead) {
      if (wanted.has(id)) continue;
      fetched.cancel();
      this.ahead.delete(id);
    }
    for (const [id, photo] of wanted) if (!this.ahead.has(id)) this.ahead.set(id, new Fetched(screen(photo)));
  }

  // All pixels, where the screen shows more than there are by now. `magnification`: the screen's
  // pixels for one of the photo's.
  look(magnification) {
    const longer = Math.max(this.photo.width, this.photo.height);
    if (longer > SCREEN && magnification > (1.05 * SCREEN) / longer) this.getFull();
  }

  async getFull() {
    if (this.full) return;
    const { photo } = this;
    const address = `/api/full/${photo.id}?v=${photo.version ?? ""}`;
    this.full = new Fetched(address);
    this.told(say("viewer.loading_full"));
    try {
      const shown = await this.full.there.catch(() => this.#converted(photo, address));
      if (this.photo !== photo || !shown) return;
      this.image.src = shown;
      this.told("");
    } catch (error) {
      if (this.photo === photo) this.told(say("viewer.no_full", { reason: error.message }), true);
    }
  }

  // What the browser cannot show itself, or the reason why there is nothing; null when nobody waits.
  async #converted(photo, address) {
    if (this.photo !== photo) return null;
    this.under = new AbortController();
    const answer = await fetch(`${address}&converted=true`, { signal: this.under.signal });
    if (!answer.ok) {
      const { detail } = await answer.json().catch(() => ({}));
      throw new Error(detail ?? say("error.other"));
    }
    const content = URL.createObjectURL(await answer.blob());
    if (this.photo !== photo) URL.revokeObjectURL(content);
    else this.content = content;
    return content;
  }

  clear() {
    this.#leave();
    this.prepare([]);
    this.photo = null;
    this.image.removeAttribute("src");
  }

  // Ends what is under way for the photo that was shown.
  #leave() {
    this.fetched?.cancel();
    this.full?.cancel();
    this.under?.abort();
    if (this.content) URL.revokeObjectURL(this.content);
    this.fetched = this.full = this.under = this.content = null;
    this.told("");
  }
}
