// The search page: results as one types, and what is there before anything is typed.

import { choose } from "./choosers.js";
import { fill, icon, make, number, say, tell } from "./dom.js";
import { Grid, monthOf } from "./grid.js";
import { folderForm } from "./indexing.js";
import { PictureQuery } from "./picture.js";
import { ask } from "./requests.js";
import { Turns } from "./turns.js";

// Milliseconds after which a search is given up when another is asked for.
const SLOW = 1500;
// Photos that a search gives at once.
const MOST = 500;
const CHIPS = ["filter", "words", "unlike"];

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
    this.chips = make("ul", { class: "chips", "aria-label": say("search.understood") });
    this.problem = make("p", { class: "warning", role: "alert" });
    this.examples = make("div", { class: "examples", hidden: true });
    this.proposals = new Turns(this.examples);
    this.sort = make(
      "select",
      { class: "field slim", "aria-label": say("search.sort"), onchange: () => this.run() },
      ["relevance", "newest", "oldest"].map((order) => make("option", { value: order }, say(`search.${order}`))),
    );
    this.collapse = make("input", { type: "checkbox", id: "collapse", "aria-label": say("search.collapse"), checked: true, onchange: () => this.run() });
    this.tools = make(
      "div",
      { class: "line tools", hidden: true },
      make("label", { class: "check", for: "collapse", title: say("search.collapse") }, this.collapse, ...inShort("search.collapse")),
      this.sort,
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
    fill(
      place,
      make("h1", { class: "unseen" }, say("tab.search")),
      this.welcome,
      this.picture.element,
      this.chips,
      this.problem,
      this.examples,
      make("div", { class: "line head" }, this.count, this.tools),
      this.grid.element,
      (this.less = make("div", { class: "less", hidden: true })),
    );
    input.closest("#query").append(this.picture.choose);
    input.setAttribute("aria-label", say("search.label"));
    if (matchMedia("(max-width: 640px)").matches) input.placeholder = say("search.placeholder_short");
    input.setAttribute("type", "search");
    this.place = place;
    // What belongs to another question does not answer to this one.
    for (const part of [this.chips, this.less]) {
      part.addEventListener("click", (event) => this.stale && event.stopPropagation(), { capture: true });
    }
    input.addEventListener("input", () => this.run());
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey) {
        this.run();
        event.preventDefault();
      } else if (event.key === "ArrowDown" && this.grid.size) {
        this.grid.focus(0);
        event.preventDefault();
      } else if (event.key === "Escape" && input.value) {
        this.ask("");
      }
    });
  }

  // Puts a text into the box, and searches for it.
  ask(text) {
    this.input.value = text;
    this.input.dispatchEvent(new Event("input", { bubbles: true }));
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
  #address(offset, limit = offset ? 120 : 60) {
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
    for (const part of [this.chips, this.count, this.less]) part.classList.toggle("stale", this.stale);
    this.grid.outdate(this.stale);
  }

  // Searches for what the box says now. One search at a time, as the server does: who types faster
  // asks for less than every letter, and an answer that a newer question has overtaken is dropped.
  // `awaited`: the question was put before, and can be answered only now.
  async run({ everything = false, awaited = false } = {}) {
    this.query = this.input.value.trim();
    this.everything = everything;
    history.replaceState(null, "", this.query ? `#q=${encodeURIComponent(this.query)}` : location.pathname);
    this.again = !this.running || this.#address(0) !== this.address;
    if (this.again && performance.now() - this.since > SLOW) this.under?.abort();
    this.running ??= this.#answer();
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
        this.#show(found);
        this.place.dataset.shows = this.#asked();
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
    this.#list(found, false);
    this.tools.hidden = !this.asking;
    // The picture is kept for a while only, and nowhere but here.
    this.saving.hidden = Boolean(this.picture.key);
    this.examples.hidden = this.asking || !this.examples.childElementCount;
    const parts = found.parts ?? [];
    fill(
      this.chips,
      ...parts.filter((part) => CHIPS.includes(part.kind) || part.name !== "text").map((part) => this.#chip(part)),
      ...parts.filter((part) => part.read_as).map((part) => this.#takenAs(part)),
    );
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
    this.#less(found);
    this.#tell(found);
  }

  // Photos that do not look like what was asked for are there for whoever wants them.
  #less({ hits, beyond = 0 }) {
    this.less.hidden = !this.asking || this.everything || !beyond;
    if (this.less.hidden) return;
    const label = say(hits.length ? "search.show_less" : "search.show_nearest", { count: beyond });
    // The button keeps the focus.
    if (this.less.textContent === label) return;
    fill(this.less, make("button", { type: "button", class: "plain", onclick: () => this.run({ everything: true }) }, label));
  }

  #chip(part) {
    const negative = part.kind === "unlike" ? say("search.without", { what: part.meaning }) : part.meaning;
    const photo = part.name === "photo" && /^\d+$/.test(part.meaning);
    return this.#chipOf(part, photo ? [make("img", { src: `/api/thumbnail/${part.meaning}`, alt: "" }), say("search.like_this")] : [negative], {
      label: say("search.remove", { what: negative }),
      instead: "",
    });
  }

  // Of words in another language: the English that the model is given. Taken off, they are read as
  // they are.
  #takenAs(part) {
    const [sign] = /^-?(?:\d*\.?\d+:)?/.exec(this.input.value.trim().slice(part.start, part.end));
    const minus = part.kind === "unlike" && !sign.startsWith("-") ? "-" : "";
    const words = /\s/.test(part.meaning) ? `"${part.meaning}"` : part.meaning;
    return this.#chipOf(part, [say("search.taken_as", { what: part.read_as })], {
      label: say("search.as_it_is", { what: part.meaning }),
      instead: `${minus}${sign}en:${words}`,
    });
  }

  // A chip that selects its part of the text, and a button that puts `instead` there.
  #chipOf(part, content, { label, instead }) {
    const edit = () => {
      this.input.focus();
      const before = this.input.value.length - this.input.value.trimStart().length;
      this.input.setSelectionRange(part.start + before, part.end + before);
    };
    const replace = () => {
      const text = this.input.value.trim();
      this.ask(`${text.slice(0, part.start)} ${instead} ${text.slice(part.end)}`.replace(/\s+/g, " ").trim());
      this.input.focus();
    };
    return make(
      "li",
      { class: "chip" },
      make("button", { type: "button", class: "text", title: say("search.edit"), onclick: edit }, ...content),
      make("button", { type: "button", class: "remove", "aria-label": label, onclick: replace }, icon("close")),
    );
  }

  #tell({ hits, total }) {
    let text = "";
    if (!this.asking) text = hits.length ? say("search.added") : "";
    else if (!hits.length) text = say(this.cutoff === null ? "search.nothing" : "search.unlike");
    else if (this.sort.value !== "relevance" || hits[0].score === null) text = say("search.total", { count: total });
    else text = say("search.found", { count: total });
    if (this.count.textContent !== text) this.count.textContent = text;
  }

  // The library has other photos than before, perhaps.
  changed(state, newest) {
    const edition = [state.photos, state.missing, state.encoded, state.progress.indexed, state.progress.latest].join();
    // Of the newest those are drawn at once that there are pictures of.
    if (this.edition !== undefined && edition !== this.edition && (this.asking || !newest)) this.#renew();
    this.edition = edition;
    const empty = !state.photos && !state.missing && !state.progress.running;
    this.welcome.hidden = !empty;
    document.body.classList.toggle("empty", empty);
    if (newest && this.place.dataset.shows === "" && !this.asking) {
      this.grid.prepend(newest);
      this.count.textContent = this.grid.size ? say("search.added") : "";
    }
    if (!newest && state.photos && !state.progress.running) this.#propose();
  }

  #propose() {
    const found = () => Promise.all([ask("/api/examples"), ask("/api/saved")]).catch(() => [[], []]);
    this.proposals.take("examples", found, (proposed) => this.#examples(...proposed));
  }

  #examples(texts, saved) {
    fill(
      this.examples,
      ...saved.map((one) => this.#saved(one)),
      make("span", { class: "quiet" }, say("search.try")),
      ...texts.map((text) => make("button", { type: "button", class: "plain", onclick: () => this.ask(text) }, text)),
    );
    this.examples.hidden = !(texts.length || saved.length) || this.asking;
  }

  #saved(one) {
    return make(
      "span",
      { class: "chip" },
      make(
        "button",
        {
          type: "button",
          class: "text",
          title: one.text,
          onclick: () => {
            this.sort.value = one.sort;
            this.ask(one.text);
          },
        },
        icon("heart"),
        one.name,
      ),
      make(
        "button",
        {
          type: "button",
          class: "remove",
          "aria-label": say("saved.remove", { name: one.name }),
          onclick: async () => {
            await ask("/api/saved/remove", { body: { name: one.name } }).catch((error) => tell(error.message));
            this.#propose();
          },
        },
        icon("close"),
      ),
    );
  }

  async #save() {
    const name = await choose({ title: say("saved.save"), label: say("saved.name"), button: say("saved.save"), value: this.query });
    if (!name) return;
    try {
      await ask("/api/saved", { body: { name, text: this.query, sort: this.sort.value } });
      tell(say("saved.done", { name }));
      this.#propose();
    } catch (error) {
      tell(error.message);
    }
  }
}
