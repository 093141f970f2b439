// The photos of a library of which something is known here: those that are looked at, and around them.

import { ask } from "./requests.js";

// Photos that are asked for together, and parts that are kept.
const PART = 60;
const KEPT = 80;
const AT_ONCE = 2;

export class Loaded {
  // `ids` are those of all photos, in order. `before` are the ones that another `Loaded` had: a photo
  // stays the same object. `came` is called with the places of photos that have come.
  constructor(ids, came, before = []) {
    Object.assign(this, { ids, came });
    this.photos = new Array(ids.length);
    this.parts = new Map(); // by number, in the order in which they were looked at
    this.wanted = [];
    this.asking = 0;
    this.known = new Map();
    before.forEach((photo) => this.known.set(photo.id, photo));
    if (this.known.size) ids.forEach((id, place) => this.known.has(id) && (this.photos[place] = this.known.get(id)));
  }

  // Asks for the photos at these places, and no longer for others that have not been asked for yet.
  want(first, last) {
    this.wanted = [];
    for (let part = Math.floor(first / PART); part * PART < last; part++) {
      if (this.parts.has(part)) this.#use(part);
      else this.wanted.push(part);
    }
    this.#go();
  }

  // The photo at a place, when it is here; undefined when there is none any more.
  async reach(place) {
    if (place < 0 || place >= this.ids.length) return undefined;
    await this.#load(Math.floor(place / PART));
    return this.photos[place];
  }

  #go() {
    while (this.asking < AT_ONCE && this.wanted.length) {
      const part = this.wanted.shift();
      this.asking += 1;
      // What could not be read is asked for again when it is looked at again.
      this.#load(part)
        .catch(() => this.parts.delete(part))
        .finally(() => {
          this.asking -= 1;
          this.#go();
        });
    }
  }

  #load(part) {
    if (this.parts.has(part)) this.#use(part);
    else this.parts.set(part, this.#fetch(part));
    return this.parts.get(part);
  }

  async #fetch(part) {
    const [first, last] = [part * PART, Math.min((part + 1) * PART, this.ids.length)];
    const query = [...this.ids.subarray(first, last)].map((id) => `photo=${id}`).join("&");
    const found = new Map((await ask(`/api/photos?${query}`)).map((photo) => [photo.id, photo]));
    for (let place = first; place < last; place++) {
      const photo = found.get(this.ids[place]);
      if (!photo) delete this.photos[place];
      else this.photos[place] = this.photos[place] ? Object.assign(this.photos[place], photo) : photo;
    }
    this.came(first, last);
    this.#forget();
  }

  #use(part) {
    const loading = this.parts.get(part);
    this.parts.delete(part);
    this.parts.set(part, loading);
  }

  // Forgets those that nobody has looked at for long.
  #forget() {
    for (const part of [...this.parts.keys()].slice(0, -KEPT)) {
      this.parts.delete(part);
      for (let place = part * PART; place < (part + 1) * PART; place++) delete this.photos[place];
    }
  }
}
