// A justified grid of photos. CSS alone lays it out (style.css, .grid), so that sizes are known
// before any picture is there; pictures load as they come into view.

import { date, make, say } from "./dom.js";

export const thumbnail = (photo) => `/api/thumbnail/${photo.id}?v=${photo.version ?? ""}`;

export function describe(photo) {
  const parts = [photo.name];
  if (photo.taken) parts.push(date(photo.taken));
  if (photo.place) parts.push(photo.place);
  return parts.join(", ");
}

export class Grid {
  // `more` gives the next photos from an offset on: {hits, more}. `open` is called with the place of
  // the photo that was chosen.
  constructor({ more, open, label }) {
    this.photos = [];
    this.more = more;
    this.open = open;
    this.list = make("ul", { class: "grid", "aria-label": label });
    this.end = make("div", { class: "grid-end", "aria-hidden": "true" });
    this.element = make("div", {}, this.list, this.end);
    this.list.addEventListener("keydown", (event) => this.#move(event));
    this.watcher = new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.isIntersecting)) this.#extend();
    }, { rootMargin: "1200px" });
  }

  show({ hits, more }) {
    this.watcher.disconnect();
    this.photos = [];
    this.list.replaceChildren();
    this.#add(hits);
    this.hasMore = more;
    if (more) this.watcher.observe(this.end);
  }

  // Puts photos first that are not there yet; those that are keep their places.
  prepend(hits) {
    const known = new Set(this.photos.map((photo) => photo.id));
    const fresh = hits.filter((photo) => !known.has(photo.id));
    this.photos.unshift(...fresh);
    this.list.prepend(...fresh.map((photo) => this.#tile(photo)));
  }

  focus(place) {
    const tile = this.list.children[place];
    tile?.scrollIntoView({ block: "nearest" });
    tile?.querySelector("button").focus();
  }

  async #extend() {
    if (this.loading || !this.hasMore) return;
    this.loading = true;
    try {
      const shown = this.photos;
      const { hits, more } = await this.more(shown.length);
      if (shown !== this.photos) return;
      this.#add(hits);
      this.hasMore = more;
      if (!more) this.watcher.disconnect();
      else {
        // The end may still be in sight, which the watcher would not tell again.
        this.watcher.unobserve(this.end);
        this.watcher.observe(this.end);
      }
    } finally {
      this.loading = false;
    }
  }

  // All photos up to this place, loading what is missing; false when there are not so many.
  async reach(place) {
    while (place >= this.photos.length && this.hasMore) {
      const before = this.photos.length;
      await this.#extend();
      if (this.photos.length === before) break;
    }
    return place < this.photos.length;
  }

  #add(hits) {
    this.photos.push(...hits);
    this.list.append(...hits.map((photo) => this.#tile(photo)));
  }

  #tile(photo) {
    // Strips and panoramas are shown cropped, or one of them would fill the screen.
    const ratio = Math.min(2.6, Math.max(0.6, photo.width / photo.height || 1));
    const picture = make("img", {
      src: thumbnail(photo),
      alt: describe(photo),
      width: Math.round(ratio * 200),
      height: 200,
      loading: "lazy",
      decoding: "async",
      onerror: () => button.classList.add("broken"),
    });
    const caption = [photo.taken && date(photo.taken), photo.place].filter(Boolean).join(" · ");
    const button = make(
      "button",
      {
        class: "tile",
        type: "button",
        title: photo.name,
        onclick: () => this.open(this.photos.indexOf(photo)),
      },
      picture,
      caption ? make("span", { class: "caption", "aria-hidden": "true" }, caption) : null,
      make("span", { class: "unreadable", "aria-hidden": "true" }, say("photo.unreadable")),
    );
    return make("li", { style: `--ratio: ${ratio.toFixed(4)}` }, button);
  }

  #move(event) {
    const tiles = [...this.list.children];
    const at = tiles.indexOf(event.target.closest("li"));
    if (at < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    let to;
    if (event.key === "ArrowRight") to = at + 1;
    else if (event.key === "ArrowLeft") to = at - 1;
    else if (event.key === "Home") to = 0;
    else if (event.key === "End") to = tiles.length - 1;
    else if (event.key === "ArrowDown" || event.key === "ArrowUp") to = this.#across(tiles, at, event.key);
    else return;
    event.preventDefault();
    if (to >= 0 && to < tiles.length) this.focus(to);
  }

  // The tile above or below that lies nearest.
  #across(tiles, at, key) {
    const here = tiles[at].getBoundingClientRect();
    const middle = here.left + here.width / 2;
    const step = key === "ArrowDown" ? 1 : -1;
    let best = -1;
    let nearest = Infinity;
    let row = null;
    for (let place = at + step; place >= 0 && place < tiles.length; place += step) {
      const box = tiles[place].getBoundingClientRect();
      if (Math.abs(box.top - here.top) < 4) continue;
      row ??= box.top;
      if (Math.abs(box.top - row) > 4) break;
      const distance = Math.abs(box.left + box.width / 2 - middle);
      if (distance < nearest) [best, nearest] = [place, distance];
    }
    return best;
  }
}
