// A justified grid of photos. CSS alone lays it out (style.css, .grid), so that sizes are known
// before any picture is there; pictures load as they come into view.

import { date, icon, make, say } from "./dom.js";
import { onHold } from "./touch.js";
import { View } from "./view.js";

export const thumbnail = (photo) => `/api/thumbnail/${photo.id}?v=${photo.version ?? ""}`;

export function describe(photo) {
  const parts = [photo.name];
  if (photo.taken) parts.push(date(photo.taken));
  if (photo.place) parts.push(photo.place);
  return parts.join(", ");
}

// Milliseconds until photos below the screen are drawn and fetched: somebody who types sees others
// by then.
const LATER = 350;

// How many photos fill the screen.
function screenful() {
  const row = innerWidth <= 640 ? 118 : 200;
  return Math.ceil((innerWidth / (1.25 * row)) * (innerHeight / row));
}

export class Grid {
  // `more` gives the next photos from an offset on: {hits, more}. `open` is called with the place of
  // the photo that was chosen. `selection` is shared by all grids.
  constructor({ more, open, label, selection }) {
    Object.assign(this, { more, open, label, selection });
    this.photos = [];
    this.unfolded = new Set();
    this.kept = new Map();
    this.heading = null;
    this.stale = false;
    this.wanted = null;
    this.body = make("div", { role: "group", "aria-label": label });
    this.end = make("div", { class: "grid-end", "aria-hidden": "true" });
    this.element = make("div", {}, this.body, this.end);
    this.body.addEventListener("keydown", (event) => this.#keys(event));
    this.body.addEventListener("pointerdown", (event) => (this.finger = event.pointerType === "touch"), { capture: true });
    onHold(this.body, (target) => {
      const photo = this.#photoOf(target.closest("li"));
      if (photo) this.#choose(photo, false);
    });
    this.watcher = new IntersectionObserver(
      (entries) => {
        if (entries.some((entry) => entry.isIntersecting)) this.#extend();
      },
      { rootMargin: "1200px" },
    );
    selection.addEventListener("change", () => this.#mark());
    selection.addEventListener("favourite", ({ detail }) => this.#favour(detail));
  }

  // `heading` gives the line above a photo's group. With `keep` it is the same question as before: what
  // is on the screen stays where it is, as far as it still belongs there.
  show({ hits, more, asked }, { heading = null, offset = 0, keep = false } = {}) {
    const view = keep ? new View(this.body) : null;
    const held = !keep && this.body.contains(document.activeElement);
    if (keep) hits = this.#known(hits);
    else this.unfolded.clear();
    this.kept = keep ? new Map(this.photos.map((photo) => [photo, this.#tileOf(photo)])) : new Map();
    this.heading = heading;
    this.watcher.disconnect();
    this.loading = false;
    this.photos = [];
    this.asked = asked ?? offset + hits.length;
    this.list = null;
    this.title = undefined;
    this.body.replaceChildren();
    const first = keep ? hits.length : screenful();
    this.#add(hits.slice(0, first));
    this.hasMore = more;
    this.waiting = hits.slice(first);
    clearTimeout(this.timer);
    if (this.waiting.length) this.timer = setTimeout(() => this.#complete(), LATER);
    else if (more) this.watcher.observe(this.end);
    this.kept.clear();
    if (held) this.focus(0);
    view?.restore();
  }

  // The photos as they are here already, so that their tiles can stay; what was unfolded stays so.
  #known(hits) {
    const before = new Map(this.photos.map((photo) => [photo.id, photo]));
    return hits.flatMap((hit) => {
      const { others = [] } = hit;
      const parts = this.unfolded.has(hit.id) ? [{ ...hit, others: [] }, ...others] : [hit];
      return parts.map((one) => {
        const known = before.get(one.id);
        const same = known && known.version === one.version && known.others?.length === one.others?.length;
        return same ? Object.assign(known, one) : one;
      });
    });
  }

  // Whether others have been asked for, and these stay only until they come. One that is pressed
  // meanwhile opens if it is among the new ones.
  outdate(stale) {
    this.stale = stale;
    this.element.classList.toggle("stale", stale);
    if (stale) return;
    const { wanted } = this;
    this.wanted = null;
    this.#look();
    if (wanted === null || !this.element.checkVisibility()) return;
    this.#complete();
    const at = this.photos.findIndex((photo) => photo.id === wanted);
    if (at >= 0) this.open(at);
  }

  // Has the watcher tell whether the end is in sight, even if it has told that before.
  #look() {
    this.watcher.unobserve(this.end);
    if (this.hasMore && !this.waiting?.length) this.watcher.observe(this.end);
  }

  // Draws what is not drawn yet of the photos that are here.
  #complete() {
    clearTimeout(this.timer);
    const { waiting } = this;
    if (!waiting?.length) return;
    this.waiting = [];
    this.#add(waiting);
    if (this.hasMore) this.watcher.observe(this.end);
  }

  // Puts photos first that are not there yet; those that are keep their places.
  prepend(hits) {
    this.#complete();
    const known = new Set(this.photos.map((photo) => photo.id));
    const fresh = hits.filter((photo) => !known.has(photo.id));
    if (!fresh.length) return;
    if (!this.list) this.#begin(null);
    this.photos.unshift(...fresh);
    this.body.querySelector(".grid").prepend(...fresh.map((photo) => this.#tile(photo)));
  }

  tiles() {
    return [...this.body.querySelectorAll("li")].filter((tile) => !tile.hidden);
  }

  // Brings back the focus to the photo at this place.
  focus(place) {
    const photo = this.photos[place];
    const tile = photo && this.#tileOf(photo);
    tile?.scrollIntoView({ block: "nearest" });
    tile?.querySelector("button").focus();
  }

  get size() {
    return this.photos.length;
  }

  async #extend() {
    if (this.loading || this.stale || !this.hasMore) return;
    this.loading = true;
    const shown = this.photos;
    try {
      const { hits, more } = await this.more(this.asked);
      if (shown !== this.photos) return;
      this.asked += hits.length;
      this.#add(hits);
      this.hasMore = more && hits.length > 0;
      this.#look();
    } finally {
      if (shown === this.photos) this.loading = false;
    }
  }

  // All photos up to this place, loading what is missing; false when there are not so many.
  async reach(place) {
    this.#complete();
    while (place >= this.photos.length && this.hasMore) {
      const before = this.asked;
      await this.#extend();
      if (this.asked === before) break;
    }
    return place >= 0 && place < this.photos.length;
  }

  #add(hits) {
    for (const photo of hits) {
      const title = this.heading?.(photo) ?? null;
      if (!this.list || title !== this.title) this.#begin(title);
      this.photos.push(photo);
      this.list.append(this.kept.get(photo) ?? this.#tile(photo));
    }
  }

  #tileOf(photo) {
    return this.body.querySelector(`li[data-id="${photo.id}"]`);
  }

  #begin(title) {
    this.title = title;
    this.list = make("ul", { class: "grid", "aria-label": title ?? this.label });
    if (title) this.body.append(make("h3", { class: "when" }, title));
    this.body.append(this.list);
  }

  // The photos that show the same as one, behind a button on it.
  #stack(photo) {
    const label = say("grid.stack", { count: photo.others.length });
    return make(
      "button",
      { type: "button", class: "stack", title: label, "aria-label": label, onclick: () => this.#unfold(photo) },
      `+${photo.others.length}`,
    );
  }

  #unfold(photo) {
    const tile = this.#tileOf(photo);
    this.unfolded.add(photo.id);
    const at = this.photos.indexOf(photo);
    this.photos.splice(at + 1, 0, ...photo.others);
    tile.querySelector(".stack").remove();
    tile.after(...photo.others.map((one) => this.#tile(one)));
    photo.others = [];
    tile.querySelector("button").focus();
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
      onload: () => button.classList.remove("broken"),
    });
    const caption = [photo.taken && date(photo.taken, { short: true }), photo.place].filter(Boolean).join(" · ");
    const button = make(
      "button",
      {
        class: "tile",
        type: "button",
        title: photo.name,
        onclick: (event) => {
          if (this.selection.size || event.ctrlKey || event.metaKey) this.#choose(photo, event.shiftKey);
          else this.#press(photo);
        },
      },
      picture,
      caption ? make("span", { class: "caption", "aria-hidden": "true" }, caption) : null,
      make("span", { class: "unreadable", "aria-hidden": "true" }, say("photo.unreadable")),
      make("span", { class: "heart", "aria-hidden": "true" }, icon("heart")),
    );
    const pick = make(
      "button",
      {
        class: "pick",
        type: "button",
        tabindex: "-1",
        "aria-label": say("grid.select", { name: photo.name }),
        "aria-pressed": String(this.selection.has(photo)),
        title: say("grid.select_key"),
        // It is not seen before it is pointed at, which a finger does not do.
        onclick: (event) => {
          if (this.finger && !this.selection.size) this.#press(photo);
          else this.#choose(photo, event.shiftKey);
        },
      },
      icon("check"),
    );
    const classes = [this.selection.has(photo) && "chosen", photo.favourite && "favourite"];
    return make(
      "li",
      { style: `--ratio: ${ratio.toFixed(4)}`, "data-id": photo.id, class: classes.filter(Boolean).join(" ") },
      button,
      pick,
      photo.others?.length ? this.#stack(photo) : null,
    );
  }

  #press(photo) {
    if (this.stale) this.wanted = photo.id;
    else this.open(this.photos.indexOf(photo));
  }

  // The photo on a tile.
  #photoOf(tile) {
    return tile ? this.photos.find((one) => String(one.id) === tile.dataset.id) : undefined;
  }

  // Selects a photo or takes it off; with `through` all up to it from the last one.
  #choose(photo, through) {
    const at = this.photos.indexOf(photo);
    const from = this.photos.indexOf(this.last);
    if (through && from >= 0 && !this.stale) {
      this.selection.put(this.photos.slice(Math.min(at, from), Math.max(at, from) + 1));
    } else this.selection.toggle(photo);
    this.last = photo;
  }

  #mark() {
    for (const tile of this.body.querySelectorAll("li")) {
      const chosen = this.selection.hasId(Number(tile.dataset.id));
      tile.classList.toggle("chosen", chosen);
      tile.querySelector(".pick").setAttribute("aria-pressed", String(chosen));
    }
  }

  #favour({ ids, on }) {
    for (const photo of this.photos) if (ids.has(photo.id)) photo.favourite = on;
    for (const id of ids) this.body.querySelector(`li[data-id="${id}"]`)?.classList.toggle("favourite", on);
  }

  #keys(event) {
    this.#complete();
    const tiles = this.tiles();
    const at = tiles.indexOf(event.target.closest("li"));
    if (at < 0 || event.altKey || event.metaKey) return;
    const photo = this.#photoOf(tiles[at]);
    let to;
    if (event.key === "a" && event.ctrlKey) this.selection.put(this.stale ? [] : this.photos);
    else if (event.ctrlKey) return;
    else if (event.key === "x") this.#choose(photo, false);
    else if (event.key === "X") this.#choose(photo, true);
    else if (event.key === "ArrowRight") to = at + 1;
    else if (event.key === "ArrowLeft") to = at - 1;
    else if (event.key === "Home") to = 0;
    else if (event.key === "End") to = tiles.length - 1;
    else if (event.key === "ArrowDown" || event.key === "ArrowUp") to = across(tiles, at, event.key);
    else return;
    event.preventDefault();
    if (to >= 0 && to < tiles.length) {
      tiles[to].scrollIntoView({ block: "nearest" });
      tiles[to].querySelector("button").focus();
    }
  }
}

// The tile above or below that lies nearest.
function across(tiles, at, key) {
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

// The month that a photo was taken in, for a heading.
export function monthOf(photo) {
  return photo.taken ? monthName(photo.taken.slice(0, 7)) : say("browse.no_date");
}

export function monthName(month) {
  return date(month);
}
