// What keys do, and the dialog that lists them: both are made of one table.

import { icon, make, say } from "./dom.js";

const ARROWS = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"];
const STARS = ["0", "1", "2", "3", "4", "5"];

// `where` they work: in the box, among photos, in an open photo, or anywhere but in a field. `keys` as
// the browser names them, with what they are held with: "mod" is Ctrl, and Cmd on a Mac. `act` is
// what is done, and the end of the key of its text; where nobody does it, it is not listed. `shown`
// is what stands in the list for `keys`; a `pointer` has no key, and is only listed.
export const SHORTCUTS = [
  { where: "anywhere", keys: ["/"], act: "search" },
  { where: "anywhere", keys: ["?"], act: "help" },
  { where: "box", keys: ["Enter"], act: "now" },
  { where: "box", keys: ["ArrowDown"], act: "enter" },
  { where: "box", keys: ["Escape"], act: "empty" },
  { where: "photos", keys: ARROWS, act: "move" },
  { where: "photos", keys: ["Home", "End"], act: "ends" },
  { where: "photos", keys: ["Enter"], act: "open" },
  { where: "photos", keys: [" ", "x"], act: "select" },
  { where: "photos", held: ["Shift"], keys: ARROWS, act: "stretch" },
  { where: "photos", held: ["Shift"], keys: ["x"], act: "through" },
  { where: "photos", held: ["Shift"], keys: ["click"], act: "through", pointer: true },
  { where: "photos", held: ["mod"], keys: ["click"], act: "select", pointer: true },
  { where: "photos", held: ["mod"], keys: ["a"], act: "all" },
  { where: "photos", keys: ["+", "=", "-"], shown: ["+", "-"], act: "size" },
  { where: "photos", keys: STARS, shown: ["0", "…", "5"], act: "rate" },
  { where: "photos", keys: ["Escape"], act: "clear" },
  { where: "photo", keys: ["ArrowLeft", "ArrowRight"], act: "step" },
  { where: "photo", keys: ["ArrowUp", "ArrowDown", "PageUp", "PageDown"], act: "pan" },
  { where: "photo", keys: ["+", "="], shown: ["+"], act: "closer" },
  { where: "photo", keys: ["-"], act: "farther" },
  { where: "photo", keys: ["z"], act: "zoom" },
  { where: "photo", keys: ["f"], act: "full" },
  { where: "photo", keys: ["s"], act: "slides" },
  { where: "photo", keys: ["l", "."], act: "like" },
  { where: "photo", keys: STARS, shown: ["0", "…", "5"], act: "rate" },
  { where: "photo", keys: ["i"], act: "panel" },
  { where: "photo", keys: ["w"], act: "why" },
  { where: "photo", keys: ["p"], act: "faces" },
  // The dialog closes by itself.
  { where: "photo", keys: ["Escape"], act: "close", pointer: true },
];
const PLACES = ["anywhere", "box", "photo", "photos"];
const SIGNS = { ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓" };
const NAMED = ["PageUp", "PageDown", "Enter", "Escape", "Home", "End", "Shift", " ", "click", "Ctrl"];

// Whether the keyboard has Cmd.
export const isMac = () => /mac|iphone|ipad/i.test(navigator.userAgentData?.platform ?? navigator.platform ?? "");

// The key, as the table has it. On keyboards with other letters that of the same place.
function keyOf({ key, code = "" }) {
  if (key.length > 1) return key;
  const place = /^Key([A-Z])$/.exec(code);
  return (/^[^\x00-\x7f]$/.test(key) && place ? place[1] : key).toLowerCase();
}

// What a key does in one of these places, null for nothing. "/", "?" and digits are on other keys
// elsewhere, and need Shift on some; only where it makes a difference is it looked at.
export function shortcut(event, places, mac = isMac()) {
  const key = keyOf(event);
  const mod = mac ? event.metaKey : event.ctrlKey;
  if (event.altKey || (mac ? event.ctrlKey : event.metaKey)) return null;
  const fits = ({ where, keys, held = [], pointer }) =>
    !pointer &&
    places.includes(where) &&
    keys.includes(key) &&
    held.includes("mod") === mod &&
    (held.includes("Shift") === event.shiftKey || /^[^a-z ]$/.test(key));
  return SHORTCUTS.find(fits) ?? null;
}

// What these are turned by is theirs.
const TURNED = "input[type=radio], input[type=range], [role=slider], video";
const TURNS = [...ARROWS, "Home", "End", "PageUp", "PageDown", " "];
const FIELD = "textarea, select, [contenteditable], input:not([type=checkbox], [type=radio], [type=range])";

export class Keys {
  // `acts` has what is done by place and name: called with the event and the key, it returns false
  // where there is nothing to do. `box` is the search box, `viewer` the dialog of a photo.
  constructor(acts, { box, viewer }) {
    Object.assign(this, { acts, box, viewer });
    this.acts.anywhere.help = () => this.help();
    document.addEventListener("keydown", (event) => this.#press(event));
  }

  #places({ target }) {
    const dialogs = document.querySelectorAll("dialog[open]");
    const top = dialogs[dialogs.length - 1];
    if (target === this.box) return ["box"];
    if (target.closest?.(FIELD)) return [];
    if (!top) return ["anywhere", "photos"];
    // The search box lies under a photo.
    return top === this.viewer ? ["photo", "anywhere"] : [];
  }

  #press(event) {
    if (event.defaultPrevented || event.isComposing) return;
    if (TURNS.includes(event.key) && event.target.closest?.(TURNED)) return;
    const found = shortcut(event, this.#places(event));
    const act = found && this.acts[found.where][found.act];
    if (!act || act(event, keyOf(event)) === false) return;
    event.preventDefault();
    // Firefox presses a button when the key is let go.
    if (event.key === " ") document.addEventListener("keyup", (up) => up.preventDefault(), { once: true, capture: true });
  }

  // Lists all.
  help() {
    const mac = isMac();
    const title = make("h2", { id: "keys-title" }, say("keys.title"));
    const list = (where) => {
      const rows = SHORTCUTS.filter((one) => one.where === where && (one.pointer || this.acts[where]?.[one.act]));
      if (!rows.length) return null;
      return make("section", {}, make("h3", {}, say(`keys.${where}`)), make("dl", {}, rows.map((row) => entry(row, mac))));
    };
    const dialog = make(
      "dialog",
      { class: "chooser keys", "aria-labelledby": "keys-title" },
      make(
        "div",
        { class: "line between" },
        title,
        make("button", { type: "button", class: "plain", "aria-label": say("close"), onclick: () => dialog.close() }, icon("close")),
      ),
      make("div", { class: "lists", tabindex: "0", role: "group", "aria-labelledby": "keys-title" }, make("div", {}, PLACES.map(list))),
    );
    dialog.addEventListener("close", () => dialog.remove());
    dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close());
    document.body.append(dialog);
    dialog.showModal();
  }
}

function entry({ where, keys, held = [], shown = keys, act }, mac) {
  const sign = (key) => {
    const name = key === "mod" ? (mac ? "Cmd" : "Ctrl") : key;
    const text = NAMED.includes(name) ? say(`keys.name.${name.trim() || "Space"}`) : SIGNS[name];
    return make("kbd", {}, text ?? name.toUpperCase());
  };
  const together = held.flatMap((key) => [sign(key), "+"]);
  return make("div", {}, make("dt", {}, ...together, ...shown.map(sign)), make("dd", {}, say(`keys.${where}.${act}`)));
}
