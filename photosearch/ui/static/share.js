// Photos shared: as a zip file, in a folder, with another app, or as a web album; how far that is, and what
// came of it.

import { chooseFolder } from "./choosers.js";
import { bytes, fill, language, make, say, tell } from "./dom.js";
import { ask } from "./requests.js";
import { canGive, filesIn, give } from "./share-app.js";
import { heard } from "./translations.js";

// Longest sides of JPEGs, in pixels.
const SIDES = [1600, 2048, 3840];
const USUAL = 2048;
// Milliseconds between two looks at how far it is, and until what was chosen is reckoned.
const EVERY = 400;
const SOON = 250;
// Of photos that were left out so many are named.
const NAMED = 5;

// What goes on: one at a time, also while its dialog is closed.
let sharing = null;

// Asks in what form to share the photos of `ids`, or those of the `album` of this `name`.
export function share(what) {
  if (sharing) sharing.open();
  else new Share(what).open();
}

class Share {
  constructor({ ids = [], album = null, name = "", local }) {
    Object.assign(this, { ids, album, name, local, folder: null, asked: 0 });
    this.position = { originals: true, jpeg: false };
    this.element = make("dialog", { class: "chooser share", "aria-labelledby": "share-title" });
    this.element.addEventListener("close", () => {
      this.element.remove();
      clearTimeout(this.soon);
    });
    this.#form();
  }

  open() {
    document.body.append(this.element);
    this.element.showModal();
    if (!this.progress) this.#reckon();
  }

  get #title() {
    return this.album ? say("share.title_album", { name: this.name }) : say("share.title", { count: this.ids.length });
  }

  #form() {
    const changed = () => this.#changed();
    this.what = choice("share-what", say("share.what"), ["photos", "web_album"], changed);
    const places = this.local ? ["zip", "folder"] : ["zip"];
    // On a phone it is what one wants.
    if (canGive(this.ids.length)) places[matchMedia("(pointer: coarse)").matches ? "unshift" : "push"]("app");
    this.where = choice("share-where", say("share.where"), places, changed);
    this.form = choice("share-form", say("share.form"), ["jpeg", "originals"], () => {
      this.noPosition.input.checked = !this.position[this.form.value];
      changed();
    });
    this.size = make(
      "select",
      { class: "field", id: "share-size", onchange: changed },
      SIDES.map((side) => make("option", { value: side, selected: side === USUAL }, say("share.side", { side }))),
      make("option", { value: "" }, say("share.full")),
      make("option", { value: "custom" }, say("share.custom")),
    );
    this.custom = make("input", { class: "field", type: "number", min: 64, max: 65000, step: 1, value: USUAL, "aria-label": say("share.pixels"), oninput: changed });
    this.sizes = make("div", { class: "line" }, make("label", { for: "share-size" }, say("share.size")), this.size, this.custom);
    this.noPosition = check("share-position", say("share.no_position"), true, () => {
      this.position[this.form.value] = !this.noPosition.input.checked;
      changed();
    });
    this.noDetails = check("share-details", say("share.no_details"), false, changed);
    this.title = make("input", { class: "field", id: "share-name", type: "text", maxlength: 200, value: this.name, autocomplete: "off" });
    this.captions = check("share-captions", say("share.captions"), true);
    this.dates = check("share-dates", say("share.dates"), true);
    this.places = check("share-places", say("share.places"), false);
    this.web = make(
      "div",
      { class: "part" },
      make("p", { class: "quiet" }, say("share.web_album_text")),
      make("label", { for: "share-name" }, say("share.name")),
      this.title,
      make("div", { class: "checks" }, this.captions, this.dates, this.places),
    );
    this.path = make("span", { class: "path" });
    this.choosing = make("div", { class: "line" }, make("button", { type: "button", class: "plain", onclick: () => this.#choose() }, say("share.choose")), this.path);
    this.reckoned = make("div", { class: "part", role: "status" });
    this.problem = make("p", { class: "warning", role: "alert" });
    this.go = make("button", { type: "submit", class: "primary" });
    fill(
      this.element,
      make("h2", { id: "share-title" }, this.#title),
      make(
        "form",
        {
          class: "share-form",
          novalidate: true,
          onsubmit: (event) => {
            event.preventDefault();
            this.#begin();
          },
        },
        this.what,
        this.web,
        this.where,
        this.choosing,
        this.form,
        this.sizes,
        make("div", { class: "checks" }, this.noPosition, this.noDetails),
        this.reckoned,
        this.problem,
        make("div", { class: "line end" }, make("button", { type: "button", class: "plain", onclick: () => this.element.close() }, say("cancel")), this.go),
      ),
    );
    this.#arrange();
  }

  get #jpeg() {
    return this.what.value === "web_album" || this.form.value === "jpeg";
  }

  // Shows what there is to choose.
  #arrange() {
    const web = this.what.value === "web_album";
    this.web.hidden = !web;
    this.form.hidden = web;
    // No app takes a folder of pages.
    this.where.offer("app", !web);
    this.where.hidden = this.where.offered < 2;
    this.sizes.hidden = !this.#jpeg;
    this.custom.hidden = this.size.value !== "custom";
    this.noDetails.hidden = !(this.#jpeg || this.noPosition.input.checked);
    if (web) this.noPosition.input.checked = !this.position.jpeg;
    const { value: where } = this.where;
    this.choosing.hidden = where !== "folder";
    this.path.textContent = this.folder ?? "";
    this.go.textContent = say({ app: "share.open.short", zip: "share.download", folder: "share.save" }[where]);
  }

  #changed() {
    this.problem.textContent = "";
    this.#arrange();
    clearTimeout(this.soon);
    this.soon = setTimeout(() => this.#reckon(), SOON);
  }

  #wish() {
    const { value } = this.size;
    const wish = { ids: this.ids, album: this.album, jpeg: this.#jpeg, position: !this.noPosition.input.checked };
    if (wish.jpeg && value) wish.side = Math.round(Number(value === "custom" ? this.custom.value : value));
    if (!this.noDetails.hidden) wish.details = !this.noDetails.input.checked;
    if (this.where.value === "folder" && this.folder) wish.folder = this.folder;
    return wish;
  }

  async #reckon() {
    const turn = ++this.asked;
    try {
      const found = await ask("/api/share/estimate", { body: this.#wish() });
      if (turn !== this.asked) return;
      const notes = [
        found.converted && say("share.converted", { count: found.converted }),
        found.missing && say("share.missing", { count: found.missing }),
        found.indexed && say("share.indexed"),
      ];
      fill(
        this.reckoned,
        make("p", { class: "quiet" }, say("share.estimate", { count: found.photos, size: bytes(found.bytes) })),
        notes.filter(Boolean).map((note) => make("p", { class: "note" }, note)),
      );
      this.element.dataset.reckoned = turn;
    } catch (error) {
      if (turn === this.asked) this.problem.textContent = error.message;
    }
  }

  async #choose() {
    try {
      const folder = await chooseFolder(say("share.choose_title"), this.folder ?? "");
      if (folder) this.folder = folder;
      this.#changed();
    } catch (error) {
      this.problem.textContent = error.message;
    }
  }

  async #begin() {
    const wish = this.#wish();
    if (this.where.value === "folder" && !this.folder) {
      this.problem.textContent = say("share.no_folder");
      return;
    }
    if (this.what.value === "web_album") {
      const shows = Object.fromEntries(["captions", "dates", "places"].map((name) => [name, this[name].input.checked]));
      Object.assign(wish, { web_album: true, title: this.title.value, language }, shows);
    }
    this.go.disabled = true;
    try {
      const begun = await ask("/api/share", { body: wish });
      const zip = `/api/share/${begun.id}/zip`;
      if (this.where.value === "app") this.coming = fetch(zip).then((answer) => answer.arrayBuffer()).catch(() => new ArrayBuffer(0));
      // Saved as it comes, however large.
      else if (!begun.folder) make("a", { href: zip, download: "" }).click();
      this.#follow(begun);
    } catch (error) {
      this.problem.textContent = error.message;
      this.go.disabled = false;
    }
  }

  async #follow(state) {
    sharing = this;
    const { id } = state;
    this.progress = make("progress", { max: state.total, value: 0, "aria-labelledby": "share-title" });
    const said = make("p", { role: "status" });
    const stop = () => ask(`/api/share/${id}/stop`, { body: {} }).catch((error) => tell(error.message));
    fill(
      this.element,
      make("h2", { id: "share-title" }, this.#title),
      this.progress,
      said,
      make(
        "div",
        { class: "line end" },
        make("button", { type: "button", class: "plain", onclick: () => this.element.close() }, say("share.hide")),
        make("button", { type: "button", class: "primary", onclick: stop }, say("share.stop")),
      ),
    );
    this.element.querySelector(".primary").focus();
    try {
      while (["waiting", "running"].includes(state.state)) {
        this.progress.value = state.done;
        const text = state.done ? say("share.progress", { done: state.done, total: state.total }) : say("share.preparing");
        if (said.textContent !== text) said.textContent = text;
        await new Promise((done) => setTimeout(done, EVERY));
        state = await ask(`/api/share/${id}`);
      }
      if (this.coming && state.state === "done") await this.#give(state);
      else this.#end(this.#outcome(state), state);
    } catch (error) {
      this.#end(error.message, { left_out: [], failed: true });
    } finally {
      sharing = null;
    }
  }

  // Hands them to an app. A browser wants somebody to have pressed something a moment ago; where it took
  // longer than that, a button has to be pressed again.
  async #give(state) {
    const files = filesIn(await this.coming);
    if (!files.length || !navigator.canShare({ files })) {
      this.#end(files.length ? say("share.refused") : this.#outcome(state), state);
      return;
    }
    if (!this.element.open) this.open();
    const size = bytes(files.reduce((sum, file) => sum + file.size, 0));
    const go = async () => {
      try {
        if (await give(files)) this.element.close();
      } catch {
        this.#end(say("share.refused"), state);
      }
    };
    this.#end(say("share.ready", { count: files.length, size }), state, make("button", { type: "button", class: "primary", onclick: go }, say("share.open.short")));
    if (navigator.userActivation?.isActive) await go();
  }

  #outcome({ state, error, files, folder, bytes: size }) {
    if (state === "failed") return heard(error);
    if (state === "stopped") return say("share.stopped", { count: files });
    const values = { count: files, size: bytes(size), folder };
    if (!folder) return say("share.done_zip", values);
    return say(this.what.value === "web_album" ? "share.done_album" : "share.done_folder", values);
  }

  // What came of it, in the dialog, or where that is closed for everybody; with a button for what is next.
  #end(text, { state, left_out: leftOut, left_out_count: count, converted, failed = state === "failed" }, next = null) {
    if (!this.element.open) {
      const lost = count ? `\n${say("share.left_out", { count })} ${leftOut.slice(0, NAMED).map(heard).join(", ")}` : "";
      tell(text + lost);
      return;
    }
    const named = leftOut.slice(0, NAMED).map((one) => make("li", { class: "path" }, heard(one)));
    if (count > NAMED) named.push(make("li", {}, say("share.more", { count: count - NAMED })));
    const close = make("button", { type: "button", class: next ? "plain" : "primary", onclick: () => this.element.close() }, say("close"));
    fill(
      this.element,
      make("h2", { id: "share-title" }, this.#title),
      make("p", { class: failed ? "warning path" : "path", role: "status" }, text),
      converted ? make("p", { class: "quiet" }, say("share.were_converted", { count: converted })) : null,
      count ? make("div", { class: "part" }, make("p", { class: "warning" }, say("share.left_out", { count })), make("ul", {}, named)) : null,
      make("div", { class: "line end" }, close, next),
    );
    (next ?? close).focus();
  }
}

// One of some, as a row of buttons; its `value`, and how many are `offered`: `offer` shows one or does not.
function choice(name, legend, values, onchange) {
  const inputs = values.map((value, at) => make("input", { type: "radio", name, value, checked: at === 0, onchange }));
  const offered = () => inputs.filter((input) => !input.disabled);
  const group = make(
    "fieldset",
    { class: "choice" },
    make("legend", {}, legend),
    make("div", {}, inputs.map((input) => make("label", {}, input, make("span", {}, say(`share.${input.value}`))))),
  );
  Object.defineProperty(group, "value", { get: () => inputs.find((input) => input.checked).value });
  Object.defineProperty(group, "offered", { get: () => offered().length });
  const offer = (value, is) => {
    const input = inputs.find((one) => one.value === value);
    if (!input) return;
    input.disabled = input.parentNode.hidden = !is;
    if (!is && input.checked) offered()[0].checked = true;
  };
  return Object.assign(group, { offer });
}

function check(id, label, checked, onchange = null) {
  const input = make("input", { type: "checkbox", id, checked, onchange });
  return Object.assign(make("label", { class: "check", for: id }, input, label), { input });
}
