// Whether two groups of faces are the same person: one question at a time, that which is worth most.

import { fill, make, say, tell } from "./dom.js";
import { faceOf } from "./people.js";
import { ask } from "./requests.js";

const KEYS = { y: "yes", n: "no", u: "unsure" };

export class SamePerson {
  // `changed` is called when an answer has put faces elsewhere.
  constructor(changed) {
    this.changed = changed;
    this.element = make("section", { class: "card same-person", hidden: true, "aria-live": "polite", onkeydown: (event) => this.#key(event) });
  }

  async ask() {
    const found = await ask("/api/faces/question").catch(() => null);
    if (found) this.#show(found);
  }

  #show({ count, question }) {
    this.element.hidden = !question;
    this.question = question;
    if (!question) return fill(this.element);
    const [first, second] = question.sides;
    const focused = this.element.contains(document.activeElement);
    const button = (answer, main) => make("button", { type: "button", class: main ? "primary" : "plain", "data-answer": answer, onclick: () => this.#answer(answer) }, say(`faces.${answer}`));
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
    this.#answer(answer);
  }

  async #answer(answer) {
    const { question } = this;
    if (!question || this.busy) return;
    const [group, other] = question.sides.map(({ id }) => id);
    const send = async (said) => {
      this.busy = true;
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
    if (await send(answer)) tell(say(`faces.said_${answer}`), { text: say("rating.undo"), press: () => send("undo") });
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
