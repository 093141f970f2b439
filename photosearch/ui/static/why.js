// Why the open photo was found: what is known at once, and, when asked for, what each term adds to
// its score, with a map over the picture of where it shows.

import { meaningOf } from "./chips.js";
import { fill, icon, make, number, say } from "./dom.js";
import { ask } from "./requests.js";
import { verdict } from "./verdict.js";

// Cells of the map that count at least so much are told of in words.
const STRONG = 0.6;
// How dark it gets where nothing counts.
const DARK = 0.74;
const SIDE = 256;

export class Why {
  // `picture` is the element that the map is laid over.
  constructor(picture) {
    this.picture = picture;
    this.map = null;
  }

  // Forgets the photo before.
  clear() {
    this.under?.abort();
    this.under = null;
    this.map?.remove();
    this.map = this.toggle = this.start = null;
  }

  // The section about a photo, null when nothing speaks for it. `asked` is what was asked for:
  // {query, picture, parts, cutoff}. Of videos there is no map. `persons` are in the photo, and `point`
  // shows the face of one.
  section(photo, asked, video, persons = [], point = () => {}) {
    this.clear();
    if (!asked || photo.score === undefined) return null;
    const facts = [...known(photo, asked), ...who(asked, persons, point)];
    if (!facts.length) return null;
    this.body = make("div", { class: "stacked why-more" });
    if (photo.score !== null && !video) {
      this.start = make(
        "button",
        { type: "button", class: "plain", title: "W", onclick: () => this.#ask(photo, asked) },
        icon("target"),
        say("why.ask"),
      );
      this.body.append(this.start);
    }
    return make(
      "section",
      {},
      make("h3", {}, say("why.title")),
      make("ul", { class: "why" }, facts.map((fact) => make("li", {}, ...[fact].flat().filter(Boolean)))),
      this.body,
      verdict(photo, asked),
    );
  }

  // As if the button were pressed that is there now.
  press() {
    (this.toggle ?? this.start)?.click();
  }

  async #ask(photo, asked) {
    if (this.under) return;
    const { signal } = (this.under = new AbortController());
    const { body, start } = this;
    start.setAttribute("aria-disabled", "true");
    const status = make("p", { class: "quiet busy", role: "status" }, say("why.looking"));
    below(start, status);
    body.setAttribute("aria-busy", "true");
    try {
      const search = new URLSearchParams({ q: asked.query, picture: asked.picture });
      const found = await ask(`/api/why/${photo.id}?${search}`, { signal });
      if (!signal.aborted) this.#show(found);
    } catch (error) {
      if (error.name === "AbortError" || signal.aborted) return;
      this.under = null;
      start.removeAttribute("aria-disabled");
      below(start, make("p", { class: "warning", role: "alert" }, say("why.failed", { reason: error.message })));
    } finally {
      body.removeAttribute("aria-busy");
    }
  }

  #show({ score, terms, heat, area }) {
    const where = inWords(heat, area);
    const most = Math.max(...terms.map((term) => Math.abs(term.adds)), 0.001);
    const parts = [
      make("ul", { class: "terms" }, terms.map((term) => row(term, most, score))),
    ];
    const told = make("p", { class: "quiet", role: "status" }, where ? say("why.where", { where }) : say("why.nowhere"));
    if (where) {
      this.map = make("canvas", { class: "large heat", width: SIDE, height: SIDE, role: "img", "aria-label": told.textContent });
      for (const name of ["aspectRatio", "maxWidth"]) this.map.style[name] = this.picture.style[name];
      this.map.style.setProperty("--ratio", this.picture.style.getPropertyValue("--ratio"));
      draw(this.map, heat, area);
      this.picture.after(this.map);
      this.toggle = make(
        "button",
        { type: "button", class: "plain", "aria-pressed": "true", title: "W", onclick: () => this.#turn() },
        icon("target"),
        say("why.map"),
      );
      parts.push(make("div", { class: "line" }, this.toggle));
    }
    const focused = document.activeElement === this.start;
    this.start = null;
    fill(this.body, ...parts, told);
    if (focused) this.toggle?.focus();
  }

  #turn() {
    const on = this.toggle.getAttribute("aria-pressed") !== "true";
    this.toggle.setAttribute("aria-pressed", String(on));
    this.map.hidden = !on;
  }
}

// Puts an element below another, which keeps the focus, in place of what was there.
function below(first, element) {
  while (first.nextSibling) first.nextSibling.remove();
  first.after(element);
}

// What the search itself has told: how alike the photo is, and what else was asked for.
function known(photo, { parts, cutoff }) {
  const facts = [];
  if (photo.score !== null) {
    const score = number(photo.score, 3);
    facts.push(cutoff === null ? say("why.score", { score }) : say("why.cutoff", { score, cutoff: number(cutoff, 3) }));
  }
  for (const part of parts) {
    if (part.kind === "unlike") facts.push(say("why.unlike", { what: part.meaning }));
    else if (!["like", "fact"].includes(part.kind)) facts.push(say("why.holds", { what: meaningOf(part) }));
  }
  return facts;
}

// Those in the photo whom a part of the text names, each with a button that shows the face.
function who({ parts }, persons, point) {
  const meant = parts.filter(({ kind, name }) => name === "person" && ["fact", "filter"].includes(kind)).map((part) => words(part.meaning));
  const named = persons.filter(({ name }) => name && meant.some((each) => words(name).some((word) => each.includes(word))));
  return named.map(({ name, area }) => {
    const toggle = () => {
      const on = button.getAttribute("aria-pressed") !== "true";
      for (const other of button.closest(".why").querySelectorAll("[aria-pressed]")) other.setAttribute("aria-pressed", "false");
      button.setAttribute("aria-pressed", String(on));
      point(on ? name : "");
    };
    const button = make("button", { type: "button", class: "plain slim", "aria-pressed": "false", onclick: toggle }, say("why.face"));
    return [say("why.person", { name }), area ? button : null];
  });
}

const words = (text) => text.toLocaleLowerCase().split(/[^\p{L}\p{N}]+/u).filter(Boolean);

// A term with a bar as long as what it adds, and what each of its words does.
function row({ term, weight, adds, words }, most, score) {
  const [kind, id] = term.split(":");
  const name = kind === "image" ? say("why.your_picture") : kind === "photo" ? say("why.photo", { id }) : term;
  const amount = number(Math.abs(adds), 3);
  const none = weight < 0 && amount === "0";
  const share = make("span", {
    class: adds < 0 ? "share less" : "share",
    style: `width: ${((100 * Math.abs(adds)) / most).toFixed(1)}%`,
    "aria-hidden": "true",
  });
  return make(
    "li",
    {},
    say(none ? "why.takes_none" : weight < 0 ? "why.takes" : "why.adds", { term: name, adds: amount, score: number(score, 3) }),
    none ? null : share,
    words.length
      ? make("div", { class: "words quiet" }, make("span", {}, say("why.words")), words.map(([word, fall]) => make("span", {}, `${word} ${number(Math.round(100 * fall) / 100 || 0, 2).replace("-", "−")}`)))
      : null,
  );
}

// Light where the picture counts, dark elsewhere; smooth, for the cells are coarse.
function draw(canvas, heat, [left, top, right, bottom]) {
  const cells = heat.length;
  const small = make("canvas", { width: cells, height: cells });
  const dark = small.getContext("2d").createImageData(cells, cells);
  heat.flat().forEach((value, at) => {
    dark.data[4 * at + 3] = 255 * DARK * (1 - Math.sqrt(value));
  });
  small.getContext("2d").putImageData(dark, 0, 0);
  const context = canvas.getContext("2d");
  context.fillStyle = `rgb(0 0 0 / ${DARK})`;
  context.fillRect(0, 0, SIDE, SIDE);
  const box = [left * SIDE, top * SIDE, (right - left) * SIDE, (bottom - top) * SIDE];
  context.clearRect(...box);
  context.imageSmoothingQuality = "high";
  context.drawImage(small, ...box);
}

// Where the cells that count most lie, null when none does.
function inWords(heat, [left, top, right, bottom]) {
  let [sum, x, y] = [0, 0, 0];
  heat.forEach((line, row) =>
    line.forEach((value, column) => {
      if (value < STRONG) return;
      sum += value;
      x += (value * (column + 0.5)) / line.length;
      y += (value * (row + 0.5)) / heat.length;
    }),
  );
  if (!sum) return null;
  const third = (at, names) => names[at < 0.38 ? 0 : at > 0.62 ? 2 : 1];
  const across = third(left + (x / sum) * (right - left), ["left", "middle", "right"]);
  const down = third(top + (y / sum) * (bottom - top), ["top", "middle", "bottom"]);
  return say(`why.where.${down}.${across}`);
}
