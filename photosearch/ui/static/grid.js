// A justified grid of photos. CSS alone lays it out (styles/photos.css, .grid), so that sizes are known
// before any picture is there; pictures load as they come into view.

import { goal } from "./arrow-keys.js";
import { date, make, say } from "./dom.js";
import { markChosen, tileOf } from "./tile.js";
import { onHold } from "./touch.js";
import { View } from "./view.js";

export { describe, thumbnail } from "./tile.js";

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
  // is on the screen stays where it is, as far as it still belongs there. Tiles are used again in any
  // case: with each letter some photos stay, and their pictures need not be decoded anew.
  show({ hits, more, asked }, { heading = null, keep = false } = {}) {
    const view = keep ? new View(this.body) : null;
    const held = !keep && this.body.contains(document.activeElement);
    if (!keep) this.unfolded.clear();
    hits = this.#known(hits);
    this.kept = this.#tilesByPhoto();
    this.heading = heading;
    this.watcher.disconnect();
    this.loading = null;
    this.photos = [];
    this.asked = asked ?? hits.length;
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
        return known && looksSame(known, one) ? Object.assign(known, one) : one;
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
    const tile = photo && this.#tileFor(photo);
    tile?.scrollIntoView({ block: "nearest" });
    tile?.querySelector("button").focus();
  }

  get size() {
    return this.photos.length;
  }

  // The place of the photo with this id; below 0 when it is not here.
  placeOf(id) {
    return this.photos.findIndex((photo) => photo.id === id);
  }

  // Loads what comes next; who asks while that is on its way waits for it as well.
  #extend() {
    if (this.stale || !this.hasMore) return this.loading;
    const shown = this.photos;
    this.loading ??= this.#load(shown).finally(() => {
      if (shown === this.photos) this.loading = null;
    });
    return this.loading;
  }

  async #load(shown) {
    const { hits, more } = await this.more(this.asked);
    if (shown !== this.photos) return;
    this.asked += hits.length;
    this.#add(hits);
    this.hasMore = more && hits.length > 0;
    this.#look();
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

  // Those that can be used again; of one whose picture did not come it is asked for anew.
  #tilesByPhoto() {
    const tiles = new Map([...this.body.querySelectorAll("li")].map((tile) => [Number(tile.dataset.id), tile]));
    const kept = this.photos.filter(({ id }) => !tiles.get(id)?.firstChild.classList.contains("broken"));
    return new Map(kept.map((photo) => [photo, tiles.get(photo.id)]));
  }

  #tileFor(photo) {
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
    const tile = this.#tileFor(photo);
    this.unfolded.add(photo.id);
    const at = this.photos.indexOf(photo);
    this.photos.splice(at + 1, 0, ...photo.others);
    tile.querySelector(".stack").remove();
    tile.after(...photo.others.map((one) => this.#tile(one)));
    photo.others = [];
    tile.querySelector("button").focus();
  }

  #tile(photo) {
    const tile = tileOf(photo, {
      selection: this.selection,
      press: () => this.#press(photo),
      choose: (through) => this.#choose(photo, through),
      byFinger: () => this.finger,
    });
    if (photo.others?.length) tile.append(this.#stack(photo));
    return tile;
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
    if (through && from >= 0 && this.selection.has(this.last) && !this.stale) {
      this.selection.put(this.photos.slice(Math.min(at, from), Math.max(at, from) + 1));
    } else this.selection.toggle(photo);
    this.last = photo;
  }

  #mark() {
    for (const tile of this.body.querySelectorAll("li")) {
      markChosen(tile, this.selection.hasId(Number(tile.dataset.id)));
    }
  }

  #favour({ ids, on }) {
    for (const photo of this.photos) if (ids.has(photo.id)) photo.favourite = on;
    for (const id of ids) this.body.querySelector(`li[data-id="${id}"]`)?.classList.toggle("favourite", on);
  }

  // Does what a key is for (keys.js has which); false where there is nothing to do.
  press(act, { target }, key) {
    this.#complete();
    if (act === "all") {
      if (this.stale || !this.size) return false;
      return this.selection.put(this.photos);
    }
    const tiles = this.tiles();
    const at = tiles.indexOf(target.closest?.("li"));
    if (at < 0) return target === document.body && act === "move" ? this.#enter(tiles) : false;
    const photo = this.#photoOf(tiles[at]);
    // Space and Enter press the other buttons on a tile.
    if ((key === " " || key === "Enter") && !target.matches(".tile")) return false;
    if (act === "open") return this.#press(photo);
    if (act === "select") return this.#choose(photo, false);
    if (act === "through") return this.#choose(photo, true);
    const to = goal(tiles, at, key);
    if (!tiles[to]) return undefined;
    if (act === "stretch") this.#stretch(photo, this.#photoOf(tiles[to]));
    return show(tiles[to]);
  }

  // The photo that has the focus.
  get focused() {
    return this.#photoOf(document.activeElement?.closest?.("li"));
  }

  // To the first photo in sight.
  #enter(tiles) {
    const seen = tiles.find((tile) => tile.getBoundingClientRect().top >= 0) ?? tiles.at(-1);
    return seen ? show(seen) : false;
  }

  // What is selected from the last one that was chosen up to `from` reaches to another one now.
  #stretch(from, to) {
    if (this.stale) return;
    if (!this.photos.includes(this.last) || !this.selection.has(this.last)) this.last = from;
    const start = this.photos.indexOf(this.last);
    const upTo = (photo) => {
      const end = this.photos.indexOf(photo);
      return this.photos.slice(Math.min(start, end), Math.max(start, end) + 1);
    };
    const reached = new Set(upTo(to));
    this.selection.drop(upTo(from).filter((photo) => !reached.has(photo)));
    this.selection.put([...reached]);
  }
}

// Whether the tile of a photo can stay as it is.
const SHOWN = ["version", "name", "taken", "place", "country", "favourite", "burst"];
const looksSame = (one, other) => SHOWN.every((part) => one[part] === other[part]) && one.others?.length === other.others?.length;

function show(tile) {
  tile.scrollIntoView({ block: "nearest" });
  tile.querySelector("button").focus();
}

// The month that a photo was taken in, for a heading.
export function monthOf(photo) {
  return photo.taken ? date(photo.taken.slice(0, 7)) : say("browse.no_date");
}
