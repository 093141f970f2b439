import assert from "node:assert/strict";
import test from "node:test";

import { asItIs, asSeen, asking, instead, typedAt, units, without } from "../../../photosearch/ui/static/chips.js";

// As the server does: from the beginning of `what` to its end, in characters.
function part(text, what, more = {}) {
  const start = [...text.slice(0, text.indexOf(what))].length;
  return { start, end: start + [...what].length, ...more };
}

test("an emoji is one character of the server's, and two units here", () => {
  assert.equal(units("a🐶b", 0), 0);
  assert.equal(units("a🐶b", 1), 1);
  assert.equal(units("a🐶b", 2), 3);
  assert.equal(units("a🐶b", 9), 4);
});

for (const text of ["dogs camera:nikon -lion", "🐶🐶 camera:nikon -lion", "𝒜 café camera:nikon -lion"]) {
  test(`a part of "${text}" is taken off`, () => {
    const left = instead(text, part(text, "camera:nikon"), "");
    assert.equal(left, text.replace("camera:nikon ", ""));
    const last = part(text, "-lion");
    assert.equal(text.slice(units(text, last.start), units(text, last.end)), "-lion");
  });
}

test("what is taken off leaves no blanks behind", () => {
  assert.equal(instead("type:raw", { start: 0, end: 8 }, ""), "");
  assert.equal(instead("a  b  c", { start: 3, end: 4 }, "x"), "a x c");
});

test("blanks in quotes stay as they are", () => {
  const text = '🐶 "two  blanks" type:raw';
  assert.equal(instead(text, part(text, "type:raw"), ""), '🐶 "two  blanks"');
});

const span = (text, what) => Object.values(part(text, what));

test("several parts leave the text at once, and a filter comes behind", () => {
  const text = '🐶  camera:nikon "a  b" on:2021 type:raw';
  const spans = [span(text, "type:raw"), span(text, "camera:nikon"), span(text, "on:2021")];
  assert.equal(without(text, spans), '🐶 "a  b"');
  assert.equal(asking(text, "year:2020", spans.slice(0, 2)), '🐶 "a  b" on:2021 year:2020');
  assert.equal(asking("", "year:2020"), "year:2020");
  assert.equal(typedAt(text, spans[1]), "camera:nikon");
});

for (const [text, what, meaning, kind, expected] of [
  ["gift im Wald", "gift", "gift", "like", "en:gift"],
  ["2:gift", "2:gift", "gift", "like", "2:en:gift"],
  ["a -gift", "-gift", "gift", "unlike", "-en:gift"],
  ["-.5:gift", "-.5:gift", "gift", "unlike", "-.5:en:gift"],
  ["a ohne Autos", "ohne Autos", "Autos", "unlike", "-en:Autos"],
  ["🎁 gift box", "gift box", "gift box", "like", 'en:"gift box"'],
]) {
  test(`"${what}" as it is: ${expected}`, () => {
    assert.equal(asItIs(text, part(text, what, { meaning, kind })), expected);
  });
}

for (const [text, what, expected] of [
  ["rome at night", "rome", "\\rome"],
  ["🌃 New York", "New York", "\\New \\York"],
]) {
  test(`"${what}" in "${text}" is only seen as ${expected}`, () => {
    assert.equal(asSeen(text, part(text, what)), expected);
  });
}
