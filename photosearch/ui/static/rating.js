// Stars and keywords of the user's own: beside an open photo, and for those of a selection.

import { fill, icon, make, say, tell } from "./dom.js";
import { keywords } from "./facts.js";
import { ask } from "./requests.js";
import { Turns } from "./turns.js";

const MOST = 5;
// What the server takes of one keyword.
const LONGEST = 200;

// Tells of "change": `ids` of the photos, and what is `known` of a single one then.
export const marks = new EventTarget();

// Changes are made one after another, as they were asked for.
let last = Promise.resolve();

// Gives photos 0 to 5 stars, or with null those of their files again; whether that was done.
export const rate = (ids, stars) =>
  change("/api/rating", { ids, stars }, say("rating.given", { count: ids.length, stars: inWords(stars) }));

// Puts keywords on photos, and takes others off them; whether that was done.
export const tag = (ids, { add = [], remove = [], clear = false }) =>
  change("/api/keywords", { ids, add, remove, clear }, say("keyword.changed", { count: ids.length }));

function inWords(stars) {
  if (stars === null) return say("rating.of_file");
  return stars ? say("rating.stars", { count: stars }) : say("rating.none");
}

function change(path, body, text) {
  const made = last.then(async () => {
    const undo = await send(path, body, body.ids);
    if (undo) tell(text, () => takeBack(undo));
    return Boolean(undo);
  });
  last = made;
  return made;
}

function takeBack(undo) {
  last = last.then(async () => {
    if (await send("/api/marks", { marks: undo }, undo.flatMap(({ ids }) => ids))) tell(say("rating.undone"));
  });
}

// What undoes it, or null when it was not done.
async function send(path, body, changed) {
  const ids = new Set(changed);
  try {
    const { undo, ...known } = await ask(path, { body });
    marks.dispatchEvent(new CustomEvent("change", { detail: { ids, known: known.metadata ? known : null } }));
    return undo;
  } catch (error) {
    tell(error.message);
    // What was shown as done is not.
    marks.dispatchEvent(new CustomEvent("change", { detail: { ids, known: null } }));
    return null;
  }
}

// Calls `show` with what is known of a photo, now and whenever its marks change, while `element` is
// on the page.
function follow(photo, known, element, show) {
  const changed = async ({ detail }) => {
    if (!element.isConnected) marks.removeEventListener("change", changed);
    else if (detail.ids.has(photo.id)) show(detail.known ?? (await ask(`/api/photo/${photo.id}`)));
  };
  marks.addEventListener("change", changed);
  show(known);
  return element;
}

// The rating of an open photo.
export function stars(photo, known) {
  const group = new StarGroup(say("rating.title"), (count) => rate([photo.id], count));
  const note = make("span", { class: "quiet" });
  const reset = quiet(say("rating.reset"), () => {
    group.focus();
    rate([photo.id], null);
  });
  const element = make("div", { class: "rating" }, group.element, note, reset);
  return follow(photo, known, element, ({ metadata, mark }) => {
    group.show(Math.max(0, metadata.rating ?? 0));
    note.textContent = metadata.rating < 0 ? say("rating.rejected") : "";
    reset.hidden = mark.stars === null;
  });
}

// The keywords of an open photo; `shown` gives what stands for one.
export function keywordsEditor(photo, known, shown) {
  const list = make("ul", { class: "chips", "aria-label": say("photo.keywords") });
  const field = new KeywordField((add) => tag([photo.id], { add }));
  const reset = quiet(say("keyword.reset"), () => {
    field.focus();
    tag([photo.id], { clear: true });
  });
  const chip = (word) =>
    make("li", { class: "chip" }, make("span", { class: "text" }, shown(word)), removal(word, () => tag([photo.id], { remove: [word] })));
  const element = make("section", { class: "keywords" }, make("h3", {}, say("photo.keywords")), list, field.element, reset);
  return follow(photo, known, element, ({ metadata, mark }) => {
    keepFocus(list, () => fill(list, keywords(metadata).map(chip)), field);
    reset.hidden = !mark.added.length && !mark.removed.length;
  });
}

// Asks how many stars photos get.
export function askRating(ids) {
  const close = (count) => {
    dialog.close();
    rate(ids, count);
  };
  const group = new StarGroup(say("rating.title"), close);
  const dialog = ours(
    say("rating.ask", { count: ids.length }),
    make("div", { class: "rating" }, group.element),
    make(
      "div",
      { class: "line end" },
      plain(say("rating.none"), () => close(0)),
      plain(say("rating.reset"), () => close(null)),
      plain(say("cancel"), () => dialog.close()),
    ),
  );
  group.show(0);
  group.focus();
}

// Shows the keywords of photos, to put on all of them or to take off.
export function askKeywords(ids) {
  const list = make("ul", { class: "chips", "aria-label": say("photo.keywords") });
  const field = new KeywordField((add) => tag(ids, { add }));
  const turns = new Turns(list);
  const put = (word) => onChip("plus", say("keyword.to_all", { name: word }), () => tag(ids, { add: [word] }));
  const chip = ({ keyword, count }) =>
    make(
      "li",
      { class: "chip" },
      make("span", { class: "text" }, keyword, ids.length > 1 ? make("span", { class: "quiet" }, say("keyword.of", { count, total: ids.length })) : null),
      count < ids.length ? put(keyword) : null,
      removal(keyword, () => tag(ids, { remove: [keyword] })),
    );
  const show = (found) => keepFocus(list, () => fill(list, found.map(chip)), field);
  const look = () => turns.take("keywords", () => ask("/api/keywords/of", { body: { ids } }), show).catch((error) => tell(error.message));
  const dialog = ours(
    say("keyword.ask", { count: ids.length }),
    list,
    field.element,
    make("div", { class: "line end" }, plain(say("close"), () => dialog.close())),
  );
  marks.addEventListener("change", look);
  dialog.addEventListener("close", () => marks.removeEventListener("change", look));
  field.focus();
  look();
}

// Radio buttons that look like stars. Pressing the one that is chosen takes it back.
class StarGroup {
  constructor(label, pick) {
    this.pick = pick;
    this.count = 0;
    const name = `stars-${crypto.getRandomValues(new Uint32Array(1))[0]}`;
    this.inputs = Array.from({ length: MOST + 1 }, (_, count) =>
      make("input", { type: "radio", class: "unseen", name, value: count, "aria-label": inWords(count), onclick: () => this.#press(count) }),
    );
    this.labels = this.inputs.map((input, count) =>
      make("label", { class: count ? "star" : "star no", title: inWords(count) }, input, icon(count ? "star" : "close")),
    );
    this.element = make("fieldset", { class: "stars" }, make("legend", {}, label), this.labels);
  }

  show(count) {
    this.count = count;
    this.inputs[count].checked = true;
    this.labels.forEach((label, at) => label.classList.toggle("on", at > 0 && at <= count));
    this.element.dataset.stars = count;
  }

  focus() {
    this.inputs[this.count].focus();
  }

  #press(count) {
    if (!count && !this.count) return;
    this.show(count === this.count ? 0 : count);
    this.pick(this.count);
  }
}

// Where keywords are typed, several with commas between them.
class KeywordField {
  constructor(add) {
    const id = `keyword-${crypto.getRandomValues(new Uint32Array(1))[0]}`;
    const found = make("datalist", { id: `${id}-known` });
    const turns = new Turns(found);
    const suggest = () => {
      const [, before, word] = /^(.*,\s*)?([^,]*)$/.exec(this.input.value);
      const option = (one) => make("option", { value: (before ?? "") + one });
      turns
        .take(word, () => ask(`/api/keywords?start=${encodeURIComponent(word.trim())}`), (words) => fill(found, words.map(option)))
        // Without them it is a field as any other.
        .catch(() => fill(found));
    };
    this.input = make("input", {
      class: "field",
      id,
      type: "text",
      list: found.id,
      maxlength: LONGEST * MOST,
      autocomplete: "off",
      enterkeyhint: "done",
      placeholder: say("keyword.add_some"),
      "aria-label": say("keyword.add_some"),
      onfocus: suggest,
      oninput: suggest,
    });
    const submit = async (event) => {
      event.preventDefault();
      const words = this.input.value.split(",").map((word) => word.trim()).filter(Boolean);
      if (words.length && (await add(words))) this.input.value = "";
      this.input.focus();
    };
    this.element = make(
      "form",
      { class: "line keyword-form", onsubmit: submit },
      this.input,
      found,
      make("button", { type: "submit", class: "plain" }, say("keyword.add")),
    );
  }

  focus() {
    this.input.focus();
  }
}

const plain = (text, onclick) => make("button", { type: "button", class: "plain", onclick }, text);
const quiet = (text, onclick) => make("button", { type: "button", class: "as-link", onclick }, text);

const removal = (word, onclick) => onChip("close", say("keyword.remove", { name: word }), onclick);

function onChip(picture, label, onclick) {
  return make("button", { type: "button", class: "remove", "aria-label": label, title: label, onclick }, icon(picture));
}

// Draws a list anew; the focus stays at its place in it, or goes to the field behind it.
function keepFocus(list, draw, field) {
  const at = [...list.children].indexOf(document.activeElement?.closest("li"));
  draw();
  if (at >= 0) (list.children[at]?.querySelector("button") ?? field).focus();
}

// A dialog that goes away when it is closed.
function ours(title, ...content) {
  const dialog = make("dialog", { class: "chooser small", "aria-labelledby": "marks-title" }, make("h2", { id: "marks-title" }, title), ...content);
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}
