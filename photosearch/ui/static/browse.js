// Looking through photos without a query: by month, person, place, folder or camera; favourites,
// albums, and what is there more than once.

import { choose, confirm } from "./choosers.js";
import { monthName } from "./days.js";
import { fill, icon, make, number, say, tell } from "./dom.js";
import { Duplicates } from "./duplicates.js";
import { Grid, monthOf, thumbnail } from "./grid.js";
import { monthsOf, unpack } from "./layout.js";
import { aboutPerson, fetchPeople, personTools } from "./people.js";
import { PeopleList } from "./people-list.js";
import { countryName, townName } from "./place-names.js";
import { ask } from "./requests.js";
import { share } from "./share.js";
import { sizeSlider } from "./tile-size.js";
import { Timeline } from "./timeline.js";
import { Turns } from "./turns.js";

// Photos that are given at once.
const MOST = 500;
const KINDS = ["month", "person", "place", "map", "folder", "camera", "album", "favourites", "duplicates"];
// Those of which one sees the groups first.
const GROUPED = ["person", "place", "folder", "camera", "album"];

export class BrowsePage {
  // `search` goes to the search page with a text.
  constructor(place, viewer, selection, search) {
    this.kind = "month";
    this.viewer = viewer;
    this.search = search;
    this.tabs = KINDS.map((kind) =>
      make("button", { type: "button", class: "plain", "data-kind": kind, onclick: () => this.go(kind) }, say(`browse.${kind}`)),
    );
    this.title = make("h2", { tabindex: "-1" });
    this.tools = make("div", { class: "line" });
    this.cards = make("ul", { class: "cards" });
    this.about = make("div", { class: "about-person" });
    this.nothing = make("p", { class: "quiet" });
    this.people = new PeopleList({
      cards: this.cards,
      tools: this.tools,
      nothing: this.nothing,
      open: (person) => this.#open("person", person),
      wanted: () => this.kind === "person" && !this.of,
    });
    this.problem = make("p", { class: "warning", role: "alert" });
    this.duplicates = new Duplicates(viewer);
    this.turns = new Turns(place);
    this.grid = new Grid({
      label: say("browse.photos"),
      selection,
      more: (offset) => fetchPart(this.by, this.key, offset),
      open: (at) => viewer.open(this.grid, at),
    });
    this.timeline = new Timeline({ label: say("browse.photos"), selection, open: (at) => viewer.open(this.timeline, at) });
    fill(
      place,
      make("h1", { class: "unseen" }, say("tab.browse")),
      make("nav", { class: "kinds", "aria-label": say("browse.by") }, this.tabs),
      make("div", { class: "line head" }, this.title, this.tools),
      this.about,
      this.people.above.element,
      this.nothing,
      this.problem,
      this.duplicates.element,
      (this.onMap = make("div", { hidden: true })),
      this.cards,
      this.grid.element,
      this.timeline.element,
    );
    this.selection = selection;
    selection.addEventListener("out", ({ detail }) => this.key === String(detail.id) && this.kind === "album" && this.#renew());
    selection.addEventListener("people", () => this.kind === "person" && this.of && this.#renew());
    selection.addEventListener("albums", () => this.kind === "album" && this.go("album"));
    this.duplicates.near.addEventListener("change", () => this.moved?.("push"));
  }

  // Its part of the address: the kind of group, which one (`of`), or the month of the timeline.
  get view() {
    const near = this.kind === "duplicates" && this.duplicates.near.checked;
    return { by: this.kind, of: this.of, month: this.month, near: near ? "yes" : "" };
  }

  get name() {
    return this.title.textContent || say(`browse.${this.kind}`);
  }

  // The list of photos that is shown.
  get shown() {
    if (this.kind === "month") return this.timeline;
    return this.kind === "map" && this.map ? this.map.grid : this.grid;
  }

  // Shows what an address says, with at least so many photos at once. Of what is gone it says so.
  async restore({ by, of, month, near }, least) {
    const kind = KINDS.includes(by) ? by : "month";
    this.duplicates.near.checked = near === "yes";
    if (kind === "month" && month !== undefined) {
      this.#clear(kind);
      await this.#timeline();
      return this.#enter(month);
    }
    if (of === undefined || !GROUPED.includes(kind)) return this.go(kind, "", least);
    this.#clear(kind, of);
    let groups;
    await this.#take(`${kind}:`, () => fetchGroups(kind), (all) => (groups = all));
    if (!groups) return;
    if (kind === "person") this.people.everybody = groups;
    const group = groups.find((one) => keyOf(kind, one) === of);
    if (group) this.of = of;
    if (group) return this.#group(kind, of, nameOf(kind, group), group, least);
    await this.go(kind, "");
    this.problem.textContent = say(kind === "album" ? "address.no_album" : "address.no_group");
  }

  // The timeline from a month on, or from the next before it in which there are photos.
  #enter(month) {
    const found = monthsOf(this.timeline.all.days).find(({ key }) => (month ? key <= month : !key));
    this.month = found?.key;
    if (found) this.timeline.go(found.first);
  }

  // Somebody has come to rest in a list: the address of a timeline has the month that is in sight.
  rest() {
    if (this.kind !== "month" || !this.timeline.size) return;
    const month = scrollY ? this.timeline.element.dataset.month : undefined;
    if (month === this.month) return;
    this.month = month;
    this.moved?.("replace");
  }

  // The library has other photos than before, perhaps. What is on the screen stays where it is; the
  // comparison for duplicates takes long, and is not begun by itself.
  changed({ photos, missing, encoded }) {
    const edition = [photos, missing, encoded].join();
    const same = this.edition === undefined || edition === this.edition;
    [this.edition, this.hidden] = [edition, missing > 0];
    if (!this.drawn) this.go(this.kind, "");
    else if (!same && this.kind !== "duplicates") this.#renew();
  }

  async #renew() {
    const { grid, by, key } = this;
    if (this.kind === "month") await this.#timeline({ keep: true });
    else if (!grid.size) this.go(this.kind, "replace");
    else if (grid.asked <= MOST) {
      const { photos } = grid;
      const found = await fetchPart(by, key, 0, Math.max(120, grid.asked)).catch(() => null);
      // Unless something else has been asked for meanwhile.
      if (!found || photos !== grid.photos || grid.stale) return;
      if (found.hits.length) grid.show(found, { heading: monthOf, keep: true });
      else this.go(this.kind, "replace");
    }
  }

  // `how` it comes into the address, as `Address.show` has it; "" where it is from there.
  async go(kind, how = "push", least = 0) {
    this.#clear(kind, undefined, how);
    if (kind === "map") await this.#take(kind, () => this.#showMap(), (there) => (this.nothing.textContent = there ? "" : say("browse.no_map")));
    else if (kind === "duplicates") await this.#take(kind, () => this.duplicates.look());
    else if (kind === "month") await this.#timeline();
    else if (kind === "favourites") await this.#group("album", "1", say("browse.favourites"), {}, least);
    else await this.#overview(kind);
  }

  // What is next is of this kind, and `of` this group.
  #clear(kind, of, how = "") {
    [this.kind, this.of, this.month] = [kind, of, undefined];
    if (how) this.moved?.(how);
    this.drawn = true;
    this.selection.show(null);
    this.selection.showPerson("");
    for (const tab of this.tabs) tab.setAttribute("aria-pressed", String(tab.dataset.kind === kind));
    this.tools.replaceChildren();
    this.about.replaceChildren();
    this.title.textContent = "";
    this.cards.replaceChildren();
    this.grid.show({ hits: [], more: false });
    if (kind !== "month") this.timeline.clear();
    this.nothing.textContent = "";
    this.duplicates.element.hidden = kind !== "duplicates";
    this.onMap.hidden = kind !== "map";
    this.people.above.hide();
  }

  // What draws maps is read when somebody opens one.
  async #showMap() {
    if (!this.map) {
      const { PhotoMap } = await import("./map.js");
      this.map ??= new PhotoMap(this.viewer, this.selection, this.search);
      fill(this.onMap, this.map.element);
    }
    return this.map.show();
  }

  // What is on the screen stays until the answer comes, and steps back meanwhile.
  async #take(question, fetch, show) {
    this.grid.outdate(true);
    this.timeline.outdate(true);
    this.problem.textContent = "";
    const told = (answer) => {
      show?.(answer);
      this.grid.outdate(false);
      this.timeline.outdate(false);
    };
    await this.turns.take(question, fetch, told).catch((error) => (this.problem.textContent = error.message));
  }

  // All photos, newest first, under their days and trips; and a list of months to go to.
  async #timeline({ keep = false } = {}) {
    const fetch = () => Promise.all([ask("/api/days"), ask("/api/trips")]);
    const show = ([days, trips]) => {
      const all = { ...unpack(days), trips };
      fill(this.tools, ...(all.ids.length ? [sizeSlider(), this.#months(all)] : []));
      this.nothing.textContent = all.ids.length ? "" : say(this.hidden ? "browse.all_hidden" : "browse.nothing");
      this.timeline.show(all, { keep });
    };
    if (!keep) return this.#take("month", fetch, show);
    const answer = await fetch().catch(() => null);
    // Unless something else has been asked for meanwhile.
    if (answer && this.kind === "month" && !this.timeline.stale) show(answer);
  }

  #months({ days }) {
    const months = monthsOf(days);
    const years = [...new Set(months.map(({ key }) => key.slice(0, 4)))];
    const options = years.flatMap((year) => {
      const within = months.filter(({ key }) => key.slice(0, 4) === year);
      const each = within.map(({ key, first, count }) => make("option", { value: first, "data-month": key }, `${monthName(key)} (${number(count)})`));
      if (!year) return each;
      return make("optgroup", { label: `${year} (${number(within.reduce((sum, { count }) => sum + count, 0))})` }, each);
    });
    const select = make(
      "select",
      { class: "field", "aria-label": say("browse.go_to"), onchange: () => this.#choose(select.selectedOptions[0]) },
      options,
    );
    return select;
  }

  #choose({ value, dataset }) {
    this.month = dataset.month;
    this.moved?.("push");
    this.timeline.go(Number(value));
  }

  #overview(kind) {
    return this.#take(kind, () => fetchGroups(kind), (groups) => this.#groups(kind, groups));
  }

  #groups(kind, groups) {
    if (kind === "person") {
      this.people.show(groups, this.hidden && !groups.length ? say("browse.all_hidden") : undefined);
      return;
    }
    const cards = groups.filter((group) => !group.favourites).map((group) => this.#card(kind, group));
    fill(this.cards, ...cards);
    const known = cards.length && (kind === "album" || groups.some((group) => group.key));
    // All photos are hidden, or none of them says it.
    const none = this.hidden && !groups.length && kind !== "album" ? "browse.all_hidden" : `browse.no_${kind}`;
    this.nothing.textContent = known ? "" : say(none);
    if (kind === "album") {
      fill(
        this.tools,
        make("button", { type: "button", class: "plain", onclick: () => this.#make() }, icon("album"), say("album.make")),
      );
    }
  }

  #open(kind, group) {
    this.of = keyOf(kind, group);
    this.moved?.("push");
    this.#group(kind, this.of, nameOf(kind, group), group);
  }

  #card(kind, group) {
    const picture = group.cover
      ? make("img", { src: thumbnail(group.cover), alt: "", width: 240, height: 180, loading: "lazy", decoding: "async" })
      : make("span", { class: "blank" });
    return make(
      "li",
      {},
      make(
        "button",
        { type: "button", class: "group", onclick: () => this.#open(kind, group) },
        picture,
        make("strong", {}, nameOf(kind, group)),
        make("span", { class: "quiet" }, say("browse.count", { count: group.count })),
      ),
    );
  }

  // Other names of somebody, what can be said of them, and who else is in their photos.
  #person(person, tools) {
    this.people.above.knowsFaces().then((known) => this.of === person.name && this.selection.showPerson(known ? person.name : ""));
    const go = (name) => {
      const [by, of] = ["person", name];
      this.restore({ by, of: of || undefined }, 0).then(() => this.moved?.("push"));
    };
    const { buttons, names } = personTools(person, this.people.everybody, go);
    tools.push(...buttons.filter(Boolean));
    fill(this.about, aboutPerson(person, names, go));
  }

  #group(by, key, name, group, least = 0) {
    this.cards.replaceChildren();
    this.about.replaceChildren();
    this.nothing.textContent = "";
    const question = this.kind === "favourites" ? this.kind : `${by}:${key}`;
    return this.#take(question, () => fetchPart(by, key, 0, atOnce(least)), (found) => {
      [this.by, this.key] = [by, key];
      this.#photos(name, group, found);
    });
  }

  #photos(name, group, found) {
    this.title.textContent = name;
    this.named?.();
    const tools = [];
    if (this.kind !== "favourites") {
      tools.push(make("button", { type: "button", class: "plain", onclick: () => this.back?.() || this.go(this.kind) }, icon("left"), say("browse.back")));
      this.title.focus();
    }
    if (this.by === "album" && found.hits.length) {
      const whole = { album: Number(this.key), name, local: this.selection.local };
      tools.push(make("button", { type: "button", class: "plain", onclick: () => share(whole) }, icon("share"), say("share.open")));
    }
    const filter = this.kind === "favourites" ? "is:favourite" : group.filter;
    if (filter) tools.push(make("button", { type: "button", class: "plain", onclick: () => this.search(filter) }, icon("filter"), say("filters.in_here")));
    if (this.kind === "album") {
      this.selection.show(group);
      tools.push(
        make("button", { type: "button", class: "plain", onclick: () => this.#rename(group) }, say("album.rename")),
        make("button", { type: "button", class: "plain", onclick: () => this.#drop(group) }, say("album.drop")),
      );
    }
    if (this.kind === "person") this.#person(group, tools);
    fill(this.tools, ...tools);
    this.nothing.textContent = found.hits.length ? "" : say(this.kind === "favourites" ? "browse.no_favourites" : "album.empty");
    this.grid.show(found, { heading: monthOf });
  }

  async #make() {
    const name = await choose({ title: say("album.make"), label: say("album.name"), button: say("album.make") });
    if (!name) return;
    await ask("/api/albums", { body: { name } }).catch((error) => tell(error.message));
    this.go("album");
  }

  async #rename(album) {
    const name = await choose({ title: say("album.rename"), label: say("album.name"), button: say("album.rename"), value: album.name });
    if (!name) return;
    await ask(`/api/albums/${album.id}/name`, { body: { name } }).catch((error) => tell(error.message));
    this.go("album");
  }

  async #drop(album) {
    if (!(await confirm(say("album.sure", { name: album.name }), say("album.drop")))) return;
    await ask(`/api/albums/${album.id}/drop`, { body: {} }).catch((error) => tell(error.message));
    this.go("album");
  }
}

function fetchPart(by, key, offset, limit = 120) {
  return ask(`/api/browse?by=${by}&key=${encodeURIComponent(key)}&offset=${offset}&limit=${limit}`);
}

function fetchGroups(kind) {
  if (kind === "person") return fetchPeople();
  return ask(kind === "album" ? "/api/albums" : `/api/groups?by=${kind}`);
}

// How many photos to ask for, to have at least so many at once.
const atOnce = (least) => Math.min(MOST, Math.max(120, least));

const keyOf = (kind, group) => (kind === "album" ? String(group.id) : group.key);

function nameOf(kind, group) {
  if (kind === "album" || kind === "person") return group.name;
  if (!group.key) return say(`browse.unknown_${kind}`);
  if (kind === "place") return placeOfGroup(group.place);
  if (kind === "folder") return group.key.split(/[/\\]/).filter(Boolean).slice(-2).join(" / ") || group.key;
  return group.key;
}

const placeOfGroup = ({ city, country }) => [townName(city, country), countryName(country)].filter(Boolean).join(", ");
