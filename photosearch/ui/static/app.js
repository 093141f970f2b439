// Begins when Gradio has drawn the page, and fills the places that it left.

import { Absent } from "./absent.js";
import { BrowsePage } from "./browse.js";
import { drawn, loadTexts, tell } from "./dom.js";
import { thumbnail } from "./grid.js";
import { ProgressCard } from "./indexing.js";
import { Keys } from "./keys.js";
import { LibraryPage } from "./library.js";
import { Navigation } from "./navigation.js";
import { ask, server } from "./requests.js";
import { SearchPage } from "./search.js";
import { Selection } from "./selection.js";
import { changeSize } from "./tile-size.js";
import { useKeptSize } from "./tile-size.js";
import { Viewer } from "./viewer.js";

// Milliseconds between two looks at a run, and at a library that nobody changes from here.
const EVERY = 1000;
const SELDOM = 10_000;

class App {
  async start() {
    useKeptSize();
    await loadTexts();
    const [results, box] = await Promise.all([drawn("place-results"), drawn("query")]);
    const input = box.querySelector("input, textarea");
    this.selection = new Selection();
    this.viewer = new Viewer(this.selection);
    this.card = new ProgressCard({ brief: true });
    this.search = new SearchPage(results, input, this.viewer, this.selection, () => this.watch());
    this.viewer.search = (text) => this.#find(text);
    this.search.favourites = () => this.#favourites();
    this.navigation = new Navigation(this.viewer, this.search);
    this.absent = [new Absent(), new Absent()];
    results.before(this.absent[0].element, this.card.element);
    this.#keys(input);
    server.addEventListener("back", () => this.#back());
    drawn("place-browse").then((place) => {
      place.before(this.absent[1].element);
      this.browse = new BrowsePage(place, this.viewer, this.selection, (text) => this.#find(text));
      this.navigation.add("browse", this.browse);
      if (this.state) this.browse.changed(this.state);
    });
    drawn("place-library").then((place) => {
      this.libraryCard = new ProgressCard();
      this.library = new LibraryPage(place, this.libraryCard, () => this.watch());
      this.navigation.add("library", this.library);
      if (this.state) this.library.refresh(this.state);
    });
    await Promise.all([this.refresh(), this.navigation.begin()]);
    document.body.classList.add("ready");
    if (this.state.progress.running) this.watch();
    const look = () => document.hidden || this.#look();
    setInterval(look, SELDOM);
    addEventListener("focus", look);
    document.addEventListener("visibilitychange", look);
  }

  // Searches from another page.
  #find(text) {
    document.querySelector("#pages button[role=tab]").click();
    window.scrollTo(0, 0);
    this.search.ask(text);
  }

  async #favourites() {
    document.querySelector("#pages [role=tab][data-tab-id=browse]").click();
    // It may be drawn only now.
    await drawn("place-browse");
    this.browse.go("favourites", "replace");
  }

  async refresh() {
    await this.#show(await ask("/api/state"));
  }

  async #show(state) {
    this.state = state;
    // A run that was over before it could be followed.
    for (const card of [this.card, this.libraryCard]) if (card && !card.element.hidden) card.show(state.progress);
    for (const one of this.absent) one.show({ folders: state.not_connected });
    this.search.changed(state);
    this.viewer.local = state.local;
    this.selection.local = state.local;
    this.browse?.changed(state);
    await this.library?.refresh(state);
  }

  // Whether the library is another than before: others change it, too, and drives come and go.
  async #look() {
    if (this.watching || this.looking) return;
    this.looking = true;
    try {
      const state = await ask("/api/state");
      if (this.watching) return;
      if (state.progress.running) this.watch();
      else if (JSON.stringify(state) !== JSON.stringify(this.state) || this.lost) await this.#show(state);
      this.lost = false;
    } catch (error) {
      this.lost = true;
      for (const one of this.absent) one.show({ problem: error.message });
    } finally {
      this.looking = false;
    }
  }

  // The server answers again; what was asked for meanwhile comes by itself.
  #back() {
    for (const picture of document.images) {
      const { src } = picture;
      if (src && picture.complete && !picture.naturalWidth) picture.src = src;
    }
    this.watch();
  }

  // Follow an index run until it ends.
  async watch() {
    // A run that begins when the one before has just ended is followed, too.
    this.begun = true;
    if (this.watching) return;
    this.watching = true;
    try {
      while (this.begun) {
        this.begun = false;
        await this.#follow();
        await this.refresh();
      }
    } catch (error) {
      tell(error.message);
    } finally {
      this.watching = false;
    }
  }

  async #follow() {
    this.pictured = null;
    for (;;) {
      const progress = await ask("/api/progress");
      if (progress.newest.length && this.state) this.state.photos ||= 1;
      progress.latest = progress.newest[0]?.id;
      // While they come quickly, only those are shown of which there are pictures by now.
      if (progress.running) {
        this.#draw(progress.newest);
        progress.newest = this.pictured ?? [];
      }
      this.card.show(progress);
      this.libraryCard?.show(progress);
      if (this.state) {
        this.state.progress = progress;
        this.search.changed(this.state, progress.newest);
      }
      if (!progress.running) break;
      await new Promise((resolve) => setTimeout(resolve, EVERY));
    }
  }

  // Has small pictures made of photos, unless others are being made.
  async #draw(photos) {
    if (this.drawing) return;
    this.drawing = true;
    const one = (photo) =>
      new Promise((done) => {
        const picture = new Image();
        picture.onload = picture.onerror = done;
        picture.src = thumbnail(photo);
      });
    await Promise.all(photos.map(one));
    this.pictured = photos;
    this.drawing = false;
  }

  #keys(input) {
    const { search, selection, viewer } = this;
    const grid = () => this.navigation.grid;
    const among = (act) => (event, key) => (grid() ? grid().press(act, event, key) : false);
    const rate = (event, key) => {
      const ids = selection.size ? [...selection.photos.keys()] : grid()?.focused ? [grid().focused.id] : [];
      return ids.length ? selection.rate(ids, Number(key)) : false;
    };
    const clear = () => (selection.size ? selection.clear() : false);
    const acts = {
      anywhere: {
        search: () => {
          if (viewer.element.open) return false;
          document.querySelector("#pages button[role=tab]")?.click();
          input.focus();
          return input.select();
        },
      },
      box: {
        now: () => search.submit(),
        enter: () => (search.shown.size ? search.shown.focus(0) : false),
        empty: () => (input.value ? search.ask("") : clear()),
      },
      photos: {
        ...named(["move", "ends", "open", "select", "stretch", "through", "all"], among),
        clear,
        rate,
        size: (event, key) => (grid()?.focused ? changeSize(key === "-" ? -1 : 1) : false),
      },
      photo: named(["step", "pan", "closer", "farther", "zoom", "full", "slides", "like", "rate", "panel", "why", "faces"], (act) => (event, key) => viewer.press(act, event, key)),
    };
    this.keys = new Keys(acts, { box: input, viewer: viewer.element });
  }
}

const named = (names, make) => Object.fromEntries(names.map((name) => [name, make(name)]));

new App().start().catch((error) => tell(error.message));
