// The search page: results as one types, and what is there before anything is typed.

import { fill, icon, make, say, tell } from "./dom.js";
import { FilterRow } from "./filters.js";
import { Grid, monthOf } from "./grid.js";
import { folderForm } from "./indexing.js";
import { FEW, Nothing } from "./nothing-found.js";
import { Offers } from "./offers.js";
import { PictureQuery } from "./picture.js";
import { ask } from "./requests.js";
import { ResultsMap } from "./results-map.js";
import { saveSearch } from "./saved.js";
import { StartPage } from "./start.js";
import { Typeahead, remember } from "./typeahead.js";
import { Understood } from "./understood.js";

// Milliseconds after which a search is given up when another is asked for.
const SLOW = 1500;
// Photos that a search gives at once.
const MOST = 500;

// A text, and a shorter one for narrow screens.
const inShort = (key) => ["", "_short"].map((end) => make("span", { class: end ? "short" : "long" }, say(`${key}${end}`)));

export class SearchPage {
  constructor(place, input, viewer, selection, started) {
    this.input = input;
    this.count = make("p", { class: "count", role: "status" });
    this.grid = new Grid({
      label: say("search.results"),
      selection,
      more: (offset) => ask(this.#address(offset)),
      open: (at) => this.#remember() && viewer.open(this.grid, at),
    });
    this.welcome = make(
      "section",
      { class: "welcome", hidden: true },
      make("h1", {}, say("welcome.title")),
      make("p", {}, say("welcome.text")),
      folderForm(started),
      make("p", { class: "quiet" }, say("welcome.private")),
      (this.better = new Offers({ brief: true, arrived: (use) => use && started() })).element,
    );
    this.understood = new Understood(input, (text) => this.ask(text));
    this.problem = make("p", { class: "warning", role: "alert" });
    this.start = new StartPage({
      viewer,
      selection,
      search: (text, sort) => {
        if (sort) this.sort.value = sort;
        this.ask(text);
      },
      favourites: () => this.favourites(),
    });
    this.added = make("h2", { hidden: true }, say("search.added"));
    this.sort = make(
      "select",
      { class: "field slim", "aria-label": say("search.sort"), onchange: () => this.run() },
      ["relevance", "newest", "oldest"].map((order) => make("option", { value: order }, say(`search.${order}`))),
    );
    this.onMap = new ResultsMap({
      viewer,
      selection,
      switched: () => {
        this.moved?.("push");
        this.#arrange();
      },
      put: (text) => this.ask(text),
    });
    this.collapse = make("input", { type: "checkbox", id: "collapse", "aria-label": say("search.collapse"), checked: true, onchange: () => this.run() });
    this.tools = make(
      "div",
      { class: "line tools", hidden: true },
      (this.stacking = make("label", { class: "check", for: "collapse", title: say("search.collapse") }, this.collapse, ...inShort("search.collapse"))),
      this.sort,
      this.onMap.button,
      (this.saving = make(
        "button",
        { type: "button", class: "plain slim", "aria-label": say("saved.save"), onclick: () => this.#save() },
        icon("heart"),
        ...inShort("saved.save"),
      )),
    );
    this.picture = new PictureQuery(
      (how) => this.run(how),
      () => this.#mark(),
    );
    this.filters = new FilterRow({
      asked: () => ({ q: this.input.value.trim(), picture: this.picture.key, everything: this.everything }),
      put: (text) => this.ask(text),
    });
    fill(
      place,
      make("h1", { class: "unseen" }, say("tab.search")),
      this.welcome,
      this.picture.element,
      this.filters.element,
      this.understood.element,
      this.problem,
      this.start.element,
      make("div", { class: "line head" }, this.added, this.count, this.tools),
      this.onMap.element,
      this.grid.element,
      (this.nothing = new Nothing({ put: (text) => this.ask(text), viewer, selection })).element,
      (this.less = make("div", { class: "less", hidden: true })),
    );
    input.closest("#query").append(this.picture.choose);
    input.setAttribute("aria-label", say("search.label"));
    if (matchMedia("(max-width: 640px)").matches) input.placeholder = say("search.placeholder_short");
    input.setAttribute("enterkeyhint", "search");
    this.place = place;
    this.least = 0;
    // What belongs to another question does not answer to this one.
    for (const part of [this.understood.element, this.less, this.nothing.element]) {
      part.addEventListener("click", (event) => this.stale && event.stopPropagation(), { capture: true });
    }
    input.addEventListener("input", () => this.writing || this.run({ how: "typed" }));
    // Behind that one, so that a letter is searched for before anything is suggested.
    this.typeahead = new Typeahead(input, {
      choose: (text, caret, sort) => {
        if (sort) this.sort.value = sort;
        this.ask(text);
        input.setSelectionRange(caret, caret);
        this.#remember();
      },
      after: () => this.running,
    });
    input.addEventListener("keydown", (event) => this.typeahead.takes(event));
  }

  // Searches for what the box says, as something to come back to.
  submit() {
    this.run();
    this.#remember();
  }

  // Puts a text into the box, and searches for it.
  ask(text) {
    this.#write(text);
    this.run();
  }

  #write(text) {
    this.writing = true;
    this.input.value = text;
    this.input.dispatchEvent(new Event("input", { bubbles: true }));
    this.writing = false;
  }

  // Its part of the address; of the newest photos nothing.
  get view() {
    if (!this.asking) return {};
    return {
      q: this.query,
      sort: this.sort.value === "relevance" ? "" : this.sort.value,
      stack: this.collapse.checked ? "" : "no",
      all: this.everything ? "yes" : "",
      map: this.onMap.on ? "yes" : "",
      picture: this.picture.key,
    };
  }

  get name() {
    return /^photo:\d+$/.test(this.query) ? say("search.like_this") : this.query || (this.picture.key ? say("picture.asked") : "");
  }

  // Shows what an address says, and at least so many photos at once.
  async restore({ q = "", sort = "", stack, all, map, picture = "" }, least) {
    this.picture.show(picture);
    this.onMap.turn(map === "yes");
    if (q || picture) {
      this.sort.value = [...this.sort.options].some((option) => option.value === sort) ? sort : "relevance";
      this.collapse.checked = stack !== "no";
    }
    this.#write(q);
    const how = { least: Math.min(least, MOST), how: "" };
    await this.run(how);
    // Which photos are likely, the first answer tells.
    if (all === "yes" && this.query === q.trim()) await this.run({ ...how, everything: true });
    await this.drawn;
  }

  // The list of photos that is shown.
  get shown() {
    return this.onMap.grid ?? this.grid;
  }

  // The list or the map, as it is asked for.
  #arrange() {
    const { on } = this.onMap;
    this.stacking.hidden = this.sort.hidden = on;
    const question = new URLSearchParams(this.#asked());
    for (const name of ["sort", "collapse"]) question.delete(name);
    this.drawn = this.onMap.show(String(question), this.query, this.asking ? this.found : null);
    this.grid.element.hidden = this.onMap.shows;
    if (!this.found) return;
    this.#less(this.found);
    this.#tell(this.found);
  }

  get asking() {
    return Boolean(this.query || this.picture.key);
  }

  // All that the answer depends on; nothing when the newest photos are to be shown.
  #asked() {
    if (!this.asking) return "";
    const asked = new URLSearchParams({ q: this.query, sort: this.sort.value });
    if (this.picture.key) asked.set("picture", this.picture.key);
    if (this.collapse.checked) asked.set("collapse", "true");
    if (this.everything) asked.set("everything", "true");
    return String(asked);
  }

  // Few at first: they are there sooner.
  #address(offset, limit = offset ? 120 : Math.max(60, this.least)) {
    const asked = this.#asked();
    return asked ? `/api/search?${asked}&offset=${offset}&limit=${limit}` : "/api/newest?limit=60";
  }

  // Whether what is on the screen answers another question than the one that is asked now.
  get stale() {
    return this.picture.coming || this.place.dataset.shows !== this.#asked();
  }

  // Says so; what is shown answers `data-shows`.
  #mark() {
    if (this.running || this.picture.coming) this.place.setAttribute("aria-busy", "true");
    else this.place.removeAttribute("aria-busy");
    for (const part of [this.understood.element, this.count, this.less, this.nothing.element]) part.classList.toggle("stale", this.stale);
    this.grid.outdate(this.stale);
  }

  // Searches for what the box says now. One search at a time, as the server does: who types faster
  // asks for less than every letter, and an answer that a newer question has overtaken is dropped.
  // `awaited`: the question was put before, and can be answered only now. `how` it comes into the
  // address, as `Address.show` has it; "" where it is from there.
  async run({ everything = false, awaited = false, least = 0, how = "push" } = {}) {
    this.query = this.input.value.trim();
    this.everything = everything;
    this.least = least;
    this.again = !this.running || this.#address(0) !== this.address;
    if (this.again && performance.now() - this.since > SLOW) this.under?.abort();
    // The question is on its way before anything else is done.
    this.running ??= this.#answer();
    if (how) this.moved?.(how);
    if (!awaited) this.grid.wanted = null;
    this.#mark();
    return this.running;
  }

  async #answer() {
    while (this.again) {
      this.again = false;
      this.address = this.#address(0);
      this.under = new AbortController();
      this.since = performance.now();
      try {
        const found = await ask(this.address, { signal: this.under.signal });
        if (this.again) continue;
        this.problem.textContent = "";
        const asked = this.#asked();
        // Asked while nothing is changed yet, as the browser would lay the page out for an answer.
        const scrolled = this.place.dataset.shows !== asked && scrollY > 0;
        this.#show(found);
        // Another answer begins at its best photo.
        if (scrolled && this.grid.element.checkVisibility()) scrollTo({ top: 0, behavior: "instant" });
        this.place.dataset.shows = asked;
      } catch (error) {
        if (this.again) continue;
        this.grid.wanted = null;
        this.problem.textContent = error.message;
      }
    }
    this.running = this.under = null;
    this.#mark();
    if (this.due) this.#renew();
  }

  // Asks the same again, since there are other photos now; nobody has to wait for it, and what goes
  // wrong with it is told of at the next question.
  async #renew() {
    this.due = true;
    const asked = this.#asked();
    if (this.renewing || this.running || this.place.dataset.shows !== asked || this.grid.asked > MOST) return;
    this.due = false;
    this.renewing = true;
    const started = performance.now();
    try {
      const found = await ask(this.#address(0, Math.max(60, this.grid.asked)));
      if (!this.running && this.place.dataset.shows === asked && asked === this.#asked()) this.#list(found, true);
    } catch {
      // The results stay.
    }
    // On a slow machine the photos that come need it, too.
    setTimeout(() => {
      this.renewing = false;
      if (this.due) this.#renew();
    }, 2 * (performance.now() - started));
  }

  #show(found) {
    // Asked once more, what is on the screen stays, and who is among the photos stays where they are.
    this.#list(found, this.place.dataset.shows === this.#asked());
    this.filters.show(found);
    this.tools.hidden = !this.asking;
    // The picture is kept for a while only, and nowhere but here.
    this.saving.hidden = Boolean(this.picture.key);
    this.start.show(!this.asking);
    const parts = found.parts ?? [];
    this.understood.show(parts, this.query);
    if (parts.some((part) => part.warning)) this.problem.textContent = say("search.unreadable");
  }

  #list(found, keep) {
    // Of photos that are like one, that one is no news.
    const like = (found.parts ?? []).filter((part) => part.name === "photo").map((part) => Number(part.meaning));
    if (like.length) found.hits = found.hits.filter((photo) => !like.includes(photo.id));
    const byDate = this.asking && this.sort.value !== "relevance";
    if (!this.everything) this.cutoff = found.cutoff ?? null;
    const { cutoff } = this;
    const likely = (photo) => (photo.score >= cutoff ? say("search.likely") : say("search.unlikely"));
    this.grid.show(found, {
      heading: byDate ? monthOf : this.everything && cutoff !== null ? likely : null,
      keep,
    });
    const asked = { query: this.query, picture: this.picture.key, parts: found.parts ?? [], cutoff: this.cutoff };
    this.grid.why = this.asking ? () => asked : null;
    if (!this.asking) this.onMap.turn(false);
    this.found = found;
    this.#arrange();
    this.nothing.show(this.asking && !this.everything ? found : null, this.#asked());
  }

  // Photos that do not look like what was asked for are there for whoever wants them.
  #less({ hits, beyond = 0 }) {
    this.less.hidden = !this.asking || this.everything || this.onMap.shows || beyond <= (hits.length ? 0 : FEW);
    if (this.less.hidden) return;
    const label = say(hits.length ? "search.show_less" : "search.show_nearest", { count: beyond });
    // The button keeps the focus.
    if (this.less.textContent === label) return;
    fill(this.less, make("button", { type: "button", class: "plain", onclick: () => this.run({ everything: true }) }, label));
  }

  #tell(found) {
    this.added.hidden = this.asking || !found.hits.length;
    const text = this.asking ? this.#told(found) : "";
    if (this.count.textContent !== text) this.count.textContent = text;
  }

  #told({ hits, total }) {
    if (!hits.length) return say(this.cutoff === null ? "search.nothing" : "search.unlike");
    const all = this.onMap.on || this.sort.value !== "relevance" || hits[0].score === null;
    return say(all ? "search.total" : "search.found", { count: total });
  }

  // The library has other photos than before, perhaps.
  changed(state, newest) {
    const edition = [state.photos, state.missing, state.encoded, state.progress.indexed, state.progress.latest].join();
    // Of the newest those are drawn at once that there are pictures of.
    if (this.edition !== undefined && edition !== this.edition && (this.asking || !newest)) this.#renew();
    if (this.edition !== edition && !state.progress.running) this.filters.changed();
    this.edition = edition;
    const empty = !state.photos && !state.missing && !state.progress.running;
    this.welcome.hidden = !empty;
    document.body.classList.toggle("empty", empty);
    if (newest && this.place.dataset.shows === "" && !this.asking) {
      this.grid.prepend(newest);
      this.added.hidden = !this.grid.size;
    }
    // Once; what has no answer is asked for again by the library's page.
    if (empty && !this.offered) this.offered = this.better.show().catch(() => {});
    if (empty) this.start.clear();
    else if (!newest && state.photos && !state.progress.running) this.#propose();
    else if (state.photos && !this.start.begun) this.start.outdate();
  }

  // Keeps the text, if it leads to something.
  async #remember() {
    const text = this.query;
    await this.running;
    if (text && text === this.query && !this.problem.textContent && this.grid.size) remember(text);
  }

  #propose() {
    this.start.propose();
    this.start.outdate();
  }

  async #save() {
    if (await saveSearch(this.query, this.sort.value)) this.start.outdate();
  }
}
