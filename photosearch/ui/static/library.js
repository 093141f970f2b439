// The page about the library: folders, watching, problems, models, text, disk, doctor.

import { away } from "./absent.js";
import { confirm } from "./choosers.js";
import { bytes, fill, icon, make, number, say, tell } from "./dom.js";
import { FaceSwitch } from "./face-switch.js";
import { folderForm, problemList } from "./indexing.js";
import { Models } from "./models.js";
import { Reading } from "./reading.js";
import { ask } from "./requests.js";
import { heard } from "./translations.js";
import { Turns } from "./turns.js";

export class LibraryPage {
  constructor(place, card, started) {
    this.started = started;
    this.overview = make("dl", { class: "overview" });
    this.folders = make("ul", { class: "known" });
    this.problems = make("div", { class: "stacked" });
    this.models = new Models(started, () => this.#disk());
    this.reading = new Reading();
    this.faces = new FaceSwitch();
    this.disk = make("dl", { class: "overview" });
    this.findings = make("ul", { class: "findings", "aria-live": "polite" });
    this.watching = make("input", { type: "checkbox", id: "watching", onchange: () => this.#watch() });
    this.quit = button("close", "library.quit", () => this.#quit());
    fill(
      place,
      make("h1", { class: "unseen" }, say("tab.library")),
      card.element,
      section(
        "library.overview",
        this.overview,
        make("p", {}, make("a", { href: "/api/licences", target: "_blank", rel: "noopener" }, say("library.licences"))),
        this.quit,
      ),
      section(
        "library.folders",
        this.folders,
        folderForm(started),
        make("label", { class: "check", for: "watching" }, this.watching, say("library.watch")),
        button("similar", "library.again", () => this.#again(false)),
      ),
      section("library.problems", this.problems),
      section("library.models", this.models.element),
      section("library.text", this.reading.element),
      section("library.faces", this.faces.element),
      section("library.disk", this.disk),
      section(
        "library.doctor",
        make("p", { class: "quiet" }, say("library.doctor_text")),
        this.findings,
        make(
          "div",
          { class: "line" },
          button("info", "library.examine", () => this.#examine(false)),
          (this.mend = button("check", "library.repair", () => this.#examine(true))),
        ),
      ),
    );
    this.mend.hidden = true;
    this.problem = make("p", { class: "warning", role: "alert" });
    card.element.after(this.problem);
    this.turns = new Turns(place);
    this.listing = new Turns(this.problems);
    this.examining = new Turns(this.findings);
  }

  async refresh(state) {
    const waiting = state.photos + state.missing - state.encoded;
    draw(this.overview, [
      [say("library.photos"), number(state.photos)],
      [say("library.missing"), state.missing ? number(state.missing) : null],
      [say("library.waiting"), waiting > 0 ? number(waiting) : null],
      [say("library.others"), others(state.others)],
      [say("library.place"), state.library],
    ]);
    this.watching.checked = state.progress.watching;
    this.quit.hidden = !state.window;
    fill(
      this.folders,
      ...(state.folders.length
        ? state.folders.map((folder) => this.#folder(folder, state.not_connected.find((one) => one.path === folder)))
        : [make("li", { class: "quiet" }, say("library.no_folder"))]),
    );
    const parts = () => Promise.all([this.#problems(state), this.models.refresh(state), this.reading.refresh(), this.faces.refresh(), this.#disk()]);
    this.problem.textContent = "";
    await this.turns.take("library", parts).catch((error) => (this.problem.textContent = error.message));
  }

  #folder(folder, gone) {
    return make(
      "li",
      { class: "line" },
      make("span", { class: "path" }, folder, gone ? make("span", { class: "warning" }, away(gone)) : null),
      make(
        "button",
        {
          type: "button",
          class: "plain small",
          onclick: async () => {
            if (!(await confirm(say("library.forget_sure", { folder }), say("library.forget")))) return;
            await this.#do("/api/forget", { path: folder });
            this.started();
          },
        },
        say("library.forget"),
      ),
    );
  }

  #problems(state) {
    const fetch = async () => (state.problems ? ask("/api/problems") : []);
    return this.listing.take("problems", fetch, (problems) => this.#list(problems));
  }

  #list(problems) {
    if (!problems.length) {
      fill(this.problems, make("p", { class: "quiet" }, say("library.no_problem")));
      return;
    }
    fill(
      this.problems,
      make("p", {}, say("index.problems", { count: problems.length })),
      problemList(problems),
      button("similar", "library.retry", () => this.#again(true)),
    );
  }

  async #disk() {
    const sizes = await ask("/api/disk");
    draw(
      this.disk,
      Object.entries(sizes).map(([kind, size]) => [say(`disk.${kind}`), size ? bytes(size) : null]),
    );
  }

  async #examine(repair) {
    fill(this.findings, make("li", { class: "quiet" }, say("library.examining")));
    const fetch = () => ask("/api/doctor", repair ? { body: {} } : {});
    try {
      await this.examining.take(repair ? "repaired" : "examined", fetch, (found) => this.#found(found));
    } catch (error) {
      fill(this.findings, make("li", { class: "warning" }, error.message));
    }
  }

  #found(found) {
    fill(
      this.findings,
      ...found.map((one) =>
        make(
          "li",
          { class: one.state },
          icon({ ok: "check", fixed: "check", note: "info", wrong: "close" }[one.state]),
          make("span", {}, heard(one.text), one.advice ? make("span", { class: "quiet" }, ` ${heard(one.advice)}`) : null),
        ),
      ),
    );
    this.mend.hidden = !found.some((one) => one.state === "wrong");
  }

  async #watch() {
    const on = this.watching.checked;
    if (!(await this.#do("/api/watch", { on }))) this.watching.checked = !on;
  }

  async #quit() {
    await this.#do("/api/quit", {});
  }

  async #again(retry) {
    await this.#do("/api/index", { folders: [], retry });
    this.started();
  }

  async #do(path, body) {
    try {
      return await ask(path, { body });
    } catch (error) {
      tell(error.message);
      return null;
    }
  }
}

function section(title, ...content) {
  return make("section", { class: "card" }, make("h2", {}, say(title)), ...content);
}

function button(picture, label, onclick) {
  return make("button", { type: "button", class: "plain", onclick }, icon(picture), say(label));
}

function draw(list, facts) {
  fill(
    list,
    ...facts.filter(([, value]) => value !== null).flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]),
  );
}

// How many files of other kinds lie in the folders, with the commonest kinds named; null without any.
function others(kinds) {
  const found = Object.entries(kinds);
  if (!found.length) return null;
  const named = found.slice(0, 5).map(([suffix, files]) => `${suffix || say("library.no_suffix")} ${number(files)}`);
  if (found.length > named.length) named.push("…");
  return `${number(found.reduce((sum, [, files]) => sum + files, 0))} (${named.join(", ")})`;
}
