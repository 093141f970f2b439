// What a search finds on a map, in place of the list; the map itself is read when it is first asked for.

import { asking } from "./chips.js";
import { icon, make, say } from "./dom.js";

export class ResultsMap {
  // `switched` is called when somebody asks for the map or for the list, `put` with a text for the box.
  constructor({ viewer, selection, switched, put }) {
    Object.assign(this, { viewer, selection, put });
    this.on = false;
    const label = say("search.on_map");
    this.button = make(
      "button",
      {
        type: "button",
        class: "plain slim on-map",
        "aria-pressed": "false",
        "aria-label": label,
        title: label,
        onclick: () => {
          this.turn(!this.on);
          switched();
        },
      },
      icon("map"),
      make("span", { class: "long" }, say("search.map")),
    );
    this.nothing = make("p", { class: "quiet", role: "status" });
    this.element = make("div", { class: "results-map", hidden: true }, this.nothing);
    this.asked = { question: "", text: "", spans: [] };
  }

  // Whether the map is asked for.
  turn(on) {
    this.on = on;
    this.button.setAttribute("aria-pressed", String(on));
  }

  get shows() {
    return !this.element.hidden;
  }

  // The list of photos below it.
  get grid() {
    return this.shows ? (this.map?.grid ?? null) : null;
  }

  // Shows what `found` answers: `question` is it for the server, `text` what the box says. Without an
  // answer there is no map.
  async show(question, text, found) {
    this.element.hidden = !this.on || !found?.hits.length;
    if (!this.shows) {
      this.map?.clear();
      return;
    }
    const spans = found.parts.filter(({ kind, name }) => kind === "filter" && name === "area").map(({ start, end }) => [start, end]);
    this.asked = { question, text, spans };
    this.nothing.textContent = "";
    try {
      await this.#draw(question);
    } catch (error) {
      if (this.asked.question === question) this.nothing.textContent = error.message;
    }
  }

  async #draw(question) {
    if (!this.map) {
      const { PhotoMap } = await import("./map.js");
      // An area takes the place of the one that was searched before.
      this.map ??= new PhotoMap(this.viewer, this.selection, (area) => this.put(asking(this.asked.text, area, this.asked.spans)));
      if (!this.map.element.isConnected) this.element.append(this.map.element);
    }
    // What was asked for meanwhile is on its way by itself.
    if (this.asked.question !== question) return;
    const there = await this.map.show(question);
    if (this.asked.question === question) this.nothing.textContent = there ? "" : say("search.no_map");
  }
}
