// What can be chosen of one or more facets, with how many photos of the search have it.

import { asking, without } from "./chips.js";
import { make, say } from "./dom.js";
import { DateChoices } from "./filter-dates.js";
import { ListOfChoices } from "./filter-list.js";
import { ask } from "./requests.js";
import { Turns } from "./turns.js";

export class FilterPanel {
  // `asked` and `put` as for the row of filters.
  constructor(facets, { asked, put }) {
    Object.assign(this, { facets, asked, put });
    this.shown = false;
    const choose = (choice) => this.#choose(choice);
    const list = (name) => (name === "date" ? new DateChoices(choose, (texts) => this.#between(texts)) : new ListOfChoices(name, choose, facets.length > 1));
    this.lists = Object.fromEntries(facets.map((name) => [name, list(name)]));
    this.problem = make("p", { class: "warning", role: "alert" });
    this.nothing = make("p", { class: "quiet" });
    this.clear = make("button", { type: "button", class: "plain slim", hidden: true, onclick: () => this.#clear() }, say("filters.clear"));
    this.element = make("div", { class: "panel" }, this.problem, this.nothing, Object.values(this.lists).map((list) => list.element), this.clear);
    this.turns = new Turns(this.element);
  }

  // Counts anew for what the box says now.
  load() {
    const { q, picture, everything } = this.asked();
    const asked = new URLSearchParams({ q });
    if (picture) asked.set("picture", picture);
    if (everything) asked.set("everything", "true");
    for (const name of this.facets) asked.append("of", name);
    const levels = this.lists.date ? this.lists.date.levels(q) : [""];
    const fetch = () => Promise.all(levels.map((within) => ask(`/api/facets?${asked}${within && `&within=${within}`}`)));
    return this.turns
      .take(`${this.facets} ${levels} ${q}`, fetch, (found) => this.#show(q, found))
      .catch((error) => (this.problem.textContent = error.message));
  }

  #show(text, levels) {
    this.problem.textContent = "";
    this.text = text;
    const [found] = levels;
    const focused = this.element.contains(document.activeElement) ? document.activeElement.dataset.filter : undefined;
    for (const facet of found) this.lists[facet.name].show(facet, levels.map(([one]) => one.choices), text);
    this.parts = found.flatMap((facet) => facet.parts);
    this.clear.hidden = !this.parts.length;
    this.nothing.textContent = found.some((facet) => facet.choices.length) ? "" : say("filters.nothing");
    if (focused) [...this.element.querySelectorAll("[data-filter]")].find((one) => one.dataset.filter === focused)?.focus({ preventScroll: true });
  }

  // Where its parts stand is known for one text only.
  get #current() {
    return this.asked().q === this.text;
  }

  #choose({ filter, parts, replaces }) {
    if (!this.#current) return;
    this.#write(parts.length ? without(this.text, parts) : asking(this.text, filter, replaces));
  }

  // From one date, as it was typed, to another; either may be empty.
  #between(texts) {
    if (!this.#current) return;
    const limits = Object.entries(texts).map(([name, typed]) => [name, typed.replaceAll('"', "").trim()]);
    const filters = limits.filter(([, typed]) => typed).map(([name, typed]) => `${name}:${/\s/.test(typed) ? `"${typed}"` : typed}`);
    this.#write(asking(this.text, filters.join(" "), this.parts));
  }

  #clear() {
    if (this.#current) this.#write(without(this.text, this.parts));
  }

  // The answer to the new text draws the panel again.
  #write(text) {
    this.element.setAttribute("aria-busy", "true");
    this.put(text);
  }
}
