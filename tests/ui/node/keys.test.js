import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { SHORTCUTS, shortcut } from "../../../photosearch/ui/static/keys.js";

const files = new URL("../../../photosearch/ui/texts/", import.meta.url);
const press = (key, more = {}) => ({ key, code: "", shiftKey: false, ctrlKey: false, metaKey: false, altKey: false, ...more });
const act = (event, place, mac = false) => shortcut(event, [place], mac)?.act;

for (const [event, place, expected] of [
  [press("/"), "anywhere", "search"],
  // As on a German keyboard.
  [press("/", { shiftKey: true, code: "Digit7" }), "anywhere", "search"],
  [press("?", { shiftKey: true, code: "Minus" }), "anywhere", "help"],
  // As on a French one.
  [press("3", { shiftKey: true }), "photos", "rate"],
  // As on a Russian one.
  [press("а", { code: "KeyF" }), "photo", "full"],
  [press("F"), "photo", "full"],
  [press("f", { ctrlKey: true }), "photo", undefined],
  [press("f", { altKey: true }), "photo", undefined],
  [press("f"), "photos", undefined],
  [press(" "), "photos", "select"],
  [press(" ", { shiftKey: true }), "photos", undefined],
  [press("x"), "photos", "select"],
  [press("X", { shiftKey: true }), "photos", "through"],
  [press("ArrowLeft"), "photos", "move"],
  [press("ArrowLeft", { shiftKey: true }), "photos", "stretch"],
  [press("ArrowLeft"), "photo", "step"],
  [press("a", { ctrlKey: true }), "photos", "all"],
  [press("a", { metaKey: true }), "photos", undefined],
  [press("a"), "photos", undefined],
  // A click is no key.
  [press("click"), "photos", undefined],
]) {
  test(`${JSON.stringify(event.key)} ${place}: ${expected}`, () => assert.equal(act(event, place), expected));
}

test("a Mac has Cmd", () => {
  assert.equal(act(press("a", { metaKey: true }), "photos", true), "all");
  assert.equal(act(press("a", { ctrlKey: true }), "photos", true), undefined);
});

test("each shortcut has a text, and no key means two things", () => {
  for (const language of ["en", "de"]) {
    const texts = JSON.parse(readFileSync(new URL(`${language}.json`, files), "utf-8"));
    for (const { where, act } of SHORTCUTS) assert.ok(texts[`keys.${where}.${act}`], `${language}: keys.${where}.${act}`);
  }
  const taken = SHORTCUTS.flatMap(({ where, held = [], keys }) => keys.map((key) => [where, ...held, key].join()));
  assert.equal(new Set(taken).size, taken.length);
});
