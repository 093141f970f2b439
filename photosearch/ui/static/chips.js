// Parts of what was typed, as the chips change it. The server counts characters; JavaScript counts an
// emoji, and much else beyond the first plane, as two.

import { named } from "./place-names.js";
import { heardChip } from "./translations.js";

// What a part means, in the language of the page where the server put it into words.
export function meaningOf(part) {
  if (part.kind !== "filter") return part.meaning;
  return heardChip(part.meaning.replace(/^(in|not in|near|in the area of) (.+)$/, (_, how, place) => `${how} ${named(place)}`));
}

// So many characters of a text, in JavaScript's units.
export const units = (text, characters) => [...text].slice(0, characters).join("").length;

// The text with `other` in the place of a part. Blanks are tidied where the part stood, and nowhere
// else: in quotes they belong to what is looked for.
export function instead(text, part, other) {
  const letters = [...text];
  const [before, after] = [letters.slice(0, part.start), letters.slice(part.end)].map((some) => some.join("").trim());
  return [before, other, after].filter(Boolean).join(" ");
}

// The text without some of its parts, each given as where it starts and ends.
export function without(text, spans) {
  // From the last to the first, so that those before stay where they are.
  const parts = spans.map(([start, end]) => ({ start, end })).sort((a, b) => b.start - a.start);
  return parts.reduce((left, part) => instead(left, part, ""), text);
}

// The text with a filter behind it, which takes the place of some of its parts.
export const asking = (text, filter, spans = []) => `${without(text, spans)} ${filter}`.trim();

// What stands in the text there.
export const typedAt = (text, [start, end]) => [...text].slice(start, end).join("");

// What is to be typed in the place of words that are read as another language's, so that they are
// read as they are.
export function asItIs(text, part) {
  const [sign] = /^-?(?:\d*\.?\d+:)?/.exec([...text].slice(part.start, part.end).join(""));
  const minus = part.kind === "unlike" && !sign.startsWith("-") ? "-" : "";
  const words = /\s/.test(part.meaning) ? `"${part.meaning}"` : part.meaning;
  return `${minus}${sign}en:${words}`;
}

// What is to be typed in the place of words that name something known, so that they only say what
// is seen.
export const asSeen = (text, part) =>
  [...text].slice(part.start, part.end).join("").replace(/(^|\s)(?=\S)/g, "$1\\");
