// The edge of the timeline by which one goes through years and months: dragged with a mouse or a finger,
// pressed, or moved with the keyboard.

import { monthName } from "./days.js";
import { make, say } from "./dom.js";
import { monthsOf } from "./layout.js";

// Pixels between two years that are written.
const APART = 24;

export class Scrubber {
  // `go` is called with a height in the timeline.
  constructor(go) {
    this.go = go;
    this.months = [];
    this.years = make("div", { class: "years", "aria-hidden": "true" });
    this.label = make("div", { class: "label", "aria-hidden": "true" });
    this.thumb = make("div", { class: "thumb" });
    this.element = make(
      "div",
      {
        class: "scrubber",
        role: "slider",
        tabindex: "0",
        "aria-orientation": "vertical",
        "aria-label": say("timeline.scrubber"),
        "aria-valuemin": 0,
      },
      this.years,
      this.thumb,
      this.label,
    );
    this.element.addEventListener("pointerdown", (event) => this.#take(event));
    this.element.addEventListener("pointermove", (event) => this.#move(event));
    for (const name of ["pointerup", "pointercancel"]) this.element.addEventListener(name, () => this.#leave());
    this.element.addEventListener("pointerleave", () => this.dragged || this.#leave());
    this.element.addEventListener("keydown", (event) => this.#keys(event));
    addEventListener("resize", () => this.#years());
  }

  // The months of a layout.
  show({ height, blocks }, { days }) {
    const tops = new Map(blocks.filter(({ month }) => month).map(({ month }) => [month.key, month.top]));
    this.height = height;
    this.months = monthsOf(days).map((month) => ({ ...month, top: tops.get(month.key) }));
    this.element.setAttribute("aria-valuemax", Math.max(0, this.months.length - 1));
    this.element.hidden = height < 2 * innerHeight;
    this.month = undefined;
    this.#years();
  }

  // What is at the top of the screen: a height, and a place among the photos.
  at(above, place) {
    const share = this.height ? Math.min(1, Math.max(0, above / this.height)) : 0;
    // Of a property that is inherited all marks would be worked out anew in each frame.
    this.thumb.style.top = `${(100 * share).toFixed(3)}%`;
    const now = this.months.findLastIndex((month) => month.first <= place);
    if (now < 0) return;
    const { key, count } = this.months[now];
    this.now = now;
    if (key === this.month) return;
    this.month = key;
    // The newest is at the top, and upwards is more.
    this.element.setAttribute("aria-valuenow", this.months.length - 1 - now);
    this.element.setAttribute("aria-valuetext", told({ key, count }));
  }

  // Writes the years that there is room for, and a dot for each month between.
  #years() {
    const space = this.element.clientHeight || innerHeight;
    const marks = [];
    let written = -Infinity;
    let year = null;
    for (const { key, top } of this.months) {
      const at = (top / this.height) * space;
      const fresh = key.slice(0, 4) !== year;
      year = key.slice(0, 4);
      const style = `top:${((100 * top) / this.height).toFixed(3)}%`;
      if (fresh && key && at - written >= APART) {
        written = at;
        marks.push(make("span", { class: "year", style }, year));
      } else if (at - written >= APART / 2) marks.push(make("span", { class: "tick", style }));
    }
    this.years.replaceChildren(...marks);
  }

  #take(event) {
    if (event.button) return;
    event.preventDefault();
    this.element.focus({ preventScroll: true });
    this.element.setPointerCapture(event.pointerId);
    this.dragged = true;
    this.#move(event);
  }

  #move(event) {
    if (!this.dragged && event.pointerType === "touch") return;
    const { top, height } = this.element.getBoundingClientRect();
    const share = Math.min(1, Math.max(0, (event.clientY - top) / height));
    const month = this.months.findLast((one) => one.top <= share * this.height) ?? this.months[0];
    this.label.style.top = `clamp(18px, ${(100 * share).toFixed(3)}%, 100% - 18px)`;
    this.label.textContent = told(month);
    this.element.classList.add("pointed");
    if (this.dragged) this.go(share * this.height);
  }

  #leave() {
    this.dragged = false;
    this.element.classList.remove("pointed");
  }

  #keys(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || !this.months.length) return;
    const { months, now = 0 } = this;
    const year = (one) => one.key.slice(0, 4);
    const other = (one) => year(one) !== year(months[now]);
    let to;
    if (event.key === "ArrowDown" || event.key === "ArrowRight") to = now + 1;
    else if (event.key === "ArrowUp" || event.key === "ArrowLeft") to = now - 1;
    else if (event.key === "Home") to = 0;
    else if (event.key === "End") to = months.length - 1;
    else if (event.key === "PageDown") to = months.findIndex((one, place) => place > now && other(one));
    else if (event.key === "PageUp") to = months.findLastIndex((one, place) => place < now && other(one));
    else return;
    event.preventDefault();
    if (!months[to]) return;
    // The next press may come before the page was drawn here.
    this.now = to;
    this.go(months[to].top);
  }
}

const told = ({ key, count }) => `${monthName(key)} · ${say("browse.count", { count })}`;
