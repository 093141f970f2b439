// Text in photos: whether it is read, and how far that is.

import { make, say, tell } from "./dom.js";
import { ask } from "./requests.js";
import { heard } from "./translations.js";

const EVERY = 1500;

export class Reading {
  constructor() {
    this.on = make("input", { type: "checkbox", id: "read-text", onchange: () => this.#switch() });
    this.bar = make("progress", { max: 1, hidden: true, "aria-label": say("library.text") });
    this.facts = make("p", { class: "quiet" });
    this.problem = make("p", { class: "warning", role: "alert" });
    this.element = make(
      "div",
      { class: "stacked wide" },
      make("p", { class: "quiet" }, say("reading.text")),
      make("label", { class: "check", for: "read-text" }, this.on, say("reading.on")),
      this.bar,
      this.facts,
      this.problem,
    );
  }

  async refresh() {
    const turn = (this.turn = {});
    const now = await ask("/api/reading");
    // Not when the switch has been turned meanwhile: it would be turned back.
    if (turn === this.turn) this.#show(now);
  }

  async #switch() {
    this.turn = {};
    try {
      this.#show(await ask("/api/reading", { body: { on: this.on.checked } }));
    } catch (error) {
      this.on.checked = false;
      this.problem.textContent = error.message;
    }
  }

  #show({ on, running, done, left, failed, error, read, found, photos, needs }) {
    this.on.checked = on;
    this.on.disabled = Boolean(needs) && !on;
    const facts = [];
    if (read) facts.push(say("reading.done", { count: read, photos, found }));
    if (failed) facts.push(say("index.failed", { count: failed }));
    if (on && !running && read < photos) facts.push(say("reading.waits"));
    this.facts.textContent = facts.join(" · ");
    this.problem.textContent = heard(error ?? needs ?? "");
    this.bar.hidden = !running;
    if (left) this.bar.value = (done + failed) / left;
    else this.bar.removeAttribute("value");
    // It begins and ends by itself as long as it is on.
    clearTimeout(this.timer);
    if (on && (running || read < photos)) {
      this.timer = setTimeout(() => this.refresh().catch((problem) => tell(problem.message)), EVERY);
    }
  }
}
