import assert from "node:assert/strict";
import test, { beforeEach } from "node:test";

import { say } from "../../../photosearch/ui/static/dom.js";
import { coordinates, exposure, keywords, places, source } from "../../../photosearch/ui/static/facts.js";
import { describe, monthOf, thumbnail } from "../../../photosearch/ui/static/grid.js";
import { speak } from "./said.js";

beforeEach(() => speak());

test("how a photo was taken", () => {
  for (const [seconds, said] of [
    [1 / 4000, "1/4000 s"],
    [0.008, "1/125 s"],
    [0.25, "1/4 s"],
    [0.4, "0.4 s"],
    [1, "1 s"],
    [2.5, "2.5 s"],
  ]) {
    assert.equal(exposure({ exposure_time: seconds }), said);
  }
  assert.equal(exposure({ exposure_time: 0.01, f_number: 2.8, iso: 400, focal_length: 50 }), "1/100 s · f/2.8 · ISO 400 · 50 mm");
  assert.equal(exposure({ exposure_time: null }), "");
});

test("from where it is known when", () => {
  assert.equal(source({ taken_source: "exif" }), ` (${say("photo.from_exif")})`);
  assert.equal(source({ taken_source: "mtime" }), "");
});

test("where", () => {
  assert.deepEqual(places({ place: { city: "Rome", region: "", country: "Italy" } }), ["Rome", "Italy"]);
  assert.deepEqual(places({ place: { city: "Singapore", region: "Singapore", country: "Singapore" } }), ["Singapore"]);
  assert.deepEqual(places({ place: null }), []);
  assert.equal(coordinates({ latitude: 0, longitude: -0.5 }), "0, -0.5");
  assert.equal(coordinates({ latitude: null, longitude: 3 }), null);
  assert.equal(coordinates({}), null);
});

test("of keywords the paths and the people are left out", () => {
  assert.deepEqual(keywords({ keywords: ["Rome", "Places|Rome", "Anna"], people: ["Anna"] }), ["Rome"]);
  assert.deepEqual(keywords({}), []);
});

test("what stands under a photo, and over a month", () => {
  assert.equal(describe({ name: "a.jpg" }), "a.jpg");
  assert.ok(describe({ name: "a.jpg", taken: "2019", place: "Rome" }).startsWith("a.jpg, 2019, Rome"));
  assert.equal(monthOf({ taken: "2019" }), "2019");
  assert.equal(monthOf({ taken: "2019-06-01T14:30:05" }), monthOf({ taken: "2019-06" }));
  assert.equal(monthOf({}), say("browse.no_date"));
  assert.equal(thumbnail({ id: 3 }), "/api/thumbnail/3?v=");
});
