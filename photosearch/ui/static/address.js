// The address of what the page shows, and the history of addresses behind and before it.
//
// A view is an object of texts: `tab`, and what that tab shows:
//   search   q, sort, stack ("no"), all ("yes"), map ("yes"); a picture as the query is in no address: `picture`
//   browse   by, of (the group), month, near ("yes")
// and `photo`, the one that lies open over it.

// The names of these parts in the address. Not to be taken are those that Gradio reads: `view`, `ui`,
// `deep_link`, `write_token`, `__theme`.
const NAMES = { q: "q", sort: "sort", stack: "stack", all: "all", map: "map", by: "browse", of: "of", month: "month", near: "near", photo: "photo" };
// Milliseconds without a letter until a search that is being typed is written into the address, and
// until it is one to come back to.
const WRITE = 250;
const SETTLE = 1500;

// The view at an address. One that nothing can be made of is the start page.
export function parse(search, hash = "") {
  const asked = new URLSearchParams(search);
  // As addresses were written before.
  const before = new URLSearchParams(hash.replace(/^#/, "")).get("q");
  if (before) return { tab: "search", q: before };
  const view = { tab: asked.has("browse") ? "browse" : asked.get("tab") === "library" ? "library" : "search" };
  for (const [part, name] of Object.entries(NAMES)) if (asked.has(name)) view[part] = asked.get(name);
  if (!/^\d{1,18}$/.test(view.photo ?? "")) delete view.photo;
  return only(view);
}

// The address of a view, from the "?" on; what else was asked for (`search`) stays, but for a password.
export function format(view, search = "") {
  const asked = new URLSearchParams();
  for (const [name, value] of new URLSearchParams(search)) {
    if (![...Object.values(NAMES), "tab", "token"].includes(name)) asked.append(name, value);
  }
  if (view.tab === "library") asked.set("tab", "library");
  for (const [part, value] of Object.entries(only(view))) if (part in NAMES) asked.set(NAMES[part], value);
  return asked.size ? `?${asked}` : "";
}

const PARTS = { search: ["q", "sort", "stack", "all", "map", "picture"], browse: ["by", "of", "month", "near"], library: [] };

// A view without what its tab does not have, and without empty parts; a group may be called "".
function only(view) {
  const kept = { tab: view.tab };
  for (const part of [...PARTS[view.tab], "photo"]) {
    const value = view[part];
    if (value || (value === "" && (part === "of" || part === "month"))) kept[part] = String(value);
  }
  return kept;
}

const same = (one, other) => one !== null && JSON.stringify(only(one)) === JSON.stringify(only(other));

// Whether two views show the same list of photos, whichever photo is open over it.
export const sameList = (one, other) => same({ ...one, photo: undefined }, { ...other, photo: undefined });

// The view that one was opened from: of a photo its list, of a group all groups; null for others.
export function parent(view) {
  if (view.photo) return { ...view, photo: undefined };
  return view.of === undefined ? null : { ...view, of: undefined };
}

// How the history goes on from one view to the next: "stay", "replace", "push", or "back" where the
// next is the one behind. `settled`: `from` is one to come back to; `over`: it was opened from the
// entry behind it.
export function step(from, to, { settled = true, over = false } = {}) {
  if (!sameList(from, to)) return settled || from.photo ? "push" : "replace";
  if ((from.photo ?? "") === (to.photo ?? "")) return "stay";
  if (!to.photo) return over ? "back" : "replace";
  return from.photo ? "replace" : "push";
}

// Tells of "move": somebody has gone back or forward, to `view`.
export class Address extends EventTarget {
  constructor() {
    super();
    // The lists are fetched; until they are there, the browser would scroll to nowhere.
    history.scrollRestoration = "manual";
    this.#read();
    // An address of before, or one with a password in it.
    this.#write("replace");
    addEventListener("popstate", () => {
      clearTimeout(this.timer);
      this.#read();
      if (location.hash) this.#write("replace");
      const { due } = this;
      this.leaving = this.due = null;
      if (due) this.show(...due);
      else this.dispatchEvent(new Event("move"));
    });
  }

  // The page shows `view` now. `how`: "push" when somebody went there, "typed" while it is being typed,
  // "replace" when it has come by itself. `kept` is what to keep of the entry that is left.
  show(view, how = "push", kept = null) {
    // What comes while the browser is on its way back belongs to the entry that it finds.
    if (this.leaving) {
      this.due = [view, how];
      return;
    }
    const way = how === "replace" ? "replace" : step(this.view, view, this.entry);
    clearTimeout(this.timer);
    if (way === "stay") {
      if (how === "push") this.#settle();
      else if (how === "typed" && !this.entry.settled) this.timer = setTimeout(() => this.#settle(), SETTLE);
      return;
    }
    if (way === "back") {
      this.leaving = true;
      history.back();
      return;
    }
    if (way === "push") {
      this.keep({ ...kept, settled: true });
      this.entry = { settled: how !== "typed", over: same(parent(view), this.view), behind: this.#text };
    } else if (how === "push") this.entry.settled = true;
    this.view = view;
    // Browsers refuse an address for each letter.
    if (how === "typed" && way === "replace") this.timer = setTimeout(() => this.#write("replace", true), WRITE);
    else {
      this.#write(way);
      if (how === "typed") this.timer = setTimeout(() => this.#settle(), SETTLE);
    }
  }

  // Keeps something with the present entry, for whoever comes back to it: `kept`.
  keep(kept) {
    if (this.leaving) return;
    Object.assign(this.entry, kept);
    this.#write("replace");
  }

  // Goes back to what the present view was opened from; false where that is not the entry behind.
  up() {
    if (this.entry.over) history.back();
    return Boolean(this.entry.over);
  }

  get kept() {
    return this.entry;
  }

  #settle() {
    clearTimeout(this.timer);
    // What was typed has been deleted again: there need not be two of it.
    if (!this.entry.settled && this.#text === this.entry.behind) return;
    this.entry.settled = true;
    this.#write("replace");
  }

  get #text() {
    return JSON.stringify(only(this.view));
  }

  #read() {
    const { entry, picture } = history.state ?? {};
    this.entry = entry ?? { settled: true };
    this.view = parse(location.search, location.hash);
    if (picture && this.view.tab === "search") this.view.picture = picture;
  }

  #write(way, typed = false) {
    const state = { entry: this.entry, picture: this.view.picture };
    const url = location.pathname + format(this.view, location.search);
    if (way === "push") history.pushState(state, "", url);
    else history.replaceState(state, "", url);
    if (typed) this.timer = setTimeout(() => this.#settle(), SETTLE - WRITE);
  }
}
