// The start page: what stands below the box while nothing is asked for, above the photos that came
// last. Examples of searches, and shelves: this day in earlier years, trips, saved searches,
// favourites and people. One that has nothing is not there.

import { calendar, fill, language, make, say } from "./dom.js";
import { describe, thumbnail } from "./grid.js";
import { faceOf } from "./people.js";
import { listOf } from "./photo-list.js";
import { ask } from "./requests.js";
import { savedSearch } from "./saved.js";
import { stripOf } from "./strip.js";
import { ratioOf } from "./tile.js";
import { heardExample } from "./translations.js";
import { tripName } from "./trips.js";
import { Turns } from "./turns.js";

// Under this name the browser keeps which shelves there were, so that they have their places at once.
const KEPT = "shelves";

const ago = (years) => new Intl.RelativeTimeFormat(language).format(-years, "year");

// The day where the page is looked at.
function today() {
  const now = new Date();
  const two = (number) => String(number).padStart(2, "0");
  return `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
}

export class StartPage {
  // `search` is called with a text, and with the order of a saved search; `favourites` shows all.
  constructor({ viewer, selection, search, favourites }) {
    Object.assign(this, { viewer, search, favourites });
    this.examples = make("div", { class: "examples", hidden: true });
    this.proposals = new Turns(this.examples);
    this.shelves = make("div", { class: "shelves" });
    this.turns = new Turns(this.shelves);
    this.element = make("div", { class: "start", hidden: true }, this.examples, this.shelves);
    fill(this.shelves, kept().map(place));
    selection.addEventListener("favourite", () => this.outdate());
    viewer.addEventListener("closed", () => this.#look());
    document.addEventListener("visibilitychange", () => this.#look());
    new IntersectionObserver(() => this.#look()).observe(this.element);
  }

  // Whether nothing is asked for.
  show(on) {
    this.element.hidden = !on;
    this.#look();
  }

  // There is something else to show, perhaps: it is asked for when somebody looks.
  outdate() {
    this.old = true;
    this.#look();
  }

  // Without photos there is nothing.
  clear() {
    this.turns.drop();
    this.#draw({ anniversaries: { years: [] }, trips: [], saved: [], favourites: [], people: [] });
    fill(this.examples);
    this.examples.hidden = true;
    this.day = this.old = null;
  }

  propose() {
    this.proposals.take("examples", () => ask("/api/examples").catch(() => []), (texts) => {
      fill(
        this.examples,
        make("span", { class: "quiet" }, say("search.try")),
        ...texts.map(heardExample).map((text) => make("button", { type: "button", class: "plain", onclick: () => this.search(text) }, text)),
      );
      this.examples.hidden = !texts.length;
    });
  }

  // Whether the shelves have been asked for.
  get begun() {
    return Boolean(this.day);
  }

  #look() {
    const due = this.old || (this.day && this.day !== today());
    if (due && !document.hidden && this.element.checkVisibility() && !this.viewer.element.open) this.#renew();
  }

  #renew() {
    this.old = false;
    const day = (this.day = today());
    // What goes wrong with it is told of elsewhere; what is there stays, but for empty places.
    const failed = () => this.known || this.clear();
    this.turns.take(day, () => ask(`/api/start?today=${day}`), (found) => this.#show(found)).catch(failed);
  }

  // What is the same stays as it is.
  #show(found) {
    const known = JSON.stringify(found);
    if (known === this.known) return;
    this.known = known;
    this.#draw(found);
  }

  #draw({ anniversaries, trips, saved, favourites, people }) {
    const { years, around } = anniversaries;
    const shown = years.flatMap(({ photos }) => photos);
    const all = make("button", { type: "button", class: "plain slim", "aria-label": say("start.all_favourites"), onclick: this.favourites }, say("start.all"));
    const date = calendar({ day: "numeric", month: "long" }).format(new Date());
    const shelves = {
      [around ? "around" : "day"]: [years.map((one) => this.#year(one, shown)), make("span", { class: "quiet" }, date)],
      trips: [trips.map((trip) => this.#card(trip, tripName(trip), "trip"))],
      saved: [saved.map((one) => make("li", {}, savedSearch(one, () => this.search(one.text, one.sort), () => this.outdate())))],
      favourites: [favourites.map((photo) => make("li", {}, this.#picture(photo, favourites))), all],
      people: [people.map((person) => this.#card(person, person.name, "person", person.cover && faceOf(person)))],
    };
    const names = Object.keys(shelves).filter((name) => shelves[name][0].length);
    const focus = this.#focused;
    const scrolled = Object.fromEntries([...this.shelves.children].map((shelf) => [shelf.dataset.shelf, shelf.querySelector(".row").scrollLeft]));
    fill(this.shelves, names.map((name) => shelf(name, ...shelves[name])));
    for (const { dataset, lastChild } of this.shelves.children) lastChild.scrollLeft = scrolled[dataset.shelf] ?? 0;
    if (focus) this.#buttons(focus.name)[focus.at]?.focus({ preventScroll: true });
    keep(names);
  }

  // Some photos of a year, and all of them below.
  #year({ years, count, text, photos }, shown) {
    return make(
      "li",
      { class: "year" },
      make("div", { class: "shots" }, photos.map((photo) => this.#picture(photo, shown))),
      make("button", { type: "button", class: "entry", onclick: () => this.search(text) }, make("strong", {}, ago(years)), counted(count)),
    );
  }

  #card({ cover, count, text }, name, kind, src = cover && thumbnail(cover)) {
    const picture = cover ? make("img", { src, alt: "", width: 240, height: 180, loading: "lazy", decoding: "async" }) : make("span", { class: "blank" });
    return make(
      "li",
      {},
      make("button", { type: "button", class: `entry ${kind}`, title: name, onclick: () => this.search(text) }, picture, make("strong", {}, name), counted(count)),
    );
  }

  // A photo that opens among those of its shelf.
  #picture(photo, shown) {
    const ratio = ratioOf(photo);
    const open = () => this.viewer.open(listOf(shown, (place) => this.#focusOn(shown[place])), shown.indexOf(photo));
    const img = make("img", { src: thumbnail(photo), alt: describe(photo), width: Math.round(ratio * 132), height: 132, loading: "lazy", decoding: "async" });
    return make("button", { type: "button", class: "shot", "data-photo": photo.id, title: photo.name, style: `--ratio: ${ratio.toFixed(4)}`, onclick: open }, img);
  }

  #focusOn(photo) {
    this.shelves.querySelector(`[data-photo="${photo?.id}"]`)?.focus();
  }

  get #focused() {
    const name = document.activeElement?.closest(".shelf")?.dataset.shelf;
    return name && this.shelves.contains(document.activeElement) ? { name, at: this.#buttons(name).indexOf(document.activeElement) } : null;
  }

  #buttons(name) {
    return [...this.shelves.querySelectorAll(`[data-shelf="${name}"] .row button`)];
  }
}

const counted = (count) => make("span", { class: "quiet" }, say("browse.count", { count }));

function heading(name, ...beside) {
  return make("div", { class: "line head" }, make("h2", {}, say(`start.${name}`)), beside);
}

function shelf(name, items, beside = null) {
  const { list, turns } = stripOf(items, say(`start.${name}`));
  return make("section", { class: "shelf", "data-shelf": name }, heading(name, beside, turns), list);
}

// The place of one that is to come.
const place = (name) => make("section", { class: "shelf", "data-shelf": name }, heading(name), make("ul", { class: "row", "aria-hidden": "true" }));

function kept() {
  const known = ["day", "around", "trips", "saved", "favourites", "people"];
  try {
    return JSON.parse(localStorage.getItem(KEPT) ?? "[]").filter((name) => known.includes(name));
  } catch {
    return [];
  }
}

// Storage may be full or forbidden.
function keep(names) {
  try {
    localStorage.setItem(KEPT, JSON.stringify(names));
  } catch {
    // They get their places when they come.
  }
}
