// A list of choices of one facet: places below their countries, cameras, stars.

import { fill, icon, make, number, say } from "./dom.js";
import { countryName, townName } from "./place-names.js";

// Choices among which one has to search.
const LONG = 12;
// In the words of the page; all others are names.
const IN_WORDS = ["kind", "shape", "size", "favourite", "text", "count"];

export class ListOfChoices {
  // `choose` is called with the choice that was pressed; `titled` where there are other lists beside.
  constructor(name, choose, titled) {
    Object.assign(this, { name, choose, titled });
    const label = say(`filters.${name}`);
    this.field = make("input", { type: "search", class: "field slim", placeholder: say("filters.search"), "aria-label": `${say("filters.search")}: ${label}`, hidden: true, autocomplete: "off" });
    this.field.addEventListener("input", () => this.#sift());
    this.items = make("ul", { "aria-label": label });
    this.element = make("section", { class: `choices of-${name}` }, titled ? make("h3", {}, label) : null, this.field, this.items);
  }

  show({ choices }) {
    this.element.hidden = !choices.length;
    const above = this.name === "folder" ? commonFolder(choices.map((one) => one.value)) : "";
    const { scrollTop } = this.items;
    fill(this.items, choices.map((choice) => this.#item(choice, this.#label(choice, above))));
    this.items.scrollTop = scrollTop;
    this.field.hidden = choices.length <= LONG;
    this.#sift();
  }

  #item(choice, label) {
    const item = make(
      "li",
      { class: choice.under && "under" },
      make(
        "button",
        {
          type: "button",
          class: "choice",
          "aria-pressed": String(choice.parts.length > 0),
          "data-filter": choice.filter,
          title: this.name === "folder" ? choice.value : null,
          onclick: () => this.choose(choice),
        },
        icon("check"),
        make("span", { class: "name" }, label),
        make("span", { class: "quiet" }, number(choice.count)),
      ),
    );
    item.dataset.text = `${label} ${choice.value} ${choice.under}`.toLocaleLowerCase();
    return item;
  }

  #label({ value, under }, above) {
    if (this.name === "place") return under ? townName(value, under) : countryName(value);
    if (this.name === "rating") return value === "5" ? "★★★★★" : say("filters.stars", { stars: "★".repeat(Number(value)) });
    if (this.name === "format") return value.toUpperCase();
    if (this.name === "folder") return value.slice(above.length) || value;
    return IN_WORDS.includes(this.name) ? say(`filters.${this.name}_${value}`) : value;
  }

  #sift() {
    const wanted = this.field.hidden ? "" : this.field.value.trim().toLocaleLowerCase();
    for (const item of this.items.children) item.hidden = !item.dataset.text.includes(wanted);
  }
}

// What all of these paths begin with, up to a separator.
export function commonFolder(paths) {
  if (paths.length < 2) return "";
  const [first, last] = [paths[0], paths.at(-1)];
  let same = 0;
  while (same < first.length && first[same] === last[same]) same += 1;
  return /^.*[/\\]/s.exec(first.slice(0, same))?.[0] ?? "";
}
