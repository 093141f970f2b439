// What the server says, in the language of the page: errors, what the doctor finds, chips of filters.
//
// The server speaks English, to this page as to programs. A catalogue has for each of its sentences,
// {0} for what differs, the same in another language; {0:said} is a part that is looked up as well.
// What is not in it stays English.

const PLACE = /\{(\d)(:said)?\}/g;
let known = { messages: [], chips: [], examples: [] };

// Takes over a catalogue: sentences by their English, for each kind.
export function learn(catalogue) {
  known = {};
  for (const [kind, sentences] of Object.entries(catalogue)) {
    // Of several that fit, the one that says most by itself is meant.
    const own = ([english]) => english.replace(PLACE, "").length;
    const longest = Object.entries(sentences).sort((a, b) => own(b) - own(a));
    known[kind] = longest.map(([english, said]) => [pattern(english), said]);
  }
}

// A sentence of the server's.
export const heard = (text) => told(text, "messages") ?? reason(text) ?? text;

// What stands on the chip of a filter.
export const heardChip = (text) => told(text, "chips") ?? text;

// A search that is proposed. The models are given English for it, see words/gloss.py.
export const heardExample = (text) => told(text, "examples") ?? text;

function pattern(english) {
  const parts = english.split(/\{\d\}/).map((part) => part.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&"));
  return new RegExp(`^${parts.join("(.+?)")}$`, "s");
}

function told(text, kind) {
  for (const [fits, said] of known[kind]) {
    const found = fits.exec(text);
    if (found) {
      return said.replace(PLACE, (_, number, again) => {
        const value = found[Number(number) + 1];
        return again ? (told(value, kind) ?? value) : value;
      });
    }
  }
  return null;
}

// A name and what is wrong with it: "/photos/a.jpg: Permission denied".
function reason(text) {
  const colon = text.lastIndexOf(": ");
  const said = colon > 0 ? told(text.slice(colon + 2), "messages") : null;
  return said && text.slice(0, colon + 2) + said;
}
