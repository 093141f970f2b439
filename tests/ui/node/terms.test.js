import assert from "node:assert/strict";
import test from "node:test";

import { day, fileDay, filter, near } from "../../../photosearch/ui/static/terms.js";

for (const [name, value, expected] of [
  ["camera", "Canon EOS 5D", 'camera:"Canon EOS 5D"'],
  ["camera", "D750", "camera:D750"],
  ["in", "Sankt Gallen", 'in:"Sankt Gallen"'],
  ["folder", "/photos/2019", "folder:/photos/2019"],
  ["folder", "C:\\My photos", 'folder:"C:\\My photos"'],
  ["keyword", "  holiday ", "keyword:holiday"],
  ["keyword", 'the "best"', null],
  ["keyword", "„Fest“", null],
  ["lens", " ", null],
]) {
  test(`${name} of ${value}`, () => assert.equal(filter(name, value), expected));
}

test("a date is as exact as it is known", () => {
  assert.equal(day("2019-07-14T12:30:00"), "on:2019-07-14");
  assert.equal(day("2019-07"), "on:2019-07");
  assert.equal(day("1985"), "on:1985");
  assert.equal(fileDay("2019-07-14T12:30:00"), "date:file on:2019-07-14");
});

test("near a place", () => {
  assert.equal(near({ latitude: 48.86, longitude: -2.35001 }), "near:48.8600,-2.3500,1km");
});
