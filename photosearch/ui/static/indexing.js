// Choosing folders, starting a run, and watching it.

import { away } from "./absent.js";
import { chooseFolder } from "./choosers.js";
import { duration, fill, icon, make, number, say, tell } from "./dom.js";
import { thumbnail } from "./grid.js";
import { ask } from "./requests.js";
import { heard } from "./translations.js";

// A form that takes a folder, typed or chosen, and starts. `started` is called when a run begins.
let forms = 0;

export function folderForm(started) {
  const id = `folder-path-${(forms += 1)}`;
  const look = async () => {
    const folder = await chooseFolder(say("folder.title"), input.value.trim()).catch((error) => tell(error.message));
    if (folder) input.value = folder;
    input.focus();
  };
  const input = make("input", {
    type: "text",
    id,
    class: "field",
    placeholder: say("folder.placeholder"),
    autocomplete: "off",
    spellcheck: "false",
  });
  const problem = make("p", { class: "warning", role: "alert" });
  const form = make(
    "form",
    {
      class: "folder-form",
      onsubmit: async (event) => {
        event.preventDefault();
        problem.textContent = "";
        if (!input.value.trim()) {
          await look();
          return;
        }
        try {
          await ask("/api/index", { body: { folders: [input.value] } });
          input.value = "";
          started();
        } catch (error) {
          problem.textContent = error.message;
        }
      },
    },
    make("label", { for: id }, say("folder.label")),
    make(
      "div",
      { class: "line" },
      input,
      make("button", { type: "button", class: "plain", onclick: look }, icon("folder"), say("folder.browse")),
      make("button", { type: "submit", class: "primary" }, say("folder.start")),
    ),
    problem,
  );
  return form;
}

// The state of a run, redrawn as it goes on.
export class ProgressCard {
  // `brief`: what a run found away is said elsewhere on the page.
  constructor({ brief = false } = {}) {
    this.brief = brief;
    this.title = make("h2", {});
    this.facts = make("p", { class: "quiet" });
    this.bar = make("progress", { max: 1, "aria-label": say("index.progress") });
    this.strip = make("div", { class: "strip", "aria-hidden": "true" });
    this.problems = make("details", { class: "problems" });
    this.stop = make(
      "button",
      { type: "button", class: "plain", onclick: () => ask("/api/stop", { body: {} }).catch((error) => tell(error.message)) },
      say("index.stop"),
    );
    this.element = make(
      "section",
      { class: "card progress", hidden: true, "aria-label": say("index.progress") },
      make("div", { class: "line" }, this.title, this.stop),
      this.bar,
      this.facts,
      this.strip,
      this.problems,
    );
  }

  show(progress) {
    this.element.dataset.state = progress.state;
    const told = this.brief && progress.state === "done" && progress.absent.length && !progress.indexed && !progress.failed;
    this.element.hidden = progress.state === "idle" || Boolean(told);
    this.stop.hidden = !progress.running;
    this.bar.hidden = !progress.running;
    const values = { count: progress.done, total: progress.total };
    const { absent } = progress;
    const hidden = absent.reduce((sum, one) => sum + one.hidden, 0);
    if (progress.state === "failed") this.title.textContent = say("index.failed_run");
    else if (progress.state === "done" && absent.length) this.title.textContent = away({ hidden });
    else this.title.textContent = say(`index.${progress.state}`, values);
    if (["indexing", "encoding"].includes(progress.state) && progress.total) this.bar.value = progress.done / progress.total;
    else this.bar.removeAttribute("value");
    const facts = progress.running ? [] : absent.map((one) => one.path);
    if (["indexing", "encoding"].includes(progress.state)) {
      if (progress.rate) facts.push(say("index.rate", { rate: number(progress.rate, progress.rate < 10 ? 1 : 0) }));
      if (progress.seconds_left) facts.push(say("index.left", { time: duration(progress.seconds_left) }));
    }
    if (!progress.running && progress.state !== "idle") {
      facts.push(say("index.added", { count: progress.indexed }));
      if (progress.unchanged) facts.push(say("index.unchanged", { count: progress.unchanged }));
    }
    if (progress.failed) facts.push(say("index.failed", { count: progress.failed }));
    if (progress.news) facts.push(say(`model.${progress.news}`, { name: progress.model }));
    if (progress.error) facts.push(heard(progress.error));
    this.facts.textContent = facts.join(" · ");
    this.#strip(progress.running ? (progress.newest ?? []) : []);
    this.#list(progress.problems);
  }

  #strip(photos) {
    const shown = photos.map((photo) => String(photo.id)).join();
    if (this.strip.dataset.shown === shown) return;
    this.strip.dataset.shown = shown;
    fill(
      this.strip,
      ...photos.map((photo) => make("img", { src: thumbnail(photo), alt: "", width: 72, height: 72, decoding: "async" })),
    );
  }

  #list(problems) {
    this.problems.hidden = !problems.length;
    if (this.problems.childElementCount && Number(this.problems.dataset.count) === problems.length) return;
    this.problems.dataset.count = problems.length;
    fill(
      this.problems,
      make("summary", {}, say("index.problems", { count: problems.length })),
      problemList(problems),
    );
  }
}

export function problemList(problems) {
  return make(
    "ul",
    { class: "problem-list" },
    problems.map(({ path, reason }) => make("li", {}, make("span", { class: "path" }, path), make("span", { class: "quiet" }, heard(reason)))),
  );
}
