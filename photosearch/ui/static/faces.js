// Who is where in the open photo: boxes around faces, with the names of those who are known.

import { askWho } from "./choosers.js";
import { fill, icon, make, say, undoable } from "./dom.js";
import { ask } from "./requests.js";

const KEPT = "photosearch.faces";

const percent = (part) => `${(100 * part).toFixed(2)}%`;

export class Faces {
  // `button` shows and hides them, and is there only where a photo has any.
  constructor(button) {
    this.button = button;
    this.element = make("div", { class: "large faces", hidden: true });
    this.on = localStorage.getItem(KEPT) === "on";
  }

  // Of a photo whose picture fills the place of `picture`; `changed` is called when a face got a name.
  show(persons, picture, changed = () => {}) {
    const placed = persons.filter(({ area }) => area);
    this.element.style.cssText = picture.style.cssText;
    fill(this.element, placed.map(({ name, face, area: [left, top, width, height] }) =>
      make(
        "div",
        { class: "face", "data-name": name, style: `left: ${percent(left)}; top: ${percent(top)}; width: ${percent(width)}; height: ${percent(height)}` },
        name ? make("span", {}, name) : face ? make("button", { type: "button", onclick: () => nameFace(face, changed) }, say("faces.who")) : null,
      ),
    ));
    this.button.hidden = !placed.length;
    this.#draw();
  }

  clear() {
    fill(this.element);
    this.button.hidden = true;
    this.#draw();
  }

  toggle() {
    if (this.button.hidden) return false;
    this.on = !this.on;
    localStorage.setItem(KEPT, this.on ? "on" : "off");
    this.#draw();
    return true;
  }

  open() {
    if (!this.on) this.toggle();
    this.element.querySelector("button")?.focus();
  }

  // The face of one person, for as long as somebody points at the name; "" for none.
  point(name) {
    this.pointed = name;
    this.#draw();
  }

  #draw() {
    this.button.setAttribute("aria-pressed", String(this.on));
    this.element.hidden = !this.on && !this.pointed;
    for (const face of this.element.children) face.hidden = !this.on && face.dataset.name !== this.pointed;
  }
}

// Asks whose a face is; `changed` is called when that was said, or taken back.
async function nameFace(face, changed) {
  const people = await ask("/api/people").catch(() => []);
  const name = await askWho(people.map((one) => one.name));
  if (!name) return;
  const send = async () => {
    const { group } = await ask("/api/faces/name-face", { body: { face, name } });
    const undo = () => ask("/api/faces/name", { body: { group, name: null } });
    return { text: say("faces.named", { name }), undo };
  };
  undoable(send(), changed);
}

// Says that no face in photos is somebody's; `changed` is called when that was done, or taken back. Whether
// it was done.
export function refuse(ids, name, changed) {
  const send = async () => {
    const { undo: faces } = await ask("/api/faces/refuse", { body: { ids, name } });
    const undo = () => ask("/api/faces/accept", { body: { faces } });
    return { text: say("faces.refused", { name }), undo };
  };
  return undoable(send(), changed);
}

// The names in a photo, each a way to more of them; `link` makes one, `point` is called with the name
// that is pointed at, `changed` when somebody was taken off the photo, and `open` shows all faces.
export function namesIn({ photo_id: id, persons = [] }, link, point, changed, open) {
  const named = persons.filter(({ name }) => name);
  const nameless = persons.length - named.length;
  const parts = named.map(({ name, area, found }) => {
    const label = say("faces.not", { name });
    const no = () => refuse([id], name, changed);
    const item = make("span", { class: "named" }, link(name), found ? make("button", { type: "button", class: "remove", "aria-label": label, title: label, onclick: no }, icon("close")) : null);
    if (!area) return item;
    for (const [event, shown] of [["pointerenter", name], ["pointerleave", ""], ["focusin", name], ["focusout", ""]]) {
      item.addEventListener(event, () => point(shown));
    }
    return item;
  });
  if (nameless) {
    const told = say("people.nameless", { count: nameless });
    const found = persons.some(({ name, face, area }) => !name && face && area);
    parts.push(found ? make("button", { type: "button", class: "plain slim", onclick: open }, told) : make("span", { class: "quiet" }, told));
  }
  return parts;
}
