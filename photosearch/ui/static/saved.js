// Searches that are kept by a name.

import { choose } from "./choosers.js";
import { icon, make, say, tell } from "./dom.js";
import { ask } from "./requests.js";

// One of them, to search for again, and to remove.
export function savedSearch({ name, text }, repeat, removed) {
  const remove = async () => {
    await ask("/api/saved/remove", { body: { name } }).catch((error) => tell(error.message));
    removed();
  };
  const label = say("saved.remove", { name });
  return make(
    "span",
    { class: "chip" },
    make("button", { type: "button", class: "text", title: text, onclick: repeat }, icon("heart"), name),
    make("button", { type: "button", class: "remove", "aria-label": label, onclick: remove }, icon("close")),
  );
}

// Asks for a name, and keeps a search by it; whether that was done.
export async function saveSearch(text, sort) {
  const name = await choose({ title: say("saved.save"), label: say("saved.name"), button: say("saved.save"), value: text });
  if (!name) return false;
  try {
    await ask("/api/saved", { body: { name, text, sort } });
    tell(say("saved.done", { name }));
    return true;
  } catch (error) {
    tell(error.message);
    return false;
  }
}
