// A model that is on its way: how far it is, and what can be done about it. There is one at a time,
// whichever part of the page began it.

import { bytes, duration, icon, make, say, tell } from "./dom.js";
import { ask } from "./requests.js";
import { heard } from "./translations.js";

const EVERY = 700;

export class Download {
  // `changed` is called when it begins or stops, and `done` with what came of it when it is whole.
  constructor({ changed, done }) {
    Object.assign(this, { changed, done });
    this.title = make("strong", {});
    this.bar = make("progress", { max: 1 });
    this.facts = make("p", { class: "quiet", role: "status" });
    this.problem = make("p", { class: "warning", role: "alert" });
    this.buttons = {
      pause: this.#button("pause", "model.pause"),
      resume: this.#button("play", "model.resume"),
      discard: this.#button("close", "model.discard"),
    };
    this.element = make(
      "div",
      { class: "download", hidden: true },
      make("div", { class: "line between" }, this.title, make("div", { class: "line" }, Object.values(this.buttons))),
      this.bar,
      this.facts,
    );
  }

  // Begins one by what is asked of `path`.
  async begin(path, body) {
    const begun = await this.#do(path, body);
    if (!begun) return;
    this.follow(begun);
    this.buttons.pause.focus();
  }

  // Shows a download, and follows it until it ends.
  async follow(download) {
    this.#show(download);
    if (this.following || !download.running) return;
    this.following = true;
    try {
      while (download.running) {
        await new Promise((resolve) => setTimeout(resolve, EVERY));
        download = await ask("/api/download");
        this.#show(download);
      }
    } catch (error) {
      tell(error.message);
      return;
    } finally {
      this.following = false;
    }
    if (download.state === "done") {
      tell(say(download.use ? "model.using" : "model.done", { name: download.model }));
      this.done(download);
    }
  }

  #show({ state, model: name, done, total, seconds, running, error }) {
    const halted = ["paused", "failed"].includes(state);
    this.element.hidden = !running && !halted;
    this.buttons.pause.hidden = !running || state === "waiting";
    this.buttons.resume.hidden = this.buttons.discard.hidden = !halted;
    this.bar.hidden = halted && !total;
    this.title.textContent = say(`model.${halted ? state : "downloading"}`, { name });
    this.bar.setAttribute("aria-label", this.title.textContent);
    if ((state === "loading" || halted) && total) this.bar.value = done / total;
    else this.bar.removeAttribute("value");
    const loaded = total ? say("model.loaded", { done: bytes(done), total: bytes(total) }) : null;
    if (halted) this.facts.textContent = [loaded, loaded || state === "paused" ? say("model.kept_so_far") : null].filter(Boolean).join(" · ");
    else if (state === "loading") this.facts.textContent = loaded;
    else if (running) this.facts.textContent = say(`model.${state}`, { time: duration(seconds) });
    this.problem.textContent = state === "failed" ? heard(error) : "";
    if (running !== this.running) {
      this.running = running;
      this.changed(running);
    }
  }

  #button(picture, key) {
    const act = async () => {
      const told = await this.#do(`/api/download/${key.split(".")[1]}`, {});
      if (told) this.follow(told);
    };
    return make("button", { type: "button", class: "plain small", onclick: act }, icon(picture), say(key));
  }

  async #do(path, body) {
    this.problem.textContent = "";
    try {
      return await ask(path, { body });
    } catch (error) {
      this.problem.textContent = error.message;
      return null;
    }
  }
}
