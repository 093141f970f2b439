// Whether the open photo is right for what was searched for, and learning from such marks.

import { fill, make, say, tell } from "./dom.js";
import { ask } from "./requests.js";

// Fewer marks teach nothing.
const FEWEST = 6;

// What is asked of a photo that was found for {query, picture, parts}; null where nothing was
// described in words.
export function verdict(photo, asked) {
  const described = asked.parts.some((part) => part.kind === "like" && part.name === "text");
  if (asked.picture || photo.score === null || !described) return null;
  const place = make("div", { class: "stacked verdict" });
  show(place, photo, asked);
  return place;
}

async function show(place, photo, asked) {
  try {
    const search = new URLSearchParams({ q: asked.query });
    draw(place, photo, asked, await ask(`/api/verdict/${photo.id}?${search}`));
  } catch {
    // It is no single description: there is nothing to say of it.
    place.remove();
  }
}

function draw(place, photo, asked, { query, right, marks, tuned }) {
  const button = (side, label) =>
    make(
      "button",
      {
        type: "button",
        class: "plain",
        "data-side": String(side),
        "aria-pressed": String(right === side),
        onclick: () => mark(place, photo, asked, right === side ? null : side, right),
      },
      say(label),
    );
  const learning = marks >= FEWEST && marks !== tuned;
  const focused = document.activeElement?.dataset?.side;
  fill(
    place,
    make("div", { class: "line" }, make("span", { class: "quiet" }, say("verdict.ask", { query })), button(true, "verdict.right"), button(false, "verdict.wrong")),
    learning ? make("button", { type: "button", class: "plain learn", onclick: (event) => learn(event.currentTarget, place, photo, asked) }, say("verdict.learn", { count: marks })) : null,
  );
  if (focused) place.querySelector(`[data-side="${focused}"]`)?.focus();
}

async function mark(place, photo, asked, side, before) {
  try {
    const found = await ask("/api/verdict", { body: { q: asked.query, ids: [photo.id], right: side } });
    draw(place, photo, asked, found);
    const told = { true: "verdict.is_right", false: "verdict.is_wrong", null: "verdict.cleared" }[side];
    tell(say(told, found), () => mark(place, photo, asked, before, side));
  } catch (error) {
    tell(error.message);
  }
}

async function learn(button, place, photo, asked) {
  button.setAttribute("aria-disabled", "true");
  tell(say("verdict.learning"));
  try {
    const { on } = await ask("/api/tune", { body: {} });
    tell(say(on ? "verdict.learned" : "verdict.no_help"), on ? () => revert(place, photo, asked) : null);
    if (on) await show(place, photo, asked);
    else button.remove();
  } catch (error) {
    button.removeAttribute("aria-disabled");
    tell(error.message);
  }
}

async function revert(place, photo, asked) {
  try {
    await ask("/api/tune/revert", { body: {} });
    tell(say("verdict.reverted"));
    await show(place, photo, asked);
  } catch (error) {
    tell(error.message);
  }
}
