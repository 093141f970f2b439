// All photos of a library under their days, months and trips. However many they are, only those near
// the screen are drawn, and asked for; where each lies is known from the beginning (layout.js).

import { headingOf } from "./days.js";
import { make } from "./dom.js";
import { layOut, placeOf } from "./layout.js";
import { Loaded } from "./loaded-photos.js";
import { Scrubber } from "./scrubber.js";
import { markChosen, tileOf } from "./tile.js";
import { changeSize, rowHeight, sizes } from "./tile-size.js";
import { onHold } from "./touch.js";

// Screens above and below the one that is seen that are drawn.
const AROUND = 1.5;
// Tiles that are filled before the next frame.
const FILLED = 30;
// Milliseconds that the page has to rest, when it went by more than a screen, before photos are asked for.
const REST = 90;
// Pixels that are left above what is gone to.
const MARGIN = 12;

const NOTHING = { days: [], ids: new Uint32Array(), ratios: new Float32Array(), bursts: new Map(), trips: [] };

export class Timeline {
  // `open` is called with the place of the photo that was chosen. `selection` is shared by all grids.
  constructor({ label, open, selection }) {
    Object.assign(this, { open, selection });
    this.body = make("div", { class: "days", role: "group", "aria-label": label });
    this.scrubber = new Scrubber((top) => {
      scrollTo({ top: this.#origin() + top, behavior: "instant" });
      // At the end of the page nothing scrolls, and where one is has to be said all the same.
      this.seen();
    });
    this.element = make("div", { class: "timeline", hidden: true }, this.body, this.scrubber.element);
    this.hasMore = false; // as far as the viewer is concerned
    this.all = NOTHING;
    this.loaded = new Loaded(NOTHING.ids, () => {});
    this.blocks = new Map(); // those that are drawn, by their number
    this.tiles = new Map(); // by the places of their photos
    const seen = () => (this.frame ??= requestAnimationFrame(() => this.#draw()));
    addEventListener("scroll", seen, { passive: true });
    new ResizeObserver(() => this.#fit()).observe(this.element);
    sizes.addEventListener("change", () => this.#fit(true));
    this.seen = seen;
    this.body.addEventListener("pointerdown", (event) => (this.finger = event.pointerType === "touch"), { capture: true });
    onHold(this.body, (target) => {
      const place = this.#placeOn(target);
      if (place >= 0 && this.photos[place]) this.#choose(place, false);
    });
    selection.addEventListener("change", () => this.tiles.forEach((tile, place) => this.#mark(tile, place)));
    selection.addEventListener("favourite", ({ detail }) => this.#favour(detail));
  }

  get photos() {
    return this.loaded.photos;
  }

  get size() {
    return this.all.ids.length;
  }

  // `all` is what `unpack` gives, and the trips. With `keep` what is on the screen stays where it is.
  show(all, { keep = false } = {}) {
    this.element.hidden = !all.ids.length;
    const anchor = keep ? this.#anchor() : null;
    const focused = this.#placeOn(document.activeElement);
    const had = focused >= 0 && this.all.ids[focused];
    const last = this.last === undefined ? undefined : this.all.ids[this.last];
    const before = keep ? this.photos : [];
    this.all = all;
    this.last = last === undefined ? undefined : all.ids.indexOf(last);
    this.loaded = new Loaded(all.ids, (first, end) => this.#came(first, end), before);
    this.#lay(anchor);
    if (had) this.tiles.get(all.ids.indexOf(had))?.querySelector("button").focus({ preventScroll: true });
  }

  // Takes all away, until it is shown again.
  clear() {
    this.element.hidden = true;
    if (this.size) this.show(NOTHING);
  }

  // Goes to the photo at a place, so that its heading is at the top.
  go(place) {
    const block = this.layout.blocks[this.#blockOf(place)];
    const above = place === block.first ? (block.month?.top ?? block.tripTop ?? block.top) : this.layout.top[place] - MARGIN;
    scrollTo({ top: this.#origin() + above, behavior: "instant" });
    this.#draw();
  }

  // The place of the photo with this id; below 0 when it is not here.
  placeOf(id) {
    return this.all.ids.indexOf(id);
  }

  // Where somebody is in it, and back there, as in anchor.js.
  anchor() {
    const found = this.#anchor();
    return found ? { y: scrollY, id: found.id, at: found.place, top: found.from } : { y: 0 };
  }

  returnTo({ id, at, top }) {
    // It may have been laid out while it could not be seen.
    this.#fit();
    const found = this.placeOf(id);
    const place = found >= 0 ? found : Math.min(at, this.size - 1);
    if (place < 0) return;
    scrollTo({ top: this.#origin() + this.layout.top[place] - top, behavior: "instant" });
    this.#draw();
  }

  async reach(place) {
    return Boolean(await this.loaded.reach(place));
  }

  // Brings back the focus to the photo at this place.
  focus(place) {
    if (place < 0 || place >= this.size) return;
    const top = this.#origin() + this.layout.top[place];
    const bottom = top + this.layout.high[place];
    if (top < scrollY + MARGIN) scrollTo({ top: top - 84, behavior: "instant" });
    else if (bottom > scrollY + innerHeight) scrollTo({ top: bottom - innerHeight + MARGIN, behavior: "instant" });
    this.#draw();
    const tile = this.tiles.get(place);
    if (tile && !tile.firstChild) this.#fill(place);
    tile?.querySelector("button")?.focus({ preventScroll: true });
  }

  // Whether others have been asked for, and these stay only until they come.
  outdate(stale) {
    this.stale = stale;
    this.element.classList.toggle("stale", stale);
  }

  // Where this begins on the page.
  #origin() {
    return this.body.getBoundingClientRect().top + scrollY;
  }

  // The first photo in sight, and where it stands on the screen; null at the very top, where one wants to
  // see what comes.
  #anchor() {
    if (!scrollY || !this.size || !this.width || !this.element.checkVisibility()) return null;
    const above = scrollY - this.#origin();
    const { top, high } = this.layout;
    const place = Math.min(this.size - 1, placeOf(this.size, (one) => top[one] + high[one], above));
    return { id: this.all.ids[place], place, from: top[place] - above };
  }

  #lay(anchor) {
    const gap = parseFloat(getComputedStyle(this.element).getPropertyValue("--gap")) || 4;
    this.width = this.body.clientWidth;
    this.layout = layOut(this.all, { width: this.width || 1, row: rowHeight(), gap });
    this.body.replaceChildren();
    this.blocks.clear();
    this.tiles.clear();
    this.body.style.height = `${this.layout.height}px`;
    this.scrubber.show(this.layout, this.all);
    if (anchor) {
      const found = this.all.ids.indexOf(anchor.id);
      const place = found >= 0 ? found : Math.min(anchor.place, this.size - 1);
      if (place >= 0) scrollTo({ top: this.#origin() + this.layout.top[place] - anchor.from, behavior: "instant" });
    }
    this.#draw();
  }

  #fit(always = false) {
    if (!this.size || !this.body.clientWidth || (!always && this.body.clientWidth === this.width)) return;
    const focused = this.#placeOn(document.activeElement);
    this.#lay(this.#anchor());
    if (focused >= 0) this.tiles.get(focused)?.querySelector("button")?.focus({ preventScroll: true });
  }

  // Draws what is near the screen, and takes away what is not.
  #draw() {
    cancelAnimationFrame(this.frame);
    this.frame = undefined;
    if (!this.size || !this.element.checkVisibility()) return;
    const { blocks, top, high } = this.layout;
    const above = scrollY - this.#origin();
    const from = above - AROUND * innerHeight;
    const to = above + (1 + AROUND) * innerHeight;
    const first = placeOf(this.size, (one) => top[one] + high[one], from);
    const last = placeOf(this.size, (one) => top[one], to);
    const focused = this.#placeOn(document.activeElement);
    for (const [place, tile] of this.tiles) {
      if ((place >= first && place < last) || place === focused) continue;
      tile.remove();
      this.tiles.delete(place);
    }
    const firstBlock = placeOf(blocks.length, (one) => blocks[one].bottom, from);
    const lastBlock = placeOf(blocks.length, (one) => blocks[one].month?.top ?? blocks[one].tripTop ?? blocks[one].top, to);
    const focusedBlock = focused >= 0 ? this.#blockOf(focused) : -1;
    for (const [number, { section }] of this.blocks) {
      if ((number >= firstBlock && number < lastBlock) || number === focusedBlock) continue;
      section.remove();
      this.blocks.delete(number);
    }
    for (let number = firstBlock; number < lastBlock; number++) this.#block(number, first, last);
    this.scrubber.at(above, this.#atTop(above));
    if (this.element.dataset.month !== this.scrubber.month) this.element.dataset.month = this.scrubber.month;
    this.#load(first, last, above);
  }

  #load(first, last, above) {
    const far = Math.abs(above - (this.above ?? above)) > innerHeight;
    this.above = above;
    clearTimeout(this.timer);
    if (far) this.timer = setTimeout(() => this.loaded.want(first, last), REST);
    else this.loaded.want(first, last);
    this.#fillSome();
  }

  // Draws the part of a day that lies between two places.
  #block(number, first, last) {
    const block = this.layout.blocks[number];
    let drawn = this.blocks.get(number);
    if (!drawn) {
      drawn = headingOf(block, (one) => this.#chooseDay(one));
      this.blocks.set(number, drawn);
      const after = [...this.blocks.keys()].filter((one) => one > number);
      const next = after.length ? this.blocks.get(Math.min(...after)).section : null;
      this.body.insertBefore(drawn.section, next);
    }
    const from = Math.max(first, block.first);
    const to = Math.min(last, block.first + block.count);
    let before = null;
    for (let place = to - 1; place >= from; place--) {
      const known = this.tiles.get(place);
      before = known ?? drawn.list.insertBefore(this.#blank(place), before);
    }
  }

  // A tile of which only the place is known.
  #blank(place) {
    const { left, top, wide, high } = this.layout;
    const box = `left:${left[place]}px;top:${top[place]}px;width:${wide[place]}px;height:${high[place]}px`;
    const tile = make("li", { class: "blank", style: box, "data-place": place });
    this.tiles.set(place, tile);
    return tile;
  }

  #came(first, last) {
    for (let place = first; place < last; place++) {
      const tile = this.tiles.get(place);
      // The file was changed, and with it the picture.
      if (tile?.firstChild && tile.dataset.version !== this.photos[place]?.version) this.#fill(place);
    }
    this.#fillSome();
  }

  // Fills tiles whose photos are here, those in sight first, and not too many in one frame.
  #fillSome() {
    if (this.filling) return;
    const waiting = [...this.tiles].filter(([place, tile]) => !tile.firstChild && this.photos[place]);
    // Where the page was when it was drawn: to ask for that now would have all of it laid out once more.
    const { above } = this;
    const { top, high } = this.layout;
    const seen = ([place]) => top[place] + high[place] > above && top[place] < above + innerHeight;
    waiting.sort((one, other) => seen(other) - seen(one));
    for (const [place] of waiting.slice(0, FILLED)) this.#fill(place);
    if (waiting.length <= FILLED) return;
    this.filling = requestAnimationFrame(() => {
      this.filling = null;
      this.#fillSome();
    });
  }

  #fill(place) {
    const tile = this.tiles.get(place);
    const photo = this.photos[place];
    if (!photo) return;
    photo.burst = this.all.bursts.get(place);
    const made = tileOf(photo, {
      selection: this.selection,
      press: () => this.open(place),
      choose: (through) => this.#choose(place, through),
      byFinger: () => this.finger,
      dated: false,
    });
    const focused = tile.contains(document.activeElement);
    tile.replaceChildren(...made.childNodes);
    tile.className = made.className;
    tile.dataset.id = photo.id;
    tile.dataset.version = photo.version;
    if (focused) tile.querySelector("button").focus({ preventScroll: true });
  }

  // The place of the first photo below a height, for whoever asks what is in sight.
  #atTop(above) {
    const { top, high } = this.layout;
    return Math.min(this.size - 1, placeOf(this.size, (one) => top[one] + high[one], above + MARGIN));
  }

  #blockOf(place) {
    const { blocks } = this.layout;
    return placeOf(blocks.length, (one) => blocks[one].first + blocks[one].count, place + 1);
  }

  #placeOn(target) {
    const tile = this.body.contains(target) ? target.closest("li") : null;
    return tile ? Number(tile.dataset.place) : -1;
  }

  // A photo to select; of one that is not here only the id is known.
  #photo(place) {
    return this.photos[place] ?? { id: this.all.ids[place] };
  }

  #range(first, last) {
    return Array.from({ length: last - first + 1 }, (_, number) => this.#photo(first + number));
  }

  // Selects a photo or takes it off; with `through` all up to it from the last one.
  #choose(place, through) {
    if (through && this.last >= 0 && this.selection.has(this.#photo(this.last))) {
      this.selection.put(this.#range(Math.min(place, this.last), Math.max(place, this.last)));
    } else this.selection.toggle(this.#photo(place));
    this.last = place;
  }

  #chooseDay({ first, count }) {
    const photos = this.#range(first, first + count - 1);
    const fresh = photos.filter((photo) => !this.selection.has(photo));
    if (fresh.length) this.selection.put(fresh);
    else this.selection.drop(photos);
    this.last = first;
  }

  #mark(tile, place) {
    if (tile.firstChild) markChosen(tile, this.selection.hasId(this.all.ids[place]));
  }

  #favour({ ids, on }) {
    this.photos.forEach((photo) => ids.has(photo.id) && (photo.favourite = on));
    for (const tile of this.tiles.values()) if (ids.has(Number(tile.dataset.id))) tile.classList.toggle("favourite", on);
  }

  // Does what a key is for, as `Grid.press`.
  press(act, { target }, key) {
    if (act === "all") return this.stale || !this.size ? false : this.selection.put(this.#range(0, this.size - 1));
    const place = this.#placeOn(target);
    if (place < 0) return target === document.body && act === "move" && this.size ? this.focus(this.#seen) : false;
    // Space and Enter press the other buttons on a tile.
    if ((key === " " || key === "Enter") && !target.matches(".tile")) return false;
    if (act === "open") return this.open(place);
    if (act === "select") return this.#choose(place, false);
    if (act === "through") return this.#choose(place, true);
    const to = this.#goal(place, key);
    if (to < 0 || to >= this.size) return undefined;
    if (act === "stretch") this.#stretch(place, to);
    // One that is not here yet has no button to be gone to.
    return this.reach(to).then((there) => there && this.focus(to));
  }

  // The photo that has the focus.
  get focused() {
    return this.photos[this.#placeOn(document.activeElement)];
  }

  get #seen() {
    return this.#atTop(scrollY - this.#origin());
  }

  #goal(place, key) {
    const next = { ArrowRight: place + 1, ArrowLeft: place - 1, Home: 0, End: this.size - 1 };
    return next[key] ?? this.#across(place, key === "ArrowDown" ? 1 : -1);
  }

  // What is selected from the last one that was chosen up to `from` reaches to another one now.
  #stretch(from, to) {
    if (!(this.last >= 0) || !this.selection.has(this.#photo(this.last))) this.last = from;
    const upTo = (end) => this.#range(Math.min(this.last, end), Math.max(this.last, end));
    const reached = new Set(upTo(to).map(({ id }) => id));
    this.selection.drop(upTo(from).filter(({ id }) => !reached.has(id)));
    this.selection.put(upTo(to));
  }

  // The place of the photo above or below that lies nearest.
  #across(place, step) {
    const { top, left, wide } = this.layout;
    const middle = left[place] + wide[place] / 2;
    let at = place;
    while (top[at] === top[place]) at += step;
    const row = top[at];
    let best = -1;
    let nearest = Infinity;
    for (; top[at] === row; at += step) {
      const distance = Math.abs(left[at] + wide[at] / 2 - middle);
      if (distance < nearest) [best, nearest] = [at, distance];
    }
    return best;
  }
}
