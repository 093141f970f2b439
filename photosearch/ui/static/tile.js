// One photo in a grid: its picture, what it is beside that, and the button that selects it.

import { date, icon, make, say } from "./dom.js";
import { placeOf } from "./place-names.js";

export const thumbnail = (photo) => `/api/thumbnail/${photo.id}?v=${photo.version ?? ""}`;

export function describe(photo) {
  const parts = [photo.name];
  if (photo.taken) parts.push(date(photo.taken));
  if (photo.place) parts.push(placeOf(photo));
  return parts.join(", ");
}

// Pictures are shown cropped beyond these, or a panorama would fill the screen.
export const ratioOf = ({ width, height }) => Math.min(2.6, Math.max(0.6, width / height || 1));

// It has as few elements as can be, for a screen of them is drawn with each letter that is typed: its
// heart and its tick are drawn by the styles. `press` is called for a photo that is pressed, `choose` for one to select, with whether all up to it
// are. `byFinger` tells whether a finger was used last. With `dated` the date stands on it.
export function tileOf(photo, { selection, press, choose, byFinger, dated = true }) {
  const ratio = ratioOf(photo);
  const picture = make("img", {
    src: thumbnail(photo),
    alt: describe(photo),
    width: Math.round(ratio * 200),
    height: 200,
    loading: "lazy",
    decoding: "async",
    onerror: () => broken(button, true),
    onload: () => button.classList.contains("broken") && broken(button, false),
  });
  const caption = [dated && photo.taken && date(photo.taken, { short: true }), photo.place && placeOf(photo)].filter(Boolean).join(" · ");
  const button = make(
    "button",
    {
      class: "tile",
      type: "button",
      title: photo.name,
      onclick: (event) => {
        if (selection.size || event.ctrlKey || event.metaKey || event.shiftKey) choose(event.shiftKey);
        else press();
      },
    },
    picture,
    caption ? make("span", { class: "caption", "aria-hidden": "true" }, caption) : null,
  );
  const pick = make("button", {
    class: "pick",
    type: "button",
    tabindex: "-1",
    "aria-label": say("grid.select", { name: photo.name }),
    "aria-pressed": String(selection.has(photo)),
    title: say("grid.select_key"),
    // It is not seen before it is pointed at, which a finger does not do.
    onclick: (event) => {
      if (byFinger() && !selection.size) press();
      else choose(event.shiftKey);
    },
  });
  const classes = [selection.has(photo) && "chosen", photo.favourite && "favourite"];
  return make(
    "li",
    { style: `--ratio: ${ratio.toFixed(4)}`, "data-id": photo.id, class: classes.filter(Boolean).join(" ") },
    button,
    pick,
    badges(photo),
  );
}

function broken(button, is) {
  button.classList.toggle("broken", is);
  button.querySelector(".unreadable")?.remove();
  if (is) button.append(make("span", { class: "unreadable", "aria-hidden": "true" }, say("photo.unreadable")));
}

export function markChosen(tile, chosen) {
  tile.classList.toggle("chosen", chosen);
  tile.querySelector(".pick").setAttribute("aria-pressed", String(chosen));
}

// What a photo is beside a picture.
function badges(photo) {
  const { marks = [], width, height, burst } = photo;
  const found = marks.map((mark) => badge(mark, mark === "raw" ? "RAW" : icon(mark)));
  if (width >= 2 * height && !marks.includes("video")) found.push(badge("panorama", icon("panorama")));
  if (burst) found.push(badge("burst", [icon("burst"), String(burst)], { count: burst }));
  return found.length ? make("span", { class: "badges" }, found) : null;
}

function badge(kind, content, values = {}) {
  const label = say(`timeline.${kind}`, values);
  return make("span", { class: "badge", role: "img", "data-kind": kind, title: label, "aria-label": label }, content);
}
