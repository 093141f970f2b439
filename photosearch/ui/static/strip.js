// A row of buttons that is wider than the screen: pushed by a finger, turned on by two buttons where
// there is a mouse, and one stop of the Tab key, from which arrows go along.

import { icon, make, say } from "./dom.js";

const STEPS = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };

// The row of these items (<li>) with its label, and what turns it on.
export function stripOf(items, label) {
  const list = make("ul", { class: "row", "aria-label": label, onkeydown: (event) => along(list, event), onfocusin: ({ target }) => stopAt(list, target) }, items);
  const turn = (name, by) =>
    make(
      "button",
      { type: "button", class: "plain slim turn", tabindex: "-1", "aria-label": say(`start.${name}`), title: say(`start.${name}`), onclick: () => list.scrollBy({ left: by * 0.8 * list.clientWidth }) },
      icon(name),
    );
  const turns = [turn("left", -1), turn("right", 1)];
  // Each is of use while the item at its end is out of sight.
  const ends = [items[0], items.at(-1)];
  const watcher = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) ends.forEach((end, at) => end === target && turns[at].classList.toggle("idle", isIntersecting));
    },
    { root: list, threshold: 0.9 },
  );
  for (const end of ends) if (end) watcher.observe(end);
  stopAt(list, buttons(list)[0]);
  return { list, turns: make("span", { class: "turns" }, turns) };
}

const buttons = (list) => [...list.querySelectorAll("button")];

// The stop of the Tab key is where the focus was last.
function stopAt(list, button) {
  for (const one of buttons(list)) one.tabIndex = one === button ? 0 : -1;
}

function along(list, event) {
  if (!(event.key in STEPS) || event.shiftKey || event.ctrlKey || event.altKey || event.metaKey) return;
  const all = buttons(list);
  const at = all.indexOf(event.target);
  event.preventDefault();
  all[Math.min(Math.max(at + STEPS[event.key], 0), all.length - 1)]?.focus();
}
