// What was understood of the text in the box, as chips that can be taken off or taken otherwise.

import { asItIs, asSeen, instead, meaningOf, units } from "./chips.js";
import { fill, icon, make, say } from "./dom.js";

const KINDS = ["filter", "words", "unlike"];

export class Understood {
  // `input` is the box; `put` is called with another text for it.
  constructor(input, put) {
    Object.assign(this, { input, put });
    this.element = make("ul", { class: "chips", "aria-label": say("search.understood") });
  }

  // Shows the parts of a text, the `query`.
  show(parts, query) {
    fill(
      this.element,
      // What is asked stands first: on a phone the rest has to be scrolled to.
      ...parts.filter((part) => part.readings).map((part) => this.#which(part)),
      ...parts.filter((part) => KINDS.includes(part.kind) || (part.kind === "like" && part.name !== "text")).map((part) => this.#chip(part)),
      ...parts.filter((part) => part.kind === "fact").map((part) => this.#fact(part)),
      ...parts.filter((part) => part.read_as).map((part) => this.#takenAs(part, query)),
    );
  }

  #chip(part) {
    const negative = part.kind === "unlike" ? say("search.without", { what: part.meaning }) : meaningOf(part);
    const photo = part.name === "photo" && /^\d+$/.test(part.meaning);
    return this.#chipOf(part, photo ? [make("img", { src: `/api/thumbnail/${part.meaning}`, alt: "" }), say("search.like_this")] : [negative], {
      label: say("search.remove", { what: negative }),
      with: "",
    });
  }

  // What words name. Taken off, they only say what is seen; a filter leaves nothing but what is known.
  #fact(part) {
    const chip = this.#chipOf(part, [say("search.fact", { what: part.meaning, kind: say(`fact.${part.name}`) })], {
      label: say("search.fact_seen", { what: part.meaning }),
      with: asSeen(this.input.value.trim(), part),
    });
    if (!part.filter) return chip;
    const label = say("search.fact_only", { filter: part.filter });
    chip.lastChild.before(make("button", { type: "button", class: "remove", "aria-label": label, title: label, onclick: () => this.#put(part, part.filter) }, icon("check")));
    return chip;
  }

  // A name that may mean several people, or a place or a word as well: which, is asked.
  #which(part) {
    const called = ({ kind, name }) => (kind === "person" ? name : kind === "look" ? say("search.reading_look") : say("search.fact", { what: name, kind: say(`fact.${kind}`) }));
    const choices = part.readings.map((one) =>
      make("button", { type: "button", class: "plain slim", title: one.filter, onclick: () => this.#put(part, one.filter) }, called(one)),
    );
    const what = this.#textOf(part);
    const label = say("search.which", { what });
    return make("li", { class: "chip which" }, make("div", { role: "group", "aria-label": label }, make("span", {}, label), choices));
  }

  // What stands in the box for a part, without the name of a filter.
  #textOf(part) {
    const text = [...this.input.value.trim()].slice(part.start, part.end).join("");
    return part.kind === "filter" ? text.replace(/^\w+:/, "").replaceAll('"', "") : text;
  }

  // Of words in another language: the English that the model is given. Taken off, they are read as
  // they are.
  #takenAs(part, query) {
    return this.#chipOf(part, [say("search.taken_as", { what: part.read_as })], {
      label: say("search.as_it_is", { what: part.meaning }),
      with: asItIs(query, part),
    });
  }

  // A chip that selects its part of the text, and a button that puts another text there.
  #chipOf(part, content, { label, with: other }) {
    const edit = () => {
      this.input.focus();
      const before = this.input.value.length - this.input.value.trimStart().length;
      const text = this.input.value.trim();
      this.input.setSelectionRange(units(text, part.start) + before, units(text, part.end) + before);
    };
    return make(
      "li",
      { class: "chip" },
      make("button", { type: "button", class: "text", title: say("search.edit"), onclick: edit }, ...content),
      make("button", { type: "button", class: "remove", "aria-label": label, onclick: () => this.#put(part, other) }, icon("close")),
    );
  }

  // Puts another text into the box in the place of a part.
  #put(part, other) {
    this.put(instead(this.input.value.trim(), part, other));
    this.input.focus();
  }
}
