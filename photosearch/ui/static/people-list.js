// The people in Browse: a card each, strangers behind them, and above them what is asked about faces.
// While faces are looked for there are others again and again: what says the same stays as it is.

import { AbovePeople } from "./above-people.js";
import { keep, make, say } from "./dom.js";
import { fetchPeople, personCard, strangers } from "./people.js";
import { mergeByDragging } from "./people-drag.js";

export class PeopleList {
  // `cards`, `tools` and `nothing` are parts of the page; `open` shows the photos of one, and `wanted`
  // tells whether people are what the page shows.
  constructor({ cards, tools, nothing, open, wanted }) {
    Object.assign(this, { cards, tools, nothing, open, wanted });
    this.everybody = [];
    this.above = new AbovePeople(() => this.renew());
    this.hidden = make("input", { type: "checkbox", onchange: () => this.show(this.everybody) });
    this.withHidden = make("label", { class: "check" }, this.hidden, say("people.with_hidden"));
    mergeByDragging(cards, () => this.renew());
    // Nothing moves under somebody who drags.
    cards.addEventListener("dragend", () => this.late && this.renew());
  }

  // Others than before, perhaps.
  async renew() {
    if (!this.wanted()) return;
    const people = await fetchPeople().catch(() => null);
    if (people && this.wanted()) await this.show(people);
  }

  // `none` says it where there is nobody; without it that depends on whether faces can be looked for.
  async show(people, none) {
    const atOnce = people === this.everybody || !this.cards.children.length;
    this.everybody = people;
    const turn = (this.turn = {});
    const shown = () => turn === this.turn && this.wanted();
    const named = people
      .filter((one) => !one.hidden || this.hidden.checked)
      .map((one) => said(personCard(one, () => this.open(one)), one));
    // Others than before come together with the strangers, of whom they may have been some.
    if (atOnce) this.#draw([...named, ...this.cards.querySelectorAll(".stranger")]);
    if (!people.some((one) => one.hidden)) this.withHidden.remove();
    else if (!this.withHidden.isConnected) this.tools.append(this.withHidden);
    const above = this.above.show(shown);
    const others = await strangers(() => this.everybody.map(({ name }) => name), () => this.renew());
    if (shown()) this.#draw([...named, ...others.map(({ card, group }) => said(card, group))]);
    await above;
    if (!shown()) return;
    const text = none ?? say(this.above.offered ? "browse.no_person" : "browse.nobody");
    this.nothing.textContent = this.cards.children.length ? "" : text;
  }

  #draw(cards) {
    this.late = Boolean(this.cards.querySelector(".dragged"));
    if (!this.late) keep(this.cards, cards);
  }
}

// What a card says, by which `keep` knows it again.
const said = (card, what) => Object.assign(card, { said: JSON.stringify(what) });
