// The photos of a grid one after the other, from the open one on, and then from the first again.

import { fill, icon, make, say } from "./dom.js";

const CHOICES = [3, 5, 10, 20];
const KEPT = "photosearch.slideshow";
// Milliseconds without a hand on anything after which the buttons are put away.
const IDLE = 2500;

export class Slideshow {
  // `viewer` has `element`, `frame`, `place`, `video`, and `step(by)` and `first()`, which resolve when
  // the photo is there; it tells of "photo" and "closed".
  constructor(viewer) {
    this.viewer = viewer;
    this.running = this.playing = false;
    this.still = matchMedia("(prefers-reduced-motion: reduce)");
    const kept = Number(localStorage.getItem(KEPT));
    this.seconds = CHOICES.includes(kept) ? kept : 5;
    this.turn = make("button", { type: "button", onclick: () => (this.playing ? this.pause() : this.resume()) });
    this.choice = make(
      "select",
      { class: "field", "aria-label": say("viewer.interval"), onchange: () => this.#choose() },
      CHOICES.map((seconds) => make("option", { value: seconds }, say("viewer.seconds", { count: seconds }))),
    );
    this.choice.value = String(this.seconds);
    const end = say("viewer.slideshow_end");
    this.bar = make(
      "div",
      { class: "slides", role: "group", "aria-label": say("viewer.slideshow"), hidden: true },
      this.turn,
      this.choice,
      make("button", { type: "button", "aria-label": end, title: end, onclick: () => this.stop() }, icon("close")),
    );
    viewer.addEventListener("photo", () => {
      if (this.running && !this.moving) this.pause();
      this.moving = false;
    });
    viewer.addEventListener("closed", () => this.stop());
    document.addEventListener("visibilitychange", () => this.#seen());
    for (const name of ["pointermove", "pointerdown", "keydown"]) viewer.element.addEventListener(name, () => this.running && this.#wake());
  }

  toggle() {
    if (this.running) this.stop();
    else this.start();
  }

  start() {
    if (this.running) return;
    this.running = true;
    this.bar.hidden = false;
    this.viewer.element.classList.add("playing");
    this.resume();
    this.turn.focus();
    this.#wake();
  }

  stop() {
    if (!this.running) return;
    this.pause();
    this.running = false;
    const held = this.bar.contains(document.activeElement);
    this.bar.hidden = true;
    clearTimeout(this.idle);
    this.viewer.element.classList.remove("playing", "idle");
    if (held) this.viewer.element.querySelector(".slides-begin").focus();
  }

  pause() {
    this.playing = false;
    this.#unwait();
    this.lock?.then((lock) => lock?.release());
    this.lock = null;
    this.#label();
  }

  resume() {
    this.playing = true;
    // The screen stays on, where the browser can see to that.
    this.lock = navigator.wakeLock?.request("screen").catch(() => null);
    this.#label();
    this.#wait();
  }

  #label() {
    const label = say(this.playing ? "viewer.pause" : "viewer.play");
    fill(this.turn, icon(this.playing ? "pause" : "play"));
    for (const name of ["aria-label", "title"]) this.turn.setAttribute(name, label);
  }

  #choose() {
    this.seconds = Number(this.choice.value);
    localStorage.setItem(KEPT, this.choice.value);
    if (this.playing) this.#wait();
  }

  // Until the next one: a photo its time, a video until its end.
  #wait() {
    this.#unwait();
    const { video } = this.viewer;
    if (!video || video.error) {
      this.timer = setTimeout(() => this.#next(), 1000 * this.seconds);
      return;
    }
    const { signal } = (this.waiting = new AbortController());
    video.addEventListener("ended", () => this.#next(), { signal });
    // One that the browser cannot play is a photo.
    video.addEventListener("error", () => this.#wait(), { signal });
    video.play().catch(() => {
      // With sound only somebody's hand may start it.
      video.muted = true;
      return video.play().catch(() => {});
    });
  }

  #unwait() {
    clearTimeout(this.timer);
    this.waiting?.abort();
  }

  async #next() {
    // Until the next photo, whatever is shown after that somebody else has asked for.
    this.moving = true;
    await this.viewer.step(1);
    if (this.moving && this.playing && this.viewer.place > 0) await this.viewer.first();
    this.moving = false;
    if (!this.playing) return;
    if (!this.still.matches) this.viewer.frame.animate([{ opacity: 0 }, { opacity: 1 }], 400);
    this.#wait();
  }

  // A page that nobody sees stands still.
  #seen() {
    if (!this.playing) return;
    if (document.hidden) this.#unwait();
    else this.resume();
  }

  #wake() {
    const { classList } = this.viewer.element;
    classList.remove("idle");
    clearTimeout(this.idle);
    this.idle = setTimeout(() => classList.toggle("idle", this.playing), IDLE);
  }
}
