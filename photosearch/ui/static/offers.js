// The models that can be downloaded: the one that suits this machine and library, and all others.

import { accept, chooseFolder } from "./choosers.js";
import { bytes, duration, fill, icon, language, make, number, say, tell } from "./dom.js";
import { Download } from "./download.js";
import { ask } from "./requests.js";
import { heard } from "./translations.js";
import { Turns } from "./turns.js";

export class Offers {
  // With `brief` the best one alone. `arrived` is called when a model is here, and whether it is
  // put to use.
  constructor({ brief = false, arrived }) {
    this.download = new Download({
      changed: (running) => this.#hold(running),
      done: async ({ use }) => {
        arrived(use);
        await this.show().catch((error) => tell(error.message));
      },
    });
    this.note = make("p", { class: "quiet", hidden: true });
    this.best = make("ul", { class: "models best" });
    this.needs = make("p", { class: "quiet" });
    this.others = make("ul", { class: "models offers" });
    this.more = make("details", {}, make("summary", {}, say("model.more")), make("p", { class: "quiet" }, say("model.more_text")), this.needs, this.others);
    this.folder = make(
      "div",
      { class: "line", hidden: true },
      make("span", { class: "quiet" }, say("model.folder_text")),
      make("button", { type: "button", class: "plain small", onclick: () => this.#fromFolder() }, icon("folder"), say("model.folder")),
    );
    this.element = make(
      "section",
      { class: "better stacked wide", hidden: true },
      make(brief ? "h2" : "h3", {}, say("model.best_title")),
      make("p", { class: "quiet" }, say("model.best_text")),
      this.note,
      this.best,
      this.download.element,
      this.download.problem,
      brief ? null : this.more,
      brief ? null : this.folder,
    );
    this.turns = new Turns(this.best);
  }

  // Asks what there is, and shows it.
  show() {
    return this.turns.take("offers", () => ask(`/api/offers?language=${language}`), (found) => this.#show(found));
  }

  #show({ needs, offline, photos, free, local, best, offers, download }) {
    Object.assign(this, { photos, free, offline, missing: needs });
    this.element.hidden = false;
    this.note.hidden = !offline && best.length > 0;
    this.note.textContent = offline ? say("model.offline") : say("model.none_fits");
    this.needs.textContent = heard(needs ?? "");
    this.folder.hidden = !local;
    fill(this.best, ...best.map((offer) => this.#offer(offer, true)));
    fill(this.others, ...offers.map((offer) => this.#offer(offer, false)));
    this.#hold(download.running);
    this.download.follow(download);
  }

  // While one comes no other can.
  #hold(running) {
    for (const button of this.element.querySelectorAll("button[data-offer]")) {
      button.disabled = running || "never" in button.dataset;
    }
  }

  #offer(offer, best) {
    const facts = [
      offer.megabytes === null ? null : bytes(offer.megabytes * 1e6),
      this.#time(offer.seconds),
      say(offer.many_languages ? "model.many_languages" : "model.english_only"),
      offer.imagenet === null || best ? null : say("model.imagenet", { share: number(offer.imagenet, 1) }),
      say("model.licence", { licence: offer.licence }),
      offer.research_only ? say("model.research") : null,
    ];
    const room = offer.disk !== null && offer.disk > this.free ? say("model.no_room", { size: bytes(offer.disk), free: bytes(this.free) }) : null;
    const memory = offer.fits ? null : say("model.too_large", { size: bytes(offer.memory) });
    const never = this.offline || room || (offer.converted && this.missing);
    return make(
      "li",
      { class: "line between" },
      make(
        "div",
        {},
        make("strong", {}, offer.name),
        make("div", { class: "quiet" }, facts.filter(Boolean).join(" · ")),
        room || memory ? make("div", { class: "warning" }, [memory, room].filter(Boolean).join(" · ")) : null,
      ),
      offer.here
        ? make("span", { class: "quiet" }, say("model.here"))
        : make(
            "button",
            {
              type: "button",
              class: best ? "primary" : "plain small",
              "aria-label": say(best ? "model.get_one" : "model.download_one", { name: offer.name }),
              "data-offer": offer.name,
              "data-never": never ? "" : null,
              onclick: () => this.#get(offer, best),
            },
            best ? null : icon("download"),
            say(best ? "model.get" : "model.download"),
          ),
    );
  }

  #time(seconds) {
    if (seconds === null) return null;
    const time = duration(seconds);
    return this.photos ? say("model.time", { time, count: this.photos }) : say("model.time_each", { time });
  }

  async #get(offer, use) {
    if (offer.research_only && !(await agreed(offer))) return;
    const licence = offer.research_only ? offer.licence : null;
    await this.download.begin("/api/download", { name: offer.name, licence, use });
  }

  async #fromFolder() {
    const path = await chooseFolder(say("model.folder_title")).catch((error) => tell(error.message));
    if (path) await this.download.begin("/api/models/add", { path });
  }
}

// Whether the licence of a model, which allows research only, is accepted.
function agreed(offer) {
  const page = `${offer.page}/blob/main/LICENSE`;
  return accept({
    title: say("model.research_title", { name: offer.name }),
    text: [
      say("model.research_text", { licence: offer.licence }),
      make("a", { href: page, target: "_blank", rel: "noopener noreferrer" }, page),
    ],
    label: say("model.accept", { licence: offer.licence }),
    button: say("model.download"),
  });
}
