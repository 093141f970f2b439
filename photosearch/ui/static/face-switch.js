// Faces: whether they are looked for, what is kept of them and who sees it, and how far that is.

import { accept } from "./choosers.js";
import { fill, make, say, tell } from "./dom.js";
import { ask } from "./requests.js";
import { heard } from "./translations.js";

const EVERY = 1500;

export class FaceSwitch {
  // `changed` is called when there are other groups of faces than before.
  constructor(changed = () => {}) {
    this.changed = changed;
    this.on = make("input", { type: "checkbox", onchange: () => this.#send("switch", this.on.checked) });
    this.bar = make("progress", { max: 1, hidden: true, "aria-label": say("library.faces") });
    this.facts = make("p", { class: "quiet", role: "status" });
    this.problem = make("p", { class: "warning", role: "alert" });
    this.sight = make("p", { class: "quiet" });
    this.hold = make("button", { type: "button", class: "plain", onclick: () => this.#send("hold", !this.held) });
    this.forget = make("button", { type: "button", class: "plain", onclick: () => this.#forget() }, say("faces.forget"));
    // In a few words, for where the rest is folded.
    this.state = make("span", { class: "quiet" });
    this.element = make("div", { class: "stacked wide face-switch" });
    this.parts = [
      make("p", { class: "quiet" }, say("faces.text")),
      make("p", { class: "quiet" }, say("faces.kept")),
      this.sight,
      make("label", { class: "check" }, this.on, say("faces.on")),
      this.bar,
      this.facts,
      make("div", { class: "line" }, this.hold, this.forget),
      this.problem,
    ];
  }

  async refresh() {
    const turn = (this.turn = {});
    const now = await ask("/api/faces");
    // Not when the switch has been turned meanwhile: it would be turned back.
    if (turn === this.turn) this.#show(now);
    return now;
  }

  async #send(what, on) {
    this.turn = {};
    try {
      this.#show(await ask(`/api/faces/${what}`, { body: { on } }));
    } catch (error) {
      this.problem.textContent = heard(error.message);
      if (what === "switch") this.on.checked = !on;
    }
  }

  async #forget() {
    const sure = await accept({ title: say("faces.forget_sure"), text: [say("faces.forget_text")], label: say("faces.forget_tick"), button: say("faces.forget_all") });
    if (!sure) return;
    this.turn = {};
    try {
      const now = await ask("/api/faces/forget", { body: {} });
      tell(say("faces.forgot", { count: now.forgotten }));
      this.#show(now);
      if (now.ordered) this.problem.textContent = say("faces.ordered", { variable: now.ordered });
    } catch (error) {
      this.problem.textContent = heard(error.message);
    }
  }

  #show({ allowed, shared, on, held, running, done, left, failed, error, seen, found, named, photos, edition }) {
    if (!allowed) {
      fill(this.element, make("p", { class: "quiet" }, say("faces.elsewhere")));
      return;
    }
    if (!this.on.isConnected || !this.element.contains(this.on)) fill(this.element, ...this.parts);
    this.held = held;
    this.on.checked = on;
    this.sight.textContent = say(shared ? "faces.shared" : "faces.private");
    const facts = [];
    if (seen) facts.push(say("faces.done", { count: seen, photos, found, named }));
    if (failed) facts.push(say("index.failed", { count: failed }));
    const open = on && seen + failed < photos;
    if (held && open) facts.push(say("faces.paused"));
    else if (open && !running) facts.push(say("reading.waits"));
    this.facts.textContent = facts.join(" · ");
    const brief = running ? say("faces.looking", { count: seen, photos }) : say(on ? "faces.state_on" : "faces.state_off");
    this.state.textContent = held && open ? say("faces.paused") : brief;
    this.problem.textContent = heard(error ?? "");
    this.bar.hidden = !running;
    this.hold.hidden = !open;
    this.hold.textContent = say(held ? "faces.resume" : "faces.pause");
    this.forget.hidden = !seen && !found;
    if (left) this.bar.value = (done + failed) / left;
    else this.bar.removeAttribute("value");
    const before = this.edition;
    this.edition = edition;
    if (before !== undefined && edition !== before) this.changed();
    // It begins and ends by itself as long as it is on.
    clearTimeout(this.timer);
    if (on && !held && (running || open)) this.#later();
  }

  // Asks again soon, as long as anybody can see the answer.
  #later() {
    const seen = () => !document.hidden && [this.element, this.state].some((one) => one.checkVisibility());
    const again = () => (seen() ? this.refresh().catch((problem) => tell(problem.message)) : this.#later());
    this.timer = setTimeout(again, EVERY);
  }
}
