// Looking through photos without a query: by month, place, folder or camera; favourites, albums,
// and what is there more than once.

import { choose, confirm } from "./choosers.js";
import { fill, icon, make, number, say, tell } from "./dom.js";
import { Duplicates } from "./duplicates.js";
import { Grid, monthName, monthOf, thumbnail } from "./grid.js";
import { ask } from "./requests.js";
import { Turns } from "./turns.js";

// Photos that are given at once.
const MOST = 500;
const KINDS = ["month", "place", "folder", "camera", "album", "favourites", "duplicates"];

export class BrowsePage {
  constructor(place, viewer, selection) {
    this.kind = "month";
    this.tabs = KINDS.map((kind) =>
      make("button", { type: "button", class: "plain", "data-kind": kind, onclick: () => this.go(kind) }, say(`browse.${kind}`)),
    );
    this.title = make("h2", { tabindex: "-1" });
    this.tools = make("div", { class: "line" });
    this.cards = make("ul", { class: "cards" });
    this.nothing = make("p", { class: "quiet" });
    this.problem = make("p", { class: "warning", role: "alert" });
    this.duplicates = new Duplicates(viewer);
    this.turns = new Turns(place);
    this.grid = new Grid({
      label: say("browse.photos"),
      selection,
      more: (offset) => fetchPart(this.by, this.key, offset),
      open: (at) => viewer.open(this.grid, at),
    });
    fill(
      place,
      make("h1", { class: "unseen" }, say("tab.browse")),
      make("nav", { class: "kinds", "aria-label": say("browse.by") }, this.tabs),
      make("div", { class: "line head" }, this.title, this.tools),
      this.nothing,
      this.problem,
      this.duplicates.element,
      this.cards,
      this.grid.element,
    );
    this.selection = selection;
    selection.addEventListener("out", ({ detail }) => this.key === String(detail.id) && this.kind === "album" && this.#renew());
    selection.addEventListener("albums", () => this.kind === "album" && this.go("album"));
  }

  // The library has other photos than before, perhaps. What is on the screen stays where it is; the
  // comparison for duplicates takes long, and is not begun by itself.
  changed({ photos, missing, encoded }) {
    const edition = [photos, missing, encoded].join();
    const same = edition === this.edition;
    [this.edition, this.hidden] = [edition, missing > 0];
    if (!this.drawn) this.go(this.kind);
    else if (!same && this.kind !== "duplicates") this.#renew();
  }

  async #renew() {
    const { grid, by, key, from } = this;
    if (!grid.size) this.go(this.kind);
    else if (grid.asked - from <= MOST) {
      const { photos } = grid;
      const limit = Math.max(120, grid.asked - from);
      const asked = [fetchPart(by, key, from, limit), this.kind === "month" ? ask("/api/groups?by=month") : null];
      const [found, months] = await Promise.all(asked).catch(() => []);
      // Unless something else has been asked for meanwhile.
      if (!found || photos !== grid.photos || grid.stale) return;
      if (months) this.#months(months, found, from, true);
      else if (found.hits.length) grid.show(found, { heading: monthOf, keep: true });
      else this.go(this.kind);
    }
  }

  async go(kind) {
    this.kind = kind;
    this.drawn = true;
    this.selection.show(null);
    for (const tab of this.tabs) tab.setAttribute("aria-pressed", String(tab.dataset.kind === kind));
    this.tools.replaceChildren();
    this.title.textContent = "";
    this.cards.replaceChildren();
    this.grid.show({ hits: [], more: false });
    this.nothing.textContent = "";
    this.duplicates.element.hidden = kind !== "duplicates";
    if (kind === "duplicates") await this.#take(kind, () => this.duplicates.look());
    else if (kind === "month") await this.#timeline();
    else if (kind === "favourites") await this.#group("album", "1", say("browse.favourites"));
    else await this.#overview(kind);
  }

  // What is on the screen stays until the answer comes, and steps back meanwhile.
  async #take(question, fetch, show) {
    this.grid.outdate(true);
    this.problem.textContent = "";
    const told = (answer) => {
      show?.(answer);
      this.grid.outdate(false);
    };
    await this.turns.take(question, fetch, told).catch((error) => (this.problem.textContent = error.message));
  }

  // All photos, newest first, under their months; and a list of months to go to.
  #timeline(offset = 0) {
    const fetch = () => Promise.all([ask("/api/groups?by=month"), fetchPart("", "", offset)]);
    return this.#take(offset ? `month:${offset}` : "month", fetch, ([months, found]) => this.#months(months, found, offset));
  }

  #months(months, found, offset, keep = false) {
    [this.by, this.key, this.from] = ["", "", offset];
    let from = 0;
    const options = months.map((month) => {
      const option = make("option", { value: from }, `${month.key ? monthName(month.key) : say("browse.no_date")} (${number(month.count)})`);
      from += month.count;
      return option;
    });
    const select = make(
      "select",
      { class: "field", "aria-label": say("browse.go_to"), onchange: () => this.#timeline(Number(select.value)) },
      options,
    );
    select.value = String(offset);
    fill(this.tools, ...(months.length ? [select] : []));
    this.nothing.textContent = months.length ? "" : say(this.hidden ? "browse.all_hidden" : "browse.nothing");
    this.grid.show(found, { heading: monthOf, offset, keep });
  }

  #overview(kind) {
    const fetch = () => ask(kind === "album" ? "/api/albums" : `/api/groups?by=${kind}`);
    return this.#take(kind, fetch, (groups) => this.#groups(kind, groups));
  }

  #groups(kind, groups) {
    const cards = groups
      .filter((group) => !group.favourites)
      .map((group) => this.#card(kind, group, kind === "album" ? String(group.id) : group.key, nameOf(kind, group)));
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

  #card(kind, group, key, name) {
    const picture = group.cover
      ? make("img", { src: thumbnail(group.cover), alt: "", width: 240, height: 180, loading: "lazy", decoding: "async" })
      : make("span", { class: "blank" });
    return make(
      "li",
      {},
      make(
        "button",
        { type: "button", class: "group", onclick: () => this.#group(kind, key, name, group) },
        picture,
        make("strong", {}, name),
        make("span", { class: "quiet" }, say("browse.count", { count: group.count })),
      ),
    );
  }

  #group(by, key, name, group) {
    this.cards.replaceChildren();
    this.nothing.textContent = "";
    const question = this.kind === "favourites" ? this.kind : `${by}:${key}`;
    return this.#take(question, () => fetchPart(by, key, 0), (found) => {
      [this.by, this.key, this.from] = [by, key, 0];
      this.#photos(name, group, found);
    });
  }

  #photos(name, group, found) {
    this.title.textContent = name;
    const tools = [];
    if (this.kind !== "favourites") {
      tools.push(make("button", { type: "button", class: "plain", onclick: () => this.go(this.kind) }, icon("left"), say("browse.back")));
      this.title.focus();
    }
    if (this.kind === "album") {
      this.selection.show(group);
      tools.push(
        make("button", { type: "button", class: "plain", onclick: () => this.#rename(group) }, say("album.rename")),
        make("button", { type: "button", class: "plain", onclick: () => this.#drop(group) }, say("album.drop")),
      );
    }
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

function nameOf(kind, group) {
  if (kind === "album") return group.name;
  if (!group.key) return say(`browse.unknown_${kind}`);
  if (kind === "place") return [group.place.city, group.place.country].filter(Boolean).join(", ");
  if (kind === "folder") return group.key.split(/[/\\]/).filter(Boolean).slice(-2).join(" / ") || group.key;
  return group.key;
}
