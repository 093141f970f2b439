// What may be meant, below the box while one types: a combobox with a list, as ARIA 1.2 has it. The
// focus stays in the box, and the box is the truth: what is chosen puts a text into it.

import { units } from "./chips.js";
import { fill, icon, make, say, tell } from "./dom.js";
import { above, named } from "./place-names.js";
import { ask } from "./requests.js";

const ICONS = {
  place: "target",
  folder: "folder",
  camera: "camera",
  album: "album",
  saved: "heart",
  recent: "recent",
  filter: "filter",
  value: "filter",
};
// Keys that type nothing, though an input may follow them.
const SILENT = ["Enter", "Escape", "Tab", "Shift", "Control", "Alt", "Meta", "ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"];

// Milliseconds that suggestions wait for the answer of the search, which they would take time from.
const WAIT = 80;

// Has a text that was searched for suggested from now on. Where it cannot be kept nothing is lost.
export const remember = (text) => ask("/api/recent", { body: { text } }).catch(() => {});

export class Typeahead {
  // `choose` is given a text, where the caret is to be in it, and the order of a saved search; `after`
  // gives what resolves when the search under way is answered.
  constructor(input, { choose, after }) {
    Object.assign(this, { input, choose, after });
    this.options = [];
    this.at = -1;
    this.list = make("ul", { id: "suggestions", role: "listbox", "aria-label": say("suggest.label") });
    this.clear = make("button", { type: "button", class: "plain slim", onclick: () => this.#forget() }, say("suggest.clear"));
    this.popup = make("div", { class: "suggestions", hidden: true }, this.list);
    this.status = make("p", { class: "unseen", role: "status" });
    input.closest("#query").append(this.popup, this.status);
    const attributes = { role: "combobox", autocomplete: "off", "aria-autocomplete": "list", "aria-haspopup": "listbox", "aria-controls": "suggestions", "aria-expanded": "false" };
    for (const [name, value] of Object.entries(attributes)) input.setAttribute(name, value);
    // A text that comes otherwise, from a chip or a paste, is no beginning of one.
    input.addEventListener("keydown", (event) => {
      this.typing = !(event.ctrlKey || event.metaKey || SILENT.includes(event.key));
    });
    input.addEventListener("input", () => {
      if (this.typing && input.value.trim()) this.#suggest();
      else this.close();
      this.typing = false;
    });
    // Before anything is typed there are the searches of before.
    input.addEventListener("click", () => input.value.trim() || this.#suggest());
    document.addEventListener("pointerdown", (event) => {
      if (!input.closest("#query").contains(event.target)) this.close();
    });
    input.closest("#query").addEventListener("focusout", (event) => {
      if (!this.popup.contains(event.relatedTarget) && event.relatedTarget !== input) this.close();
    });
    // The box keeps the focus.
    this.list.addEventListener("pointerdown", (event) => event.preventDefault());
    this.list.addEventListener("click", (event) => {
      const option = event.target.closest("[role=option]");
      if (option) this.#take([...this.list.children].indexOf(option));
    });
  }

  get open() {
    return !this.popup.hidden;
  }

  // Whether a key was for the list.
  takes(event) {
    if (event.isComposing) return false;
    if (event.key === "ArrowDown" && event.altKey && !this.open) this.#suggest();
    else if (!this.open) {
      // An answer on its way would open it after all.
      if (event.key === "Enter" || event.key === "Escape") this.close();
      return false;
    } else if (event.key === "ArrowDown") this.#go(this.at + 1);
    else if (event.key === "ArrowUp") this.#go(this.at - 1);
    else if (event.key === "Escape") this.close();
    else if (event.key === "Enter" && this.at >= 0) this.#take(this.at);
    else {
      if (event.key === "Enter") this.close();
      return false;
    }
    event.preventDefault();
    return true;
  }

  close() {
    this.turn = null;
    this.popup.hidden = true;
    delete this.list.dataset.shows;
    this.status.textContent = "";
    this.#mark(-1);
    this.input.setAttribute("aria-expanded", "false");
  }

  // One question at a time, and then the newest; after that of the search, unless it takes long.
  async #suggest() {
    const turn = (this.turn = {});
    this.#mark(-1);
    await Promise.race([this.after(), new Promise((done) => setTimeout(done, WAIT))]);
    if (turn !== this.turn) return;
    await this.asking;
    if (turn !== this.turn) return;
    const text = this.input.value;
    const caret = [...text.slice(0, this.input.selectionStart)].length;
    this.asking = ask(`/api/suggest?${new URLSearchParams({ q: text, caret })}`).catch(() => []);
    const found = await this.asking;
    if (turn !== this.turn || text !== this.input.value) return;
    this.#show(found);
    this.list.dataset.shows = text;
  }

  #show(found) {
    this.options = found;
    if (!found.length) {
      this.close();
      return;
    }
    fill(this.list, ...found.map((one, at) => this.#option(one, at)));
    fill(this.popup, this.list, found.some((one) => one.kind === "recent") ? this.clear : null);
    this.popup.hidden = false;
    this.input.setAttribute("aria-expanded", "true");
    this.status.textContent = say("suggest.count", { count: found.length });
    this.list.scrollTop = 0;
    // An arrow may have been pressed before the answer was here.
    this.#mark(Math.min(this.at, found.length - 1));
  }

  #option(one, at) {
    const cover = one.cover === null ? icon(ICONS[one.kind] ?? "target") : make("img", { src: `/api/thumbnail/${one.cover}`, alt: "", loading: "lazy" });
    return make(
      "li",
      { id: `suggestion-${at}`, role: "option", "aria-selected": "false" },
      make("span", { class: "cover" }, cover),
      make("span", { class: "label" }, one.kind === "place" ? named(one.label, one.detail) : one.label),
      make("span", { class: "detail" }, [say(`suggest.${one.kind}`), one.kind === "place" ? above(one.detail) : one.detail].filter(Boolean).join(" · ")),
      one.count === null ? null : make("span", { class: "count" }, say("search.total", { count: one.count })),
    );
  }

  // Beyond either end there is the box itself.
  #go(at) {
    const size = this.options.length;
    this.#mark(at < -1 ? size - 1 : at >= size ? -1 : at);
  }

  #mark(at) {
    this.at = at;
    [...this.list.children].forEach((option, number) => option.setAttribute("aria-selected", String(number === at)));
    const option = this.list.children[at];
    if (option) {
      this.input.setAttribute("aria-activedescendant", option.id);
      option.scrollIntoView({ block: "nearest" });
    } else this.input.removeAttribute("aria-activedescendant");
  }

  #take(at) {
    const { kind, text, caret, sort } = this.options[at];
    this.close();
    this.choose(text, units(text, caret), sort);
    // The name of a filter is followed by its values.
    if (kind === "filter") this.#suggest();
  }

  async #forget() {
    try {
      await ask("/api/recent/clear", { body: {} });
      tell(say("suggest.cleared"));
    } catch (error) {
      tell(error.message);
    }
    this.input.focus();
    this.close();
  }
}
