// One photo, large, with what is known of it. A <dialog>: it keeps the focus, and Esc closes it.

import { icon, make, number, say } from "./dom.js";
import { Faces } from "./faces.js";
import { describe } from "./grid.js";
import { LargePicture } from "./large-picture.js";
import { PhotoPanel } from "./photo-panel.js";
import { Player } from "./player.js";
import { rate } from "./rating.js";
import { ask } from "./requests.js";
import { Slideshow } from "./slideshow.js";
import { Why } from "./why.js";
import { Zoom } from "./zoom.js";

const KEPT = "photosearch.panel";
// Parts of the stage that a key moves a picture by.
const STEP = 0.15;
const DOWN = { ArrowUp: STEP, ArrowDown: -STEP, PageUp: 0.9, PageDown: -0.9 };

// Tells of each photo that it shows with "photo", {photo, grid}, and with "closed" of its end.
// `search` is set from outside: it is called with a text for the search box.
export class Viewer extends EventTarget {
  constructor(selection) {
    super();
    this.picture = make("img", { class: "large" });
    this.facesButton = this.#button("person", "viewer.faces", () => this.faces.toggle(), "", { "aria-pressed": "false", hidden: true });
    this.faces = new Faces(this.facesButton);
    this.frame = make("div", { class: "frame" }, this.picture, this.faces.element);
    this.told = make("p", { class: "told", role: "status" });
    const buttons = this.#buttons();
    this.stage = make("div", { class: "stage" }, this.frame, this.told, buttons);
    this.why = new Why(this.picture);
    this.panel = new PhotoPanel(selection, this.why, (text) => this.#leave(text));
    this.panel.faces = this.faces;
    this.panel.renew = () => this.photo && this.#tell(this.photo, this.grid?.why?.());
    // A dialog itself may not fill the screen.
    this.whole = make("div", { class: "whole" }, this.stage, this.panel.element);
    this.element = make("dialog", { class: "viewer", "aria-label": say("photo.viewer") }, this.whole);
    document.body.append(this.element);
    this.large = new LargePicture(this.picture, (text, wrong) => this.#say(text, wrong));
    this.player = new Player(this.picture, () => this.#say(say("viewer.no_video"), true));
    this.zoom = new Zoom(this.stage, this.frame);
    this.slides = new Slideshow(this);
    this.stage.append(this.slides.bar);
    this.zoom.addEventListener("change", () => this.#zoomed());
    this.zoom.addEventListener("swipe", ({ detail }) => this.#swiped(detail));
    this.element.addEventListener("cancel", (event) => {
      if (!document.fullscreenElement && !this.slides.running) return;
      event.preventDefault();
      if (document.fullscreenElement) document.exitFullscreen();
      this.slides.stop();
    });
    this.element.addEventListener("close", () => this.#closed());
    document.addEventListener("fullscreenchange", () => this.#press(this.fullButton, this.whole === document.fullscreenElement));
    this.#putPanel(localStorage.getItem(KEPT) !== "closed");
  }

  // Whether the photo at this place was opened, and is there as large as a screen.
  async open(grid, place) {
    const { photos } = grid;
    if (!(await grid.reach(place)) || grid.photos !== photos) return false;
    const photo = grid.photos[place];
    const asked = grid.why?.();
    [this.grid, this.photo, this.at] = [grid, photo, place];
    this.picture.style.aspectRatio = `${photo.width} / ${photo.height}`;
    this.picture.style.setProperty("--ratio", photo.width / photo.height);
    // A tiny picture does not get clearer by filling the screen.
    this.picture.style.maxWidth = `${photo.width * 2}px`;
    this.picture.alt = describe(photo);
    this.why.clear();
    this.faces.clear();
    this.player.stop();
    this.motionButton.hidden = true;
    this.previous.disabled = place === 0;
    this.next.disabled = place === grid.photos.length - 1 && !grid.hasMore;
    this.panel.begin(photo);
    const shown = this.large.show(photo);
    if (!this.element.open) this.element.showModal();
    this.zoom.show({ width: photo.width, height: photo.height });
    this.#zoomed();
    this.dispatchEvent(new CustomEvent("photo", { detail: { photo, grid } }));
    await Promise.all([this.#tell(photo, asked), shown]);
    if (!this.#isShown(photo)) return false;
    this.large.prepare([grid.photos[place + 1], grid.photos[place - 1]].filter(Boolean));
    return true;
  }

  // What is known of it, and with that how it is shown.
  async #tell(photo, asked) {
    this.under?.abort();
    const { signal } = (this.under = new AbortController());
    try {
      const known = await ask(`/api/photo/${photo.id}`, { signal });
      if (!this.#isShown(photo)) return;
      this.panel.show(photo, known, { asked, local: this.local });
      if (known.missing) return;
      this.faces.show(known.persons, this.picture, () => this.panel.renew());
      if (known.format === "VIDEO") {
        this.zoom.show(null);
        this.player.open(photo);
      } else {
        // It moves only as a whole.
        if (known.format === "GIF") this.large.getFull();
        this.#lookForMotion(photo, signal);
      }
    } catch (error) {
      if (error.name !== "AbortError" && this.#isShown(photo)) this.panel.fail(error);
    }
  }

  async #lookForMotion(photo, signal) {
    const { motion } = await ask(`/api/photo/${photo.id}/motion`, { signal }).catch(() => ({}));
    if (this.#isShown(photo)) this.motionButton.hidden = !motion;
  }

  #isShown(photo) {
    return this.element.open && this.photo === photo;
  }

  get video() {
    return this.player.video;
  }

  // Its place in the grid: others may have come before it. Below 0 when it is not there any more.
  get place() {
    return this.grid ? this.grid.photos.indexOf(this.photo) : -1;
  }

  // Whether there is such a photo, once it is there.
  async step(by) {
    const { place, grid } = this;
    if (!grid) return false;
    if (place >= 0) return this.open(grid, place + by);
    // It was taken out, and the next one has come to where it was.
    return this.open(grid, by < 0 ? this.at - 1 : this.at);
  }

  first() {
    return this.open(this.grid, 0);
  }

  zoomIn() {
    this.zoom.in();
  }

  zoomOut() {
    this.zoom.out();
  }

  slideshow() {
    this.zoom.reset();
    this.slides.toggle();
  }

  favourite() {
    this.panel.heart?.click();
  }

  // Gives the photo that is open 0 to 5 stars.
  rate(stars) {
    return this.element.open && this.photo ? rate([this.photo.id], stars) : null;
  }

  fullScreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.whole.requestFullscreen().catch((error) => this.#say(error.message, true));
  }

  togglePanel() {
    const open = this.element.classList.contains("bare");
    localStorage.setItem(KEPT, open ? "open" : "closed");
    this.#putPanel(open);
    if (open) this.panel.element.focus({ preventScroll: true });
  }

  #putPanel(open) {
    this.element.classList.toggle("bare", !open);
    this.#press(this.panelButton, open);
  }

  #press(button, on) {
    button.setAttribute("aria-pressed", String(on));
  }

  // Closes, and searches for a text.
  #leave(text) {
    this.grid = null;
    this.element.close();
    this.search(text);
  }

  #closed() {
    if (document.fullscreenElement) document.exitFullscreen();
    this.under?.abort();
    this.large.clear();
    this.why.clear();
    this.player.stop();
    this.grid?.focus(this.place);
    this.dispatchEvent(new CustomEvent("closed"));
  }

  // What there is to say of the picture; otherwise how near one looks at it.
  #say(text, wrong = false) {
    this.told.classList.toggle("wrong", wrong);
    this.saying = text;
    this.#level();
  }

  #level() {
    const level = this.zoom?.zoomed ? say("viewer.level", { percent: number(100 * this.zoom.magnification) }) : "";
    this.told.textContent = [level, this.saying].filter(Boolean).join(" · ");
  }

  #zoomed() {
    this.#level();
    this.#press(this.zoomButton, this.zoom.zoomed);
    if (!this.zoom.zoomed) return;
    this.slides.pause();
    this.large.look(this.zoom.magnification);
  }

  #swiped({ x, y }) {
    if (Math.abs(x) > Math.abs(y)) this.step(x < 0 ? 1 : -1);
    else if (y > 0) this.element.close();
    else if (this.element.classList.contains("bare")) this.togglePanel();
  }

  #move() {
    const on = this.motionButton.getAttribute("aria-pressed") !== "true";
    this.player.stop();
    this.#press(this.motionButton, on);
    if (!on) return;
    this.zoom.reset();
    this.player.move(this.photo, () => this.#press(this.motionButton, false));
  }

  #button(picture, label, onclick, kind, properties = {}) {
    return make("button", { type: "button", class: kind, "aria-label": say(label), title: say(label), onclick, ...properties }, icon(picture));
  }

  #buttons() {
    const button = (...properties) => this.#button(...properties);
    const off = { "aria-pressed": "false" };
    this.previous = button("left", "photo.previous", () => this.step(-1), "side previous");
    this.next = button("right", "photo.next", () => this.step(1), "side next");
    this.motionButton = button("play", "viewer.motion", () => this.#move(), "motion", { ...off, hidden: true });
    this.zoomButton = button("zoom", "viewer.zoom", () => this.zoom.turn(), "", off);
    this.fullButton = button("full", "viewer.full_screen", () => this.fullScreen(), "", off);
    this.panelButton = button("info", "viewer.panel", () => this.togglePanel(), "panel-toggle");
    const slides = button("slides", "viewer.slideshow", () => this.slideshow(), "slides-begin");
    const shut = button("close", "close", () => this.element.close(), "shut");
    const tools = [this.motionButton, this.facesButton, this.zoomButton, slides, document.fullscreenEnabled ? this.fullButton : null, this.panelButton, shut];
    return [this.previous, this.next, make("div", { class: "corner" }, tools)];
  }

  // Does what a key is for (keys.js has which); false where there is nothing to do. With a picture that
  // is nearer than whole, arrows move it where there is more of it.
  press(act, { target }, key) {
    const acts = {
      step: () => this.zoom.pan(key === "ArrowLeft" ? STEP : -STEP, 0) || this.zoom.wider || this.step(key === "ArrowLeft" ? -1 : 1),
      pan: () => !this.panel.element.contains(target) && this.zoom.pan(0, DOWN[key]),
      closer: () => this.zoomIn(),
      farther: () => this.zoomOut(),
      zoom: () => this.zoom.turn(),
      full: () => this.fullScreen(),
      slides: () => this.slideshow(),
      like: () => this.favourite(),
      rate: () => this.rate(Number(key)),
      panel: () => this.togglePanel(),
      why: () => this.why.press(),
      faces: () => this.faces.toggle(),
    };
    return acts[act]();
  }
}
