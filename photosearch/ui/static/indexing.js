// Choosing folders, starting a run, and watching it.

import { ask, duration, icon, make, number, say, tell } from "./dom.js";
import { thumbnail } from "./grid.js";

// A form that takes a folder, typed or chosen, and starts. `started` is called when a run begins.
export function folderForm(started) {
  const input = make("input", {
    type: "text",
    id: "folder-path",
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
          browse(input);
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
    make("label", { for: "folder-path" }, say("folder.label")),
    make(
      "div",
      { class: "line" },
      input,
      make("button", { type: "button", class: "plain", onclick: () => browse(input) }, icon("folder"), say("folder.browse")),
      make("button", { type: "submit", class: "primary" }, say("folder.start")),
    ),
    problem,
  );
  return form;
}

// Lets the user walk through the folders of the machine; the chosen one is put into `input`.
async function browse(input) {
  const list = make("ul", { class: "folders" });
  const here = make("p", { class: "here" });
  const places = make("div", { class: "places" });
  const up = make("button", { type: "button", class: "plain" }, icon("up"), say("folder.up"));
  const dialog = make(
    "dialog",
    { class: "chooser", "aria-labelledby": "chooser-title" },
    make("h2", { id: "chooser-title" }, say("folder.title")),
    places,
    make("div", { class: "line" }, up, here),
    list,
    make(
      "div",
      { class: "line end" },
      make("button", { type: "button", class: "plain", onclick: () => dialog.close() }, say("cancel")),
      make(
        "button",
        {
          type: "button",
          class: "primary",
          onclick: () => {
            input.value = here.textContent;
            dialog.close();
            input.focus();
          },
        },
        say("folder.choose"),
      ),
    ),
  );
  dialog.addEventListener("close", () => dialog.remove());
  const go = async (path) => {
    let content;
    try {
      content = await ask(`/api/folders?path=${encodeURIComponent(path)}`);
    } catch (error) {
      tell(error.message);
      return;
    }
    here.textContent = content.path;
    up.disabled = content.parent === null;
    up.onclick = () => go(content.parent);
    const entry = (folder) =>
      make("button", { type: "button", class: "plain", onclick: () => go(folder.path) }, icon("folder"), folder.name);
    places.replaceChildren(...content.suggestions.map(entry));
    const found = content.folders.map((folder) => make("li", {}, entry(folder)));
    list.replaceChildren(...(found.length ? found : [make("li", { class: "quiet" }, say("folder.none"))]));
  };
  document.body.append(dialog);
  dialog.showModal();
  await go(input.value.trim());
  if (!here.textContent) await go("");
}

// The state of a run, redrawn as it goes on.
export class ProgressCard {
  constructor() {
    this.title = make("h2", {});
    this.facts = make("p", { class: "quiet" });
    this.bar = make("progress", { max: 1, "aria-label": say("index.progress") });
    this.strip = make("div", { class: "strip", "aria-hidden": "true" });
    this.problems = make("details", { class: "problems" });
    this.stop = make(
      "button",
      { type: "button", class: "plain", onclick: () => ask("/api/stop", { body: {} }) },
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
    this.element.hidden = progress.state === "idle";
    this.stop.hidden = !progress.running;
    this.bar.hidden = !progress.running;
    const values = { count: progress.done, total: progress.total };
    this.title.textContent = say(progress.state === "failed" ? "index.failed_run" : `index.${progress.state}`, values);
    if (progress.state === "indexing" && progress.total) this.bar.value = progress.done / progress.total;
    else this.bar.removeAttribute("value");
    const facts = [];
    if (progress.state === "indexing") {
      if (progress.rate) facts.push(say("index.rate", { rate: number(progress.rate, progress.rate < 10 ? 1 : 0) }));
      if (progress.seconds_left) facts.push(say("index.left", { time: duration(progress.seconds_left) }));
    }
    if (!progress.running && progress.state !== "idle") {
      facts.push(say("index.added", { count: progress.indexed }));
      if (progress.unchanged) facts.push(say("index.unchanged", { count: progress.unchanged }));
    }
    if (progress.failed) facts.push(say("index.failed", { count: progress.failed }));
    if (progress.error) facts.push(progress.error);
    this.facts.textContent = facts.join(" · ");
    this.#strip(progress.running ? (progress.newest ?? []) : []);
    this.#list(progress.problems);
  }

  #strip(photos) {
    const shown = photos.map((photo) => String(photo.id)).join();
    if (this.strip.dataset.shown === shown) return;
    this.strip.dataset.shown = shown;
    this.strip.replaceChildren(
      ...photos.map((photo) => make("img", { src: thumbnail(photo), alt: "", width: 72, height: 72, decoding: "async" })),
    );
  }

  #list(problems) {
    this.problems.hidden = !problems.length;
    if (this.problems.childElementCount && Number(this.problems.dataset.count) === problems.length) return;
    this.problems.dataset.count = problems.length;
    this.problems.replaceChildren(
      make("summary", {}, say("index.problems", { count: problems.length })),
      problemList(problems),
    );
  }
}

export function problemList(problems) {
  return make(
    "ul",
    { class: "problem-list" },
    problems.map(({ path, reason }) => make("li", {}, make("span", { class: "path" }, path), make("span", { class: "quiet" }, reason))),
  );
}
