// People in lists, each by a face, and what can be said of one: by what name to show them, and who is
// the same.

import { askWho, choose, choosePerson } from "./choosers.js";
import { fill, icon, make, number, say, tell, undoable } from "./dom.js";
import { thumbnail } from "./grid.js";
import { ask } from "./requests.js";

// Who else is in the photos of one.
const BESIDE = 12;

export const fetchPeople = () => ask("/api/people");

// The address of a picture of somebody: the face, where it is known where that is.
// `at` is a moment of a video, in seconds.
export function faceOf({ cover, area, at = null }) {
  if (!area) return thumbnail(cover);
  const moment = at === null ? "" : `&at=${at.toFixed(3)}`;
  return `/api/photo/${cover.id}/face?area=${area.map((side) => side.toFixed(4)).join(",")}${moment}&v=${cover.version ?? ""}`;
}

// What a card shows: a face, the name, and in what group they are.
export function personCard(person, open) {
  const { name, above, count, hidden, cover } = person;
  return make(
    "li",
    { class: hidden ? "faded" : null, "data-drag": JSON.stringify({ name }) },
    make(
      "button",
      { type: "button", class: "group somebody", "data-name": name, onclick: open },
      cover ? make("img", { src: faceOf(person), alt: "", width: 160, height: 160, loading: "lazy", decoding: "async" }) : make("span", { class: "blank" }),
      make("strong", {}, name),
      make("span", { class: "quiet" }, [...above, say("browse.count", { count })].join(" · ")),
    ),
  );
}

// Faces that look like one person's, of which nobody has said whose they are: a press asks for the name.
// `known` gives names that there are; `changed` is called when one was given. Each `card` with its `group`.
export async function strangers(known, changed) {
  const groups = await ask("/api/faces/groups").catch(() => []);
  const named = async ({ group }) => {
    const name = await askWho(known());
    if (!name) return;
    const send = (said) => ask("/api/faces/name", { body: { group, name: said } });
    const done = send(name).then(() => ({ text: say("faces.named", { name }), undo: () => send(null) }));
    undoable(done, changed);
  };
  const hide = ({ group }) => {
    const send = (hidden) => ask("/api/faces/hide", { body: { group, hidden } });
    const done = send(true).then(() => ({ text: say("faces.hidden"), undo: () => send(false) }));
    undoable(done, changed);
  };
  return groups.map((one) => ({
    group: one,
    card: make(
      "li",
      { class: "stranger", "data-group": one.group, "data-drag": JSON.stringify({ group: one.group }) },
      make(
        "button",
        { type: "button", class: "group somebody", onclick: () => named(one) },
        make("img", { src: faceOf(one), alt: "", width: 160, height: 160, loading: "lazy", decoding: "async" }),
        make("strong", {}, say("faces.who")),
        make("span", { class: "quiet" }, say("browse.count", { count: one.count })),
      ),
      make("button", { type: "button", class: "plain slim", onclick: () => hide(one) }, say("people.hide")),
    ),
  }));
}

// Buttons for one person. `everybody` are those who may be the same; `changed` is called with the name
// by which the person is shown then, or with "" when it is not certain that there is one.
export function personTools(person, everybody, changed) {
  const { name, names, hidden } = person;
  const edit = async (path, body, text) => {
    try {
      const done = await ask(`/api/people/${path}`, { body });
      tell(text(done.name), () => takeBack(done.undo));
      changed(done.name);
    } catch (error) {
      tell(error.message);
    }
  };
  const takeBack = async (undo) => {
    await ask("/api/people/undo", { body: undo }).catch((error) => tell(error.message));
    changed("");
  };
  const rename = async () => {
    const wanted = await choose({ title: say("people.rename"), label: say("people.name"), button: say("people.rename"), value: name });
    if (wanted && wanted !== name) edit("rename", { name, new: wanted }, (shown) => say("people.renamed", { name: shown }));
  };
  const merge = async () => {
    const others = proposals(person, everybody);
    const into = await choosePerson({
      title: say("people.merge_title", { name }),
      button: say("people.same"),
      names: others.map((one) => one.name),
    });
    if (into) edit("merge", { names: [name], into }, (shown) => say("people.merged", { name: shown }));
  };
  const split = (other) => edit("split", { name, other }, () => say("people.was_split", { name: other }));
  const hide = () => edit("hide", { name, hidden: !hidden }, () => say(hidden ? "people.shown" : "people.was_hidden", { name }));
  const button = (label, onclick) => make("button", { type: "button", class: "plain", onclick }, label);
  return {
    buttons: [
      button(say("people.rename"), rename),
      everybody.length > 1 ? button(say("people.merge"), merge) : null,
      button(say(hidden ? "people.show" : "people.hide"), hide),
    ],
    // The other names, each with a button that takes it away.
    names: names.filter((one) => one !== name).map((other) => {
      const label = say("people.split", { name: other });
      return make(
        "li",
        { class: "chip", "data-name": other },
        make("span", { class: "text" }, other),
        make("button", { type: "button", class: "remove", "aria-label": label, title: label, onclick: () => split(other) }, icon("close")),
      );
    }),
  };
}

// Those of whom a word of the name is the same come first, then those in most photos.
export function proposals({ name, names }, everybody) {
  const words = (texts) => new Set(texts.flatMap((text) => text.toLocaleLowerCase().split(/\s+/u)));
  const own = words(names);
  const shares = (one) => [...words(one.names)].some((word) => own.has(word));
  const others = everybody.filter((one) => one.name !== name && !one.hidden);
  return [...others.filter(shares), ...others.filter((one) => !shares(one))];
}

// Who else is in the photos of somebody, with a button for each.
async function beside(name, open) {
  const found = await ask(`/api/people/with?name=${encodeURIComponent(name)}`).catch(() => []);
  return found.slice(0, BESIDE).map((one) =>
    make("button", { type: "button", class: "plain slim", onclick: () => open(one.name) }, one.name, make("span", { class: "quiet" }, number(one.count))),
  );
}

// Other names of somebody, and who else is in their photos; `open` goes to one of these.
export function aboutPerson(person, names, open) {
  const others = make("div", { class: "line", hidden: true });
  beside(person.name, open).then((found) => {
    others.hidden = !found.length;
    fill(others, make("span", { class: "quiet" }, say("people.with")), found);
  });
  const also = names.length ? make("div", { class: "line" }, make("span", { class: "quiet" }, say("people.also")), make("ul", { class: "chips" }, names)) : null;
  return [also, others];
}
