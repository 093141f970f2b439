// A picture on its stage under fingers, mouse, wheel and keys: nearer, farther, and moved.

import { closer, isStrip, moved, opening, scaled, whole, within } from "./geometry.js";

// Milliseconds between two taps that are one double tap, and pixels between them.
const TWICE = 300;
const NEAR = 30;
// Pixels from which on a finger swipes.
const SWIPE = 60;
// Of the speed of a finger that let go, what is left after a millisecond.
const SLOWING = 0.996;
const BY_KEY = 1.5;
const LINE = 24;
// Pixels at the bottom of a video in which browsers put its controls.
const CONTROLS = 80;

// Tells with "change" that the scale is another, by somebody's hand, and with "swipe", {x, y}, of a
// swipe over a picture that is whole.
export class Zoom extends EventTarget {
  // `frame` lies on `stage`, and the picture fills it as far as its form allows.
  constructor(stage, frame) {
    super();
    Object.assign(this, { stage, frame });
    this.size = null;
    this.place = { scale: 1, x: 0, y: 0 };
    this.fingers = new Map();
    this.still = matchMedia("(prefers-reduced-motion: reduce)");
    new ResizeObserver(() => this.#resized()).observe(stage);
    stage.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    stage.addEventListener("pointerdown", (event) => this.#down(event));
    stage.addEventListener("pointermove", (event) => this.#move(event));
    stage.addEventListener("pointerup", (event) => this.#up(event));
    stage.addEventListener("pointercancel", (event) => this.#up(event));
    // The browser would drag a copy of the picture about.
    frame.addEventListener("dragstart", (event) => event.preventDefault());
  }

  // Shows a picture of this size, in its own pixels; null for what cannot be zoomed.
  show(size) {
    this.size = size;
    this.tapped = null;
    this.box = this.#measure();
    this.#put(size ? opening(this.box, size) : { scale: 1, x: 0, y: 0 });
  }

  // Whether it is nearer than whole.
  get zoomed() {
    return Boolean(this.size) && this.place.scale > 1.001 * whole(this.box, this.size);
  }

  // Whether there is more of it at the sides than the stage shows.
  get wider() {
    return this.zoomed && this.size.width * this.place.scale > this.box.width + 1;
  }

  // The screen's pixels for one of the picture's.
  get magnification() {
    return this.place.scale * devicePixelRatio;
  }

  in() {
    this.#scale(this.place.scale * BY_KEY);
  }

  out() {
    this.#scale(this.place.scale / BY_KEY);
  }

  // Whole again.
  reset() {
    if (this.size) this.#scale(whole(this.box, this.size));
  }

  // As a double tap does: nearer, or whole again.
  turn(point) {
    if (this.zoomed && !this.#reads) this.reset();
    else if (this.zoomed) this.#scale(whole(this.box, this.size), point);
    else if (this.size) this.#scale(closer(this.box, this.size, devicePixelRatio), point);
  }

  // Moves the picture by parts of the stage; false where there is no more of it on that side.
  pan(across, down) {
    if (!this.zoomed) return false;
    const { x, y } = this.place;
    this.#to(moved(this.place, across * this.box.width, down * this.box.height, this.box, this.size));
    return this.place.x !== x || this.place.y !== y;
  }

  // Whether a strip is shown along which one goes with the wheel.
  get #reads() {
    return this.zoomed && isStrip(this.box, this.size);
  }

  #measure() {
    return { width: this.stage.clientWidth || 1, height: this.stage.clientHeight || 1 };
  }

  #resized() {
    if (!this.size) return;
    const { zoomed } = this;
    this.box = this.#measure();
    const place = zoomed ? this.place : { scale: whole(this.box, this.size), x: 0, y: 0 };
    this.#put(within(place, this.box, this.size));
  }

  #point({ clientX, clientY }) {
    const { left, top, width, height } = this.stage.getBoundingClientRect();
    return { x: clientX - left - width / 2, y: clientY - top - height / 2 };
  }

  #scale(scale, point = { x: 0, y: 0 }) {
    if (this.size) this.#to(scaled(this.place, scale, point, this.box, this.size));
  }

  // By somebody's hand.
  #to(place) {
    const before = this.place.scale;
    cancelAnimationFrame(this.gliding);
    this.#put(place);
    if (place.scale !== before) this.dispatchEvent(new Event("change"));
  }

  #put(place) {
    this.place = place;
    const by = this.size ? place.scale / whole(this.box, this.size) : 1;
    this.frame.style.transform = by === 1 && !place.x && !place.y ? "" : `translate(${place.x}px, ${place.y}px) scale(${by})`;
    this.stage.classList.toggle("zoomed", this.zoomed);
  }

  #wheel(event) {
    if (!this.size || event.target.closest("button, select")) return;
    event.preventDefault();
    const unit = [1, LINE, this.box.height][event.deltaMode];
    let [across, down] = [event.deltaX * unit, event.deltaY * unit];
    if (this.#reads && !event.ctrlKey) {
      if (event.shiftKey && !across) [across, down] = [down, 0];
      this.#to(moved(this.place, -across, -down, this.box, this.size));
      return;
    }
    // Two fingers on a touchpad come as a wheel with Ctrl, in small steps.
    const by = Math.max(-0.5, Math.min(0.5, down * (event.ctrlKey ? 0.01 : 0.002)));
    this.#scale(this.place.scale * Math.exp(-by), this.#point(event));
  }

  #down(event) {
    const video = event.target.closest("video");
    if (event.button || event.target.closest("button, select") || (video && isControl(video, event))) return;
    cancelAnimationFrame(this.gliding);
    if (!this.fingers.size) this.start = { x: event.clientX, y: event.clientY, at: event.timeStamp };
    else this.start = null;
    this.fingers.set(event.pointerId, event);
    this.speed = null;
    if (!video) this.stage.setPointerCapture(event.pointerId);
  }

  #move(event) {
    const before = this.fingers.get(event.pointerId);
    if (!before) return;
    const others = [...this.fingers.values()].filter((one) => one !== before);
    this.fingers.set(event.pointerId, event);
    const [across, down] = [event.clientX - before.clientX, event.clientY - before.clientY];
    if (others.length) {
      if (this.size) this.#pinch(before, event, others[0]);
    } else if (this.zoomed) {
      const passed = Math.max(1, event.timeStamp - before.timeStamp);
      this.speed = { x: across / passed, y: down / passed, at: event.timeStamp };
      this.stage.classList.add("held");
      this.#to(moved(this.place, across, down, this.box, this.size));
    } else if (this.start && event.pointerType !== "mouse") {
      // It follows the finger, so that one sees what letting go will do.
      this.frame.style.transform = `translate(${event.clientX - this.start.x}px, ${event.clientY - this.start.y}px)`;
    }
  }

  #pinch(before, event, other) {
    const apart = (one) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY) || 1;
    const middle = (one) => this.#point({ clientX: (one.clientX + other.clientX) / 2, clientY: (one.clientY + other.clientY) / 2 });
    const [from, to] = [middle(before), middle(event)];
    const place = scaled(this.place, (this.place.scale * apart(event)) / apart(before), from, this.box, this.size);
    this.#to(moved(place, to.x - from.x, to.y - from.y, this.box, this.size));
  }

  #up(event) {
    if (!this.fingers.delete(event.pointerId)) return;
    this.stage.classList.remove("held");
    const { start } = this;
    this.start = null;
    if (this.fingers.size || event.type === "pointercancel" || !start) {
      if (!this.zoomed) this.#put(this.place);
      return;
    }
    const [x, y] = [event.clientX - start.x, event.clientY - start.y];
    if (Math.hypot(x, y) < NEAR / 3) this.#tap(event);
    else if (this.zoomed && !this.#sideways(x, y)) this.#glide(event);
    else if (event.pointerType !== "mouse") {
      if (!this.zoomed) this.#put(this.place);
      if (Math.max(Math.abs(x), Math.abs(y)) >= SWIPE) this.dispatchEvent(new CustomEvent("swipe", { detail: { x, y } }));
    }
  }

  // Whether it was swiped to a side on which there is no more of it, as along a page that is read.
  #sideways(x, y) {
    return Math.abs(x) > 2 * Math.abs(y) && !this.wider;
  }

  #tap(event) {
    const { tapped } = this;
    this.tapped = event;
    if (!tapped || event.timeStamp - tapped.timeStamp > TWICE) return;
    if (Math.hypot(event.clientX - tapped.clientX, event.clientY - tapped.clientY) > NEAR) return;
    this.tapped = null;
    this.turn(this.#point(event));
  }

  // Goes on for a while as the finger went.
  #glide({ timeStamp, pointerType }) {
    const { speed } = this;
    if (!speed || pointerType === "mouse" || timeStamp - speed.at > 50 || this.still.matches) return;
    let last = timeStamp;
    const step = (now) => {
      const passed = Math.max(0, Math.min(50, now - last));
      last = now;
      this.#put(moved(this.place, speed.x * passed, speed.y * passed, this.box, this.size));
      speed.x *= SLOWING ** passed;
      speed.y *= SLOWING ** passed;
      if (Math.hypot(speed.x, speed.y) > 0.02) this.gliding = requestAnimationFrame(step);
    };
    this.gliding = requestAnimationFrame(step);
  }
}

// Whether a hand is on the controls of a video, where it moves through that; a mouse always is.
function isControl(video, { pointerType, clientY }) {
  return pointerType === "mouse" || clientY > video.getBoundingClientRect().bottom - CONTROLS;
}
