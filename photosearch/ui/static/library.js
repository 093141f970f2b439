// The page about the library: folders, problems, model.

import { ask, make, number, say, tell } from "./dom.js";
import { folderForm, problemList } from "./indexing.js";

export class LibraryPage {
  constructor(place, card, started) {
    this.started = started;
    this.overview = make("dl", { class: "overview" });
    this.folders = make("ul", { class: "known" });
    this.problems = make("div", {});
    place.replaceChildren(
      make("h1", { class: "unseen" }, say("tab.library")),
      card.element,
      make("section", { class: "card" }, make("h2", {}, say("library.overview")), this.overview),
      make(
        "section",
        { class: "card" },
        make("h2", {}, say("library.folders")),
        this.folders,
        folderForm(started),
        make("button", { type: "button", class: "plain", onclick: () => this.#again(false) }, say("library.again")),
      ),
      make("section", { class: "card" }, make("h2", {}, say("library.problems")), this.problems),
    );
  }

  async refresh(state) {
    const facts = [
      [say("library.photos"), number(state.photos)],
      [say("library.missing"), state.missing ? number(state.missing) : null],
      [say("library.waiting"), state.photos + state.missing > state.encoded ? number(state.photos + state.missing - state.encoded) : null],
      [say("library.model"), state.model],
      [say("library.place"), state.library],
    ];
    this.overview.replaceChildren(
      ...facts.filter(([, value]) => value !== null).flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]),
    );
    this.folders.replaceChildren(
      ...(state.folders.length
        ? state.folders.map((folder) => make("li", { class: "path" }, folder))
        : [make("li", { class: "quiet" }, say("library.no_folder"))]),
    );
    if (!state.problems) {
      this.problems.replaceChildren(make("p", { class: "quiet" }, say("library.no_problem")));
      return;
    }
    const problems = await ask("/api/problems");
    this.problems.replaceChildren(
      make("p", {}, say("index.problems", { count: problems.length })),
      problemList(problems),
      make("button", { type: "button", class: "plain", onclick: () => this.#again(true) }, say("library.retry")),
    );
  }

  async #again(retry) {
    try {
      await ask("/api/index", { body: { folders: [], retry } });
      this.started();
    } catch (error) {
      tell(error.message);
    }
  }
}
