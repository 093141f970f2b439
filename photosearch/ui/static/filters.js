// The row of filters beneath the search box: of each what can be chosen, and how many photos of the
// search have it. They write into the box, which stays the truth: what is pressed here is what stands
// there. On a phone one button opens all of them.

import { icon, make, say } from "./dom.js";
import { FilterPanel } from "./filter-panel.js";
import { ask } from "./requests.js";
import { Turns } from "./turns.js";

// What each button opens.
const GROUPS = {
  date: ["date"],
  place: ["place"],
  people: ["person", "count"],
  camera: ["camera"],
  type: ["kind", "shape", "format"],
  more: ["rating", "favourite", "album", "folder", "size", "text"],
};

export class FilterRow {
  // `asked` gives what the search depends on beside the text: {q, picture, everything}; `put` puts
  // another text into the box.
  constructor({ asked, put }) {
    this.set = {};
    this.groups = Object.entries(GROUPS).map(([name, facets]) => this.#group(name, facets, { asked, put }));
    this.number = make("span", { class: "number" });
    this.all = make(
      "button",
      { type: "button", class: "plain slim every", "aria-haspopup": "dialog", onclick: () => this.#open() },
      icon("filter"),
      say("filters.title"),
      this.number,
    );
    this.element = make("div", { class: "filters waiting", role: "group", "aria-label": say("filters.title") }, this.all, this.groups.flatMap((one) => [one.button, one.popover]));
    this.turns = new Turns(this.element);
    this.done = make("button", { type: "button", class: "primary", onclick: () => this.sheet.close() });
    this.sheet = make(
      "dialog",
      { class: "filter-sheet", "aria-labelledby": "filter-sheet-title" },
      make("div", { class: "line between" }, make("h2", { id: "filter-sheet-title" }, say("filters.title")), this.#close(() => this.sheet.close())),
      make("div", { class: "every-group" }, this.groups.map((one) => one.fold)),
      this.done,
    );
    document.body.append(this.sheet);
    this.#mark();
  }

  // What the library has of it may be another.
  changed() {
    return this.turns
      .take("known", () => ask("/api/facets/known"), (known) => {
        for (const { button, fold, facets } of this.groups) button.hidden = fold.hidden = !facets.some((name) => known.includes(name));
        this.element.classList.remove("waiting");
      })
      .catch(() => {});
  }

  // There is another answer to what is asked.
  show({ set = {}, total }) {
    this.set = set;
    this.#mark();
    this.done.textContent = total === undefined ? say("filters.done") : say("filters.show", { count: total });
    for (const { panels } of this.groups) for (const panel of panels) if (panel.shown) panel.load();
  }

  #mark() {
    const count = (facets) => facets.reduce((sum, name) => sum + (this.set[name] ?? 0), 0);
    for (const { button, told, facets } of this.groups) {
      const some = count(facets);
      button.classList.toggle("set", some > 0);
      for (const one of told) one.textContent = some || "";
    }
    this.number.textContent = count(Object.values(GROUPS).flat()) || "";
    this.all.classList.toggle("set", Boolean(this.number.textContent));
  }

  // A button with its popover, and the same for the sheet.
  #group(name, facets, how) {
    const label = say(`filters.${name}`);
    const panels = [new FilterPanel(facets, how), new FilterPanel(facets, how)];
    const told = [0, 1].map(() => make("span", { class: "number" }));
    const popover = make(
      "div",
      { class: "filter-choices", popover: "auto", role: "dialog", "aria-label": label, id: `filter-${name}`, tabindex: "-1" },
      panels[0].element,
    );
    const button = make(
      "button",
      { type: "button", class: "plain slim one", "aria-haspopup": "dialog", popovertarget: popover.id },
      label,
      told[0],
      icon("down"),
    );
    popover.addEventListener("toggle", ({ newState }) => {
      panels[0].shown = newState === "open";
      button.setAttribute("aria-expanded", String(panels[0].shown));
      if (!panels[0].shown) return;
      const { left, bottom } = button.getBoundingClientRect();
      const most = document.documentElement.clientWidth - popover.offsetWidth - 12;
      popover.style.top = `${bottom + scrollY + 6}px`;
      popover.style.left = `${Math.max(12, Math.min(left, most))}px`;
      popover.focus({ preventScroll: true });
      panels[0].load();
    });
    const fold = make("details", {}, make("summary", {}, make("span", {}, label), told[1], icon("down")), panels[1].element);
    fold.addEventListener("toggle", () => {
      panels[1].shown = fold.open && this.sheet.open;
      if (panels[1].shown) panels[1].load();
    });
    return { name, facets, button, popover, fold, panels, told };
  }

  #open() {
    this.sheet.showModal();
    for (const { fold, panels } of this.groups) {
      panels[1].shown = fold.open;
      if (fold.open) panels[1].load();
    }
  }

  #close(close) {
    return make("button", { type: "button", class: "plain slim", "aria-label": say("close"), onclick: close }, icon("close"));
  }
}
