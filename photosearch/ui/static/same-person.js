// Whether two groups of faces are the same person: one question at a time, that which is worth most.

import { fill, make, say, tell } from "./dom.js";
import { faceOf } from "./people.js";
import { ask } from "./requests.js";

// The same in all languages, and shown on the buttons.
const KEYS = { y: "yes", n: "no", u: "unsure" };
const KEY_OF = { yes: "Y", no: "N", unsure: "U" };

export class SamePerson {
  // `changed` is called when an answer has put faces elsewhere.
  constructor(changed) {
    this.changed = changed;
    this.element = make("section", { class: "card same-person", hidden: true, "aria-live": "polite", onkeydown: (event) => this.#key(event) });
  }

  // Not while somebody is about to answer: the pair would be another under the finger.
  async ask() {
    const turn = (this.turn = {});
    const found = await ask("/api/faces/question").catch(() => null);
    const answering = this.question && this.element.contains(document.activeElement);
    if (found && turn === this.turn && !this.busy && !answering) this.#show(found);
  }

  #show({ count, question }) {
    const told = JSON.stringify({ count, question });
    if (told === this.told) return;
    this.told = told;
    this.element.hidden = !question;
    this.question = question;
    if (!question) return fill(this.element);
    const [first, second] = question.sides;
    const focused = this.element.contains(document.activeElement);
    const button = (answer, main) => make("button", { type: "button", class: main ? "primary" : "plain", "data-answer": answer, "aria-keyshortcuts": KEY_OF[answer], onclick: () => this.#answer(answer) }, say(`faces.${answer}`), make("kbd", { "aria-hidden": "true" }, KEY_OF[answer]));
    fill(
      this.element,
      make(
        "div",
        { class: "line between" },
        make("h2", {}, first.name ? say("faces.question_named", { name: first.name }) : say("faces.question")),
        make("span", { class: "quiet" }, say("faces.more", { count })),
      ),
      make("div", { class: "sides" }, side(first), side(second)),
      make("p", { class: "quiet" }, say(first.name ? "faces.names" : "faces.joins", { count: question.photos })),
      make("div", { class: "line" }, button("yes", true), button("no"), button("unsure")),
    );
    if (focused) this.element.querySelector("[data-answer=yes]").focus();
  }

  #key(event) {
    const answer = KEYS[event.key.toLowerCase()];
    if (!answer || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    // A key that is held answers once: nobody has seen the next question yet.
    if (!event.repeat) this.#answer(answer);
  }

  async #answer(answer) {
    const { question } = this;
    if (!question || this.busy) return;
    const [group, other] = question.sides.map(({ id }) => id);
    const send = async (said) => {
      this.busy = true;
      this.turn = {};
      try {
        this.#show(await ask("/api/faces/answer", { body: { group, other, answer: said } }));
        if (answer === "yes") this.changed();
        return true;
      } catch (error) {
        tell(error.message);
        return false;
      } finally {
        this.busy = false;
      }
    };
    if (await send(answer)) tell(say(`faces.said_${answer}`), () => send("undo"));
  }
}

function side({ name, count, faces }) {
  return make(
    "figure",
    {},
    make("div", { class: "some-faces" }, faces.map((face) => make("img", { src: faceOf(face), alt: "", width: 96, height: 96, decoding: "async" }))),
    make("figcaption", {}, make("strong", {}, name ?? say("faces.unnamed")), make("span", { class: "quiet" }, say("browse.count", { count }))),
  );
}
