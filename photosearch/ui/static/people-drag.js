// One card of somebody dropped on another: both are the same person. On the person's own page, and by
// "Who is this?", the same is done without dragging.

import { say, undoable } from "./dom.js";
import { ask } from "./requests.js";

// In a list of cards with `data-drag`; `changed` is called when people were merged, or that was undone.
export function mergeByDragging(list, changed) {
  let dragged = null;
  const cardOf = ({ target }) => target.closest?.("[data-drag]");
  const whom = (card) => JSON.parse(card.dataset.drag);
  const mark = (card) => {
    for (const each of list.querySelectorAll(".onto")) each.classList.remove("onto");
    card?.classList.add("onto");
  };
  const fits = (card) => dragged && card && card !== dragged;
  // Pictures would be dragged by themselves, and buttons not at all in some browsers.
  list.addEventListener("pointerdown", (event) => {
    const card = event.pointerType === "mouse" ? cardOf(event) : null;
    if (!card) return;
    card.draggable = true;
    for (const image of card.querySelectorAll("img")) image.draggable = false;
  });
  list.addEventListener("dragstart", (event) => {
    dragged = cardOf(event);
    if (!dragged) return;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", dragged.textContent);
    dragged.classList.add("dragged");
  });
  list.addEventListener("dragover", (event) => {
    const card = cardOf(event);
    mark(fits(card) ? card : null);
    if (fits(card)) event.preventDefault();
  });
  list.addEventListener("dragend", () => {
    dragged?.classList.remove("dragged");
    dragged = null;
    mark(null);
  });
  list.addEventListener("drop", (event) => {
    const card = cardOf(event);
    if (!fits(card)) return;
    event.preventDefault();
    undoable(merge(whom(dragged), whom(card)), changed);
  });
}

// What was done, in words, and what undoes it.
async function merge(from, to) {
  const send = (path, body) => ask(`/api/${path}`, { body });
  if (from.name && to.name) {
    const done = await send("people/merge", { names: [from.name], into: to.name });
    return { text: say("people.merged", { name: done.name }), undo: () => send("people/undo", done.undo) };
  }
  if (from.name || to.name) {
    const [name, group] = [from.name ?? to.name, from.group ?? to.group];
    await send("faces/name", { group, name });
    return { text: say("faces.named", { name }), undo: () => send("faces/name", { group, name: null }) };
  }
  const both = { group: to.group, other: from.group };
  await send("faces/answer", { ...both, answer: "yes" });
  return { text: say("faces.said_yes"), undo: () => send("faces/answer", { ...both, answer: "undo" }) };
}
