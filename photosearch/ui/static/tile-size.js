// How large photos are in every grid, as it was set last; a slider sets it.

import { icon, make, say } from "./dom.js";

const KEY = "photosearch.tiles";
// Beside what is usual on a screen of this size.
const SCALES = [0.5, 0.7, 1, 1.4, 2];
const USUAL = 2;

export const sizes = new EventTarget();

let step = USUAL;

// Before anything is drawn.
export function useKeptSize() {
  try {
    const kept = Number(localStorage.getItem(KEY) ?? USUAL);
    if (kept in SCALES) step = kept;
  } catch {
    // No storage is allowed.
  }
  apply();
}

const apply = () => document.documentElement.style.setProperty("--scale", SCALES[step]);

// Pixels that a row of photos is high.
export const rowHeight = () => (matchMedia("(max-width: 640px)").matches ? 118 : 200) * SCALES[step];

export function changeSize(by) {
  setSize(Math.min(SCALES.length - 1, Math.max(0, step + by)));
}

function setSize(to) {
  if (to === step) return;
  step = to;
  apply();
  try {
    localStorage.setItem(KEY, step);
  } catch {
    // It holds until the page is left.
  }
  sizes.dispatchEvent(new Event("change"));
}

export function sizeSlider() {
  const slider = make("input", {
    type: "range",
    min: 0,
    max: SCALES.length - 1,
    step: 1,
    "aria-label": say("timeline.size"),
    title: say("timeline.size"),
    oninput: () => setSize(Number(slider.value)),
  });
  const show = () => {
    slider.value = step;
    slider.setAttribute("aria-valuetext", say("timeline.size_of", { size: step + 1, all: SCALES.length }));
  };
  sizes.addEventListener("change", show);
  show();
  return make("span", { class: "tile-size" }, icon("smaller"), slider, icon("larger"));
}
