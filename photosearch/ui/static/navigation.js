// Goes where an address leads, and has the address follow where somebody goes: tabs, what they show,
// the photo that is open, and how far down the page is.

import { Address, sameList } from "./address.js";
import { anchorOf, BELOW, painted, returnTo } from "./anchor.js";
import { say } from "./dom.js";
import { listOf } from "./photo-list.js";
import { ask } from "./requests.js";

// Milliseconds that the page stands still until where it stands is noted.
const STILL = 200;

const tabOf = (name) => document.querySelector(`#pages [role=tab][data-tab-id="${name}"]`);

export class Navigation {
  // `search` and the other pages, which come later by `add`, have a `view`, their part of the address;
  // `restore(view, least)`, which shows it with at least so many photos; a `grid`, a `name`, and a
  // `problem` to tell of. They call `moved(how)` before they show something else, `named()` when they
  // know what it is called, and `back()`, which tells whether it leads to what they were opened from.
  constructor(viewer, search) {
    this.address = new Address();
    this.viewer = viewer;
    this.photo = null;
    this.opening = null;
    this.pages = {};
    this.coming = {};
    this.left = {};
    this.tab = this.#selected;
    // Until it is known where to go, nothing goes anywhere.
    this.turn = { tab: this.tab };
    this.add("search", search);
    viewer.addEventListener("photo", ({ detail }) => this.#opened(detail));
    viewer.addEventListener("closed", () => this.#closed());
    this.address.addEventListener("move", () => this.#go());
    addEventListener("scroll", () => this.#scrolled(), { passive: true });
    const tabs = document.querySelector("#pages");
    tabs.addEventListener("click", (event) => event.target.closest("[role=tab]") && this.#leave(), { capture: true });
    new MutationObserver(() => this.#switched()).observe(tabs, { subtree: true, attributeFilter: ["aria-selected"] });
  }

  // A page that is drawn now.
  add(name, page) {
    this.pages[name] = page;
    page.moved = (how) => this.#moved(how);
    page.named = () => this.#entitle();
    page.back = () => this.address.up();
    if (this.coming[name]) this.coming[name](page);
    else if (name === this.tab) this.#moved("replace");
  }

  // Shows what the address says, for the first time.
  async begin() {
    // Behind another tab the newest photos wait.
    const behind = this.address.view.tab === "search" ? null : this.pages.search.restore({}, 0);
    await Promise.all([this.#go(true), behind]);
  }

  get #selected() {
    return document.querySelector("#pages [role=tab][aria-selected=true]")?.dataset.tabId ?? "search";
  }

  // The photos that are shown, if any are.
  get grid() {
    return this.#page?.shown ?? this.#page?.grid;
  }

  get #page() {
    return this.pages[this.tab];
  }

  get #view() {
    const photo = this.photo ? { photo: String(this.photo.id) } : {};
    return { tab: this.tab, ...this.#page?.view, ...photo };
  }

  // Somebody goes on from here, which ends the way to where they wanted to go before; what comes by
  // itself on that way is told of at its end.
  #moved(how = "push") {
    if (how === "replace" && this.turn) return;
    this.turn = null;
    this.address.show(this.#view, how, how === "replace" ? null : { anchor: this.#anchor });
    this.#entitle();
  }

  #opened({ photo, grid }) {
    this.photo = photo;
    const id = String(photo.id);
    // On the way to where an address leads, somebody may have opened another one.
    if (this.address.view.photo === id) this.#entitle();
    else if (!this.turn || this.opening !== id) this.#moved();
    this.opening = null;
    // After a reload it has to be found again.
    const place = grid?.photos.indexOf(photo) ?? -1;
    if (place >= 0) this.address.keep({ place, anchor: this.#anchor });
  }

  #closed() {
    if (!this.photo) return;
    this.photo = null;
    this.#moved();
  }

  // The tab that is left keeps its place on the page.
  #leave() {
    this.left[this.tab] = { anchor: this.#anchor };
  }

  #switched() {
    const { tab } = this;
    this.tab = this.#selected;
    if (tab === this.tab || this.turn?.tab === this.tab) return;
    this.turn = null;
    this.address.show(this.#view, "push", this.left[tab]);
    this.#entitle();
    scrollTo({ top: this.left[this.tab]?.anchor.y ?? 0, behavior: "instant" });
  }

  get #anchor() {
    return anchorOf(this.grid);
  }

  #scrolled() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      // What lies under an open photo stays where it is.
      if (this.turn || this.photo) return;
      this.#page?.rest?.();
      this.address.keep({ anchor: this.#anchor });
    }, STILL);
  }

  // Shows what the address says: the tab, its list, the place in it, and the photo.
  async #go(first = false) {
    const turn = (this.turn = { tab: this.address.view.tab });
    clearTimeout(this.timer);
    const { view, kept } = this.address;
    if (this.photo && !view.photo) this.#shut();
    if (first || !sameList(this.#view, view)) {
      await this.#list(turn, view, kept);
      if (turn !== this.turn) return;
    }
    if (view.photo && String(this.photo?.id) !== view.photo) await this.#open(turn, view, kept);
    if (turn !== this.turn) return;
    this.turn = null;
    // What is shown may be less than what was asked for.
    const there = sameList(this.#view, view) && (this.photo || !view.photo);
    this.address.show(this.#view, there ? "push" : "replace");
    this.#entitle();
  }

  async #list(turn, view, kept) {
    if (this.#selected !== view.tab) tabOf(view.tab)?.click();
    this.tab = view.tab;
    const page = this.pages[view.tab] ?? (await new Promise((come) => (this.coming[view.tab] = come)));
    const { anchor, place = 0 } = kept;
    const panel = document.querySelector(`#tab-${view.tab}`);
    await page.restore?.(view, Math.max(anchor?.at ? anchor.at + BELOW : 0, place + 1));
    // An address from elsewhere says where to be by the month.
    if (!anchor && view.month !== undefined) return;
    // Gradio shows the panel when it comes to it, and until then nothing in it has a place.
    while (turn === this.turn && !panel.checkVisibility()) await painted();
    if (turn === this.turn) await returnTo(this.grid, anchor);
  }

  // Opens a photo over its list; alone where the list does not have it.
  async #open(turn, { photo }, { place = 0 }) {
    const { grid } = this;
    const at = () => grid?.placeOf(Number(photo)) ?? -1;
    if (grid?.size && at() < 0 && place) await grid.reach(place);
    if (turn !== this.turn) return;
    this.opening = photo;
    if (at() >= 0) {
      await this.viewer.open(grid, at());
      return;
    }
    try {
      const known = await ask(`/api/photo/${photo}`);
      if (turn === this.turn) await this.viewer.open(alone(known), 0);
    } catch (error) {
      if (turn !== this.turn) return;
      if (this.photo) this.#shut();
      this.address.show({ ...this.address.view, photo: undefined }, "replace");
      this.#page.problem.textContent = error.status === 404 ? say("address.no_photo") : error.message;
    }
  }

  #shut() {
    this.photo = null;
    this.viewer.element.close();
  }

  #entitle() {
    const title = this.photo?.name ?? this.#page?.name ?? tabOf(this.tab)?.textContent;
    document.title = title ? `${title} · photosearch` : "photosearch";
  }
}

// A list of one photo.
function alone(known) {
  const { taken_at: taken, city, country } = known.metadata;
  return listOf([{ ...known, taken, place: city || country, country }]);
}
