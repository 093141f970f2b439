import assert from "node:assert/strict";
import test from "node:test";

import { around } from "../../../photosearch/ui/static/map.js";

test("what holds areas is as narrow as it can be", () => {
  assert.deepEqual(around([[41, 12, 42, 13]]), [[41, 12], [42, 13]]);
  assert.deepEqual(around([[41, 12, 42, 13], [-34, 150, -33, 151]]), [[-34, 12], [42, 151]]);
});

test("it crosses the date line where that is shorter", () => {
  assert.deepEqual(around([[-17, 178, -16, 179], [-18, -179, -17, -178]]), [[-18, 178], [-16, 182]]);
  assert.deepEqual(around([[-17, 179, -16, -179]]), [[-17, 179], [-16, 181]]);
  assert.deepEqual(around([[50, 140, 60, 150], [-17, 179, -16, -179], [40, -120, 45, -110]]), [[-17, 140], [60, 250]]);
});
