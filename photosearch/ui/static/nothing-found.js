// Where nothing is found: which words failed, what is near, what one part fewer finds, and the photos
// that come closest.

import { fill, make, say } from "./dom.js";
import { Grid } from "./grid.js";
import { ask } from "./requests.js";
import { Turns } from "./turns.js";

// Photos that come closest: two rows of them.
export const FEW = 12;
// Milliseconds without another letter, before it is worked out.
const PAUSE = 300;

export class Nothing {
  // `put` is given the text that is to be searched for instead.
  constructor({ put, viewer, selection }) {
    this.put = put;
    this.help = make("div", { class: "help" });
    this.heading = make("h3", {}, say("nothing.closest"));
    this.grid = new Grid({ label: say("nothing.closest"), selection, more: () => null, open: (at) => viewer.open(this.grid, at) });
    this.weaker = make("div", { hidden: true }, this.grid.element);
    this.element = make("section", { class: "instead", "aria-label": say("nothing.label"), hidden: true }, this.help, this.weaker);
    this.turns = new Turns(this.element);
  }

  hide() {
    this.turns.drop();
    this.element.hidden = true;
    this.weaker.hidden = true;
    this.heading.remove();
    fill(this.help);
  }

  // `found` is what a search gave, null where there was none, and `asked` what was asked for with it.
  show(found, asked) {
    if (!found || found.hits.length) {
      this.hide();
      return;
    }
    if (this.turns.asks(asked)) return;
    this.hide();
    this.element.hidden = false;
    const query = new URLSearchParams(asked);
    const find = async () => {
      await new Promise((done) => setTimeout(done, PAUSE));
      if (!this.turns.asks(asked)) return [];
      // Of a picture there are no words that could fail.
      const instead = query.has("picture") ? null : ask(`/api/instead?${new URLSearchParams({ q: query.get("q") })}`);
      const weaker = found.beyond ? ask(`/api/search?${asked}&everything=true&limit=${FEW}`) : null;
      return Promise.all([instead, weaker]);
    };
    // What goes wrong with it is told of at the next search.
    this.turns.take(asked, find, (answers) => this.#show(...answers)).catch(() => this.hide());
  }

  #show(instead, weaker) {
    this.weaker.hidden = !weaker?.hits.length;
    if (!this.weaker.hidden) {
      this.weaker.prepend(this.heading);
      this.grid.show({ hits: weaker.hits, more: false });
    }
    if (!instead) return;
    const { failed, nearest, fewer } = instead;
    fill(
      this.help,
      failed.length ? make("p", {}, say("nothing.failed", { what: failed.map((one) => say("nothing.quoted", { what: one })).join(", ") })) : null,
      nearest.length ? this.#row("nothing.try", nearest, (one) => this.#near(one)) : null,
      fewer.length ? this.#row("nothing.fewer", fewer, (one) => say("nothing.without", { count: one.count, what: one.what })) : null,
    );
  }

  #row(key, found, label) {
    const button = (one) => make("button", { type: "button", class: "plain", onclick: () => this.put(one.text) }, label(one));
    return make("div", { class: "line" }, make("span", { class: "quiet" }, say(key)), ...found.map(button));
  }

  #near({ label, count, kilometres }) {
    const named = say("nothing.named", { what: label, count });
    return kilometres === null ? named : say("nothing.away", { what: named, distance: Math.round(kilometres) });
  }
}
