// Photos that are there more than once, the best of each first. Nothing is deleted here.

import { bytes, icon, make, number, say, tell } from "./dom.js";
import { describe, thumbnail } from "./grid.js";
import { copy, reveal } from "./photo.js";
import { ask } from "./requests.js";
import { Turns } from "./turns.js";

export class Duplicates {
  constructor(viewer) {
    this.viewer = viewer;
    this.near = make("input", { type: "checkbox", id: "near", onchange: () => this.look() });
    this.state = make("p", { class: "quiet", role: "status" });
    this.groups = make("ul", { class: "groups" });
    this.more = make("button", { type: "button", class: "plain", hidden: true, onclick: () => this.#extend() }, say("duplicates.more"));
    this.element = make(
      "div",
      { class: "duplicates", hidden: true },
      make("p", { class: "quiet" }, say("duplicates.text")),
      make("label", { class: "check", for: "near" }, this.near, say("duplicates.near")),
      this.state,
      this.groups,
      make("div", { class: "less" }, this.more),
    );
    this.turns = new Turns(this.element);
  }

  // Looks for them anew.
  async look() {
    const near = this.near.checked;
    this.groups.replaceChildren();
    this.more.hidden = true;
    this.shown = 0;
    this.state.className = "quiet busy";
    this.state.textContent = say(near ? "duplicates.comparing" : "library.examining");
    try {
      await this.turns.take(near ? "near" : "exact", () => this.#fetch(near), (found) => this.#show(found));
    } catch (error) {
      this.state.className = "warning";
      this.state.textContent = error.message;
    }
  }

  async #extend() {
    const { turn } = this.turns;
    this.more.disabled = true;
    try {
      const found = await this.#fetch(this.near.checked);
      if (turn === this.turns.turn) this.#add(found);
    } catch (error) {
      tell(error.message);
    } finally {
      this.more.disabled = false;
    }
  }

  #fetch(near) {
    return ask(`/api/duplicates?near=${near}&offset=${this.shown}`);
  }

  #show(found) {
    const { spare, spare_bytes: size } = found;
    this.state.className = "quiet";
    this.state.textContent = spare ? say("duplicates.spare", { count: spare, size: bytes(size) }) : say("duplicates.none");
    this.#add(found);
  }

  #add({ groups, more, next }) {
    this.shown = next;
    this.groups.append(...groups.map((group) => this.#group(group)));
    this.more.hidden = !more;
  }

  #group({ kind, similarity, spare_bytes: size, photos }) {
    const title = say(kind === "exact" ? "duplicates.exact" : "duplicates.looks", { similarity: number(similarity, 3) });
    const list = make("ul", { "aria-label": title });
    // What the viewer needs to go from one to the next.
    const grid = {
      photos,
      hasMore: false,
      reach: async (place) => place >= 0 && place < photos.length,
      focus: (place) => list.children[place]?.querySelector("button").focus(),
    };
    list.append(...photos.map((photo, place) => this.#photo(photo, place, () => this.viewer.open(grid, place))));
    return make(
      "li",
      { class: "card" },
      make("div", { class: "line between" }, make("h3", {}, title), make("span", { class: "quiet" }, say("duplicates.size", { size: bytes(size) }))),
      list,
    );
  }

  #photo(photo, place, open) {
    return make(
      "li",
      {},
      make(
        "button",
        { type: "button", class: "look", "aria-label": describe(photo), onclick: open },
        make("img", { src: thumbnail(photo), alt: "", width: 96, height: 96, loading: "lazy", decoding: "async" }),
      ),
      make(
        "div",
        {},
        place ? null : make("strong", { class: "best" }, say("duplicates.best")),
        make("div", {}, `${number(photo.width)} × ${number(photo.height)} · ${bytes(photo.bytes)}`),
        make("div", { class: "quiet path" }, photo.path),
        photo.missing ? make("div", { class: "warning" }, say("photo.missing")) : null,
        make(
          "div",
          { class: "line" },
          make("button", { type: "button", class: "plain small", onclick: () => copy(photo.path) }, icon("copy"), say("photo.copy")),
          this.viewer.local
            ? make("button", { type: "button", class: "plain small", onclick: () => reveal(photo) }, icon("open"), say("photo.reveal"))
            : null,
        ),
      ),
    );
  }
}
