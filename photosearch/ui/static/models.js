// The models that are here, and those that can be downloaded.

import { accept, confirm } from "./choosers.js";
import { bytes, duration, fill, icon, make, number, say, tell } from "./dom.js";
import { ask } from "./requests.js";
import { heard } from "./translations.js";
import { Turns } from "./turns.js";

const EVERY = 700;

export class Models {
  // `started` is called when photos are encoded by another model, `changed` when the disk has more or less.
  constructor(started, changed) {
    Object.assign(this, { started, changed });
    this.here = make("ul", { class: "models" });
    this.title = make("strong", {});
    this.bar = make("progress", { max: 1 });
    this.facts = make("p", { class: "quiet", role: "status" });
    this.stop = plain("close", "index.stop", async () => this.#show(await this.#do("/api/download/stop")));
    this.progress = make(
      "div",
      { class: "download", hidden: true },
      make("div", { class: "line between" }, this.title, this.stop),
      this.bar,
      this.facts,
    );
    this.problem = make("p", { class: "warning", role: "alert" });
    this.needs = make("p", { class: "quiet" });
    this.offers = make("ul", { class: "models offers" });
    this.more = make(
      "details",
      { ontoggle: () => this.more.open && this.#offer() },
      make("summary", {}, say("model.more")),
      make("p", { class: "quiet" }, say("model.more_text")),
      this.needs,
      this.offers,
    );
    this.listing = new Turns(this.here);
    this.offering = new Turns(this.offers);
    this.element = make("div", { class: "stacked wide" }, this.here, this.progress, this.problem, this.more);
  }

  async refresh(state) {
    this.state = state;
    await this.listing.take("models", () => ask("/api/models"), (models) =>
      fill(this.here, ...models.map((model) => this.#model(model))),
    );
    if (this.more.open) await this.#offer();
    else if (!this.watching) this.#watch(await ask("/api/download"));
  }

  #model(model) {
    const total = this.state.photos + this.state.missing;
    const facts = [
      model.active ? say("model.active") : null,
      !model.active && model.wanted ? say("model.wanted", { count: model.encoded, total }) : null,
      model.licence ? say("model.licence", { licence: model.licence }) : null,
      model.bytes ? bytes(model.bytes) : null,
      model.kind === "gone" ? say("model.gone") : null,
    ];
    const idle = !model.active && !model.wanted;
    return make(
      "li",
      {},
      make("strong", {}, model.name),
      make("span", { class: "quiet" }, facts.filter(Boolean).join(" · ")),
      model.card ? make("details", {}, make("summary", {}, say("model.card")), make("pre", { class: "card-text", tabindex: "0" }, model.card)) : null,
      make(
        "div",
        { class: "line" },
        idle && model.kind !== "gone" ? plain("similar", "model.use", () => this.#use(model)) : null,
        idle && ["installed", "gone"].includes(model.kind) ? plain("close", "model.remove", () => this.#remove(model)) : null,
      ),
    );
  }

  #offer() {
    return this.offering.take("offers", () => ask("/api/offers"), (offered) => this.#offers(offered));
  }

  #offers({ needs, offers, download }) {
    this.needs.textContent = heard(needs ?? "");
    fill(
      this.offers,
      ...offers.map((offer) => {
        const facts = [
          offer.megabytes === null ? null : bytes(offer.megabytes * 1e6),
          say(`model.${offer.speed.replace(" ", "_")}`),
          offer.imagenet === null ? null : say("model.imagenet", { share: number(offer.imagenet, 1) }),
          say("model.licence", { licence: offer.licence }),
          offer.research_only ? say("model.research") : null,
        ];
        const label = say("model.download_one", { name: offer.name });
        return make(
          "li",
          { class: "line between" },
          make("div", {}, make("strong", {}, offer.name), make("div", { class: "quiet" }, facts.filter(Boolean).join(" · "))),
          offer.here
            ? make("span", { class: "quiet" }, say("model.here"))
            : make(
                "button",
                { type: "button", class: "plain small", "aria-label": label, disabled: Boolean(offer.converted && needs) || download.running, onclick: () => this.#download(offer) },
                icon("download"),
                say("model.download"),
              ),
        );
      }),
    );
    this.#watch(download);
  }

  async #download(offer) {
    this.problem.textContent = "";
    if (offer.research_only && !(await agreed(offer))) return;
    const licence = offer.research_only ? offer.licence : null;
    const begun = await this.#do("/api/download", { name: offer.name, licence });
    if (!begun) return;
    for (const button of this.offers.querySelectorAll("button")) button.disabled = true;
    this.#watch(begun);
    this.stop.focus();
  }

  // Follows a download until it ends.
  async #watch(download) {
    this.#show(download);
    if (this.watching || !download.running) return;
    this.watching = true;
    try {
      while (download.running) {
        await new Promise((resolve) => setTimeout(resolve, EVERY));
        download = await ask("/api/download");
        this.#show(download);
      }
    } catch (error) {
      tell(error.message);
    } finally {
      this.watching = false;
    }
    await this.refresh(this.state).catch((error) => tell(error.message));
    this.changed();
  }

  #show(download) {
    if (!download) return;
    const { state, model: name, done, total, seconds, running, error } = download;
    this.progress.hidden = !running;
    if (!this.progress.hidden) {
      this.title.textContent = say("model.downloading", { name });
      this.bar.setAttribute("aria-label", this.title.textContent);
      if (state === "loading" && total) this.bar.value = done / total;
      else this.bar.removeAttribute("value");
      if (state === "loading") this.facts.textContent = say("model.loaded", { done: bytes(done), total: bytes(total) });
      else this.facts.textContent = say(`model.${state}`, { time: duration(seconds) });
    }
    if (state === "failed") this.problem.textContent = heard(error);
    if (state === "stopped") tell(say("model.stopped", { name }));
    if (state === "done" && this.watching) tell(say("model.done", { name }));
  }

  async #use(model) {
    if (await this.#do("/api/models/use", { name: model.id })) this.started();
  }

  async #remove(model) {
    if (!(await confirm(say("model.remove_sure", { name: model.name }), say("model.remove")))) return;
    const removed = await this.#do("/api/models/remove", { name: model.id });
    if (removed) tell(say("model.removed", { name: model.name, size: bytes(removed.bytes) }));
    await this.refresh(this.state).catch((error) => tell(error.message));
    this.changed();
  }

  async #do(path, body = {}) {
    try {
      return await ask(path, { body });
    } catch (error) {
      this.problem.textContent = error.message;
      return null;
    }
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

function plain(picture, label, onclick) {
  return make("button", { type: "button", class: "plain small", onclick }, icon(picture), say(label));
}
