// The search page: results as one types, and what is there before anything is typed.

import { ask, make, number, say, tell } from "./dom.js";
import { Grid } from "./grid.js";
import { folderForm } from "./indexing.js";

const PAUSE = 180;

export class SearchPage {
  constructor(place, input, viewer, selection, started) {
    this.input = input;
    this.count = make("p", { class: "count", role: "status" });
    this.grid = new Grid({
      label: say("search.results"),
      selection,
      more: (offset) => this.#fetch(offset),
      open: (at) => viewer.open(this.grid, at),
    });
    this.welcome = make(
      "section",
      { class: "welcome", hidden: true },
      make("h1", {}, say("welcome.title")),
      make("p", {}, say("welcome.text")),
      folderForm(started),
      make("p", { class: "quiet" }, say("welcome.private")),
    );
    place.replaceChildren(this.welcome, this.count, this.grid.element);
    input.setAttribute("aria-label", say("search.label"));
    input.setAttribute("type", "search");
    input.addEventListener("input", () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.run(), PAUSE);
    });
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter") {
        clearTimeout(this.timer);
        this.run();
        event.preventDefault();
      } else if (event.key === "ArrowDown" && this.grid.photos.length) {
        this.grid.focus(0);
        event.preventDefault();
      } else if (event.key === "Escape" && input.value) {
        input.value = "";
        this.run();
      }
    });
  }

  #fetch(offset, signal) {
    const path = this.query
      ? `/api/search?q=${encodeURIComponent(this.query)}&offset=${offset}`
      : `/api/newest?limit=60`;
    return ask(path, { signal });
  }

  // Searches for what the box says now; an answer that a newer question has overtaken is dropped.
  async run() {
    this.query = this.input.value.trim();
    const where = this.query ? `#q=${encodeURIComponent(this.query)}` : " ";
    history.replaceState(null, "", where.trim() || location.pathname);
    this.asking?.abort();
    this.asking = new AbortController();
    try {
      const found = await this.#fetch(0, this.asking.signal);
      this.grid.show(found);
      this.#tell(found);
    } catch (error) {
      if (error.name !== "AbortError") tell(error.message);
    }
  }

  #tell({ hits, more }) {
    if (!this.query) this.count.textContent = hits.length ? say("search.newest") : "";
    else if (hits.length) this.count.textContent = more ? say("search.best_first") : say("search.found", { count: hits.length });
    else this.count.textContent = say("search.nothing");
  }

  // The library has other photos than before.
  changed(state, newest) {
    const empty = !state.photos && !state.progress.running;
    this.welcome.hidden = !empty;
    document.body.classList.toggle("empty", empty);
    if (!this.query && newest) {
      this.grid.prepend(newest);
      this.count.textContent = this.grid.photos.length ? say("search.newest") : "";
    }
  }
}
