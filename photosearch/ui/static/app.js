// Begins when Gradio has drawn the page, and fills the places that it left.

import { Absent } from "./absent.js";
import { BrowsePage } from "./browse.js";
import { drawn, loadTexts, tell } from "./dom.js";
import { thumbnail } from "./grid.js";
import { ProgressCard } from "./indexing.js";
import { LibraryPage } from "./library.js";
import { ask, server } from "./requests.js";
import { SearchPage } from "./search.js";
import { Selection } from "./selection.js";
import { Viewer } from "./viewer.js";

// Milliseconds between two looks at a run, and at a library that nobody changes from here.
const EVERY = 1000;
const SELDOM = 10_000;

class App {
  async start() {
    await loadTexts();
    const [results, box] = await Promise.all([drawn("place-results"), drawn("query")]);
    const input = box.querySelector("input, textarea");
    this.selection = new Selection();
    this.viewer = new Viewer(this.selection);
    this.card = new ProgressCard({ brief: true });
    this.search = new SearchPage(results, input, this.viewer, this.selection, () => this.watch());
    this.viewer.similar = (photo) => {
      document.querySelector("#pages button[role=tab]").click();
      window.scrollTo(0, 0);
      this.search.ask(`photo:${photo.id}`);
    };
    this.absent = [new Absent(), new Absent()];
    results.before(this.absent[0].element, this.card.element);
    this.#keys(input);
    server.addEventListener("back", () => this.#back());
    const asked = new URLSearchParams(location.hash.slice(1)).get("q");
    if (asked) {
      input.value = asked;
      input.dispatchEvent(new Event("input", { bubbles: true }));
    }
    drawn("place-browse").then((place) => {
      place.before(this.absent[1].element);
      this.browse = new BrowsePage(place, this.viewer, this.selection);
      if (this.state) this.browse.changed(this.state);
    });
    drawn("place-library").then((place) => {
      this.libraryCard = new ProgressCard();
      this.library = new LibraryPage(place, this.libraryCard, () => this.watch());
      if (this.state) this.library.refresh(this.state);
    });
    await Promise.all([this.refresh(), asked ? this.search.running : this.search.run()]);
    document.body.classList.add("ready");
    if (this.state.progress.running) this.watch();
    const look = () => document.hidden || this.#look();
    setInterval(look, SELDOM);
    addEventListener("focus", look);
    document.addEventListener("visibilitychange", look);
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
    this.selection.copying.hidden = !state.local;
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
    document.addEventListener("keydown", (event) => {
      const typing = event.target.closest("input, textarea, select, [contenteditable]");
      if (event.key === "/" && !typing && !document.querySelector("dialog[open]")) {
        document.querySelector("#pages button[role=tab]")?.click();
        input.focus();
        input.select();
        event.preventDefault();
      }
    });
  }
}

new App().start().catch((error) => tell(error.message));
