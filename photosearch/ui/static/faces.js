// Who is where in the open photo: boxes around faces, with the names of those who are known.

import { fill, icon, make, say, tell } from "./dom.js";
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

  // Of a photo whose picture fills the place of `picture`.
  show(persons, picture) {
    const placed = persons.filter(({ area }) => area);
    this.element.style.cssText = picture.style.cssText;
    fill(this.element, placed.map(({ name, area: [left, top, width, height] }) =>
      make(
        "div",
        { class: "face", "data-name": name, style: `left: ${percent(left)}; top: ${percent(top)}; width: ${percent(width)}; height: ${percent(height)}` },
        name ? make("span", {}, name) : null,
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

// Says that a face in a photo is not somebody's; `changed` is called when that was done, or taken back.
async function refuse(id, name, changed) {
  const send = (path, body) => ask(`/api/faces/${path}`, { body });
  try {
    const { undo } = await send("refuse", { id, name });
    const back = () => send("accept", { faces: undo }).then(changed, (error) => tell(error.message));
    tell(say("faces.refused", { name }), { text: say("rating.undo"), press: back });
    changed();
  } catch (error) {
    tell(error.message);
  }
}

// The names in a photo, each a way to more of them; `link` makes one, `point` is called with the name
// that is pointed at, and `changed` when somebody was taken off the photo.
export function namesIn({ photo_id: id, persons = [] }, link, point, changed) {
  const named = persons.filter(({ name }) => name);
  const nameless = persons.length - named.length;
  const parts = named.map(({ name, area, found }) => {
    const label = say("faces.not", { name });
    const no = () => refuse(id, name, changed);
    const item = make("span", { class: "named" }, link(name), found ? make("button", { type: "button", class: "remove", "aria-label": label, title: label, onclick: no }, icon("close")) : null);
    if (!area) return item;
    for (const [event, shown] of [["pointerenter", name], ["pointerleave", ""], ["focusin", name], ["focusout", ""]]) {
      item.addEventListener(event, () => point(shown));
    }
    return item;
  });
  if (nameless) parts.push(make("span", { class: "quiet" }, say("people.nameless", { count: nameless })));
  return parts;
}
