// What is not there now: folders whose drive is not connected, or the library itself.

import { fill, make, say } from "./dom.js";

// Says of one folder what is so, and what becomes of its photos.
export const away = ({ hidden }) => say(hidden ? "folder.away" : "folder.away_shown", { count: hidden });

export class Absent {
  constructor() {
    this.folders = make("ul", {});
    this.problem = make("p", {});
    this.element = make("section", { class: "card absent", role: "status", hidden: true }, this.problem, this.folders);
  }

  // `folders` are those of the state; `problem` is why there is no state.
  show({ folders = [], problem = "" }) {
    const told = JSON.stringify([folders, problem]);
    if (told === this.told) return;
    this.told = told;
    this.problem.textContent = problem;
    fill(
      this.folders,
      folders.map((one) => make("li", {}, make("strong", { class: "path" }, one.path), " ", make("span", {}, away(one)))),
    );
    this.element.hidden = !(folders.length || problem);
  }
}
