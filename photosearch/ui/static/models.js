// The models that are here: which one searches use, and which may go.

import { confirm } from "./choosers.js";
import { bytes, fill, icon, make, say, tell } from "./dom.js";
import { Offers } from "./offers.js";
import { ask } from "./requests.js";
import { Turns } from "./turns.js";

export class Models {
  // `started` is called when photos are encoded by another model, `changed` when the disk has more or less.
  constructor(started, changed) {
    Object.assign(this, { started, changed });
    this.here = make("ul", { class: "models" });
    this.problem = make("p", { class: "warning", role: "alert" });
    this.offers = new Offers({ arrived: (use) => this.#arrived(use) });
    this.listing = new Turns(this.here);
    this.element = make("div", { class: "stacked wide" }, this.here, this.problem, this.offers.element);
  }

  async refresh(state) {
    this.state = state;
    // Nobody waits for the offers: the machine is measured for them.
    this.offers.show().catch((error) => tell(error.message));
    await this.#list();
  }

  #list() {
    return this.listing.take("models", () => ask("/api/models"), (models) =>
      fill(this.here, ...models.map((model) => this.#model(model))),
    );
  }

  async #arrived(use) {
    if (use) this.started();
    await this.#list().catch((error) => tell(error.message));
    this.changed();
  }

  #model(model) {
    const total = this.state.photos + this.state.missing;
    const idle = !model.active && !model.wanted;
    const waits = !model.active && model.wanted && !this.state.progress.running && this.state.folders.length;
    const facts = [
      model.active ? say("model.active") : null,
      !model.active && model.wanted ? say("model.wanted", { count: model.encoded, total }) : null,
      model.licence ? say("model.licence", { licence: model.licence }) : null,
      model.bytes ? bytes(model.bytes) : null,
      model.kind === "gone" ? say("model.gone") : null,
      model.cutoffs?.source === "photos" ? say("model.fitted", { count: model.cutoffs.photos }) : null,
      model.kind !== "gone" && !model.cutoffs ? say("model.always") : null,
    ];
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
        waits ? plain("play", "model.continue", () => this.#continue()) : null,
        idle && ["installed", "gone"].includes(model.kind) ? plain("close", "model.remove", () => this.#remove(model)) : null,
      ),
    );
  }

  async #use(model) {
    if (await this.#do("/api/models/use", { name: model.id })) this.started();
  }

  async #continue() {
    if (await this.#do("/api/index", { folders: [] })) this.started();
  }

  async #remove(model) {
    if (!(await confirm(say("model.remove_sure", { name: model.name }), say("model.remove")))) return;
    const removed = await this.#do("/api/models/remove", { name: model.id });
    if (removed) tell(say("model.removed", { name: model.name, size: bytes(removed.bytes) }));
    await this.refresh(this.state).catch((error) => tell(error.message));
    this.changed();
  }

  async #do(path, body) {
    this.problem.textContent = "";
    try {
      return await ask(path, { body });
    } catch (error) {
      this.problem.textContent = error.message;
      return null;
    }
  }
}

function plain(picture, label, onclick) {
  return make("button", { type: "button", class: "plain small", onclick }, icon(picture), say(label));
}
