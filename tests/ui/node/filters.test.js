import assert from "node:assert/strict";
import test from "node:test";

import { inMonth } from "../../../photosearch/ui/static/filter-dates.js";
import { commonFolder } from "../../../photosearch/ui/static/filter-list.js";

test("folders are called by what tells them apart", () => {
  assert.equal(commonFolder(["/photos/2018", "/photos/2019/rome"]), "/photos/");
  assert.equal(commonFolder(["/photos/rome", "/photos/romania"]), "/photos/");
  assert.equal(commonFolder(["C:\\a\\b", "C:\\a\\c"]), "C:\\a\\");
  assert.equal(commonFolder(["/photos"]), "");
});

test("a month has all of its days", () => {
  assert.equal(inMonth("2024-02").at(-1), "2024-02-29");
  assert.equal(inMonth("2023-02").length, 28);
  assert.equal(inMonth("2021-12")[8], "2021-12-09");
});
