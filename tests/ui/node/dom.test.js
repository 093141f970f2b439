import assert from "node:assert/strict";
import test, { beforeEach } from "node:test";

import { bytes, date, duration, fill, language, number, say } from "../../../photosearch/ui/static/dom.js";
import { speak } from "./said.js";

beforeEach(() => speak());

test("a text has its values, and one photo is no photos", () => {
  assert.equal(say("select.count", { count: 1 }), "1 selected");
  assert.equal(say("select.count", { count: 1234 }), `${number(1234)} selected`);
  assert.equal(say("search.without", {}), say("search.without", { what: "" }));
  assert.equal(say("there.is.none"), "there.is.none");
});

test("what a name has in it is no text of ours", () => {
  assert.equal(say("search.without", { what: "{count} $& $1" }), "without {count} $& $1");
});

test("the browser's language decides, and English where there is none", async () => {
  await speak("de-AT");
  assert.equal(language, "de");
  const german = say("cancel");
  await speak("pt-BR");
  assert.equal(language, "en");
  assert.notEqual(say("cancel"), german);
});

test("sizes have one unit, and never a thousand of it", () => {
  for (const [count, said] of [
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1 kB"],
    [1234, "1.2 kB"],
    [99_499, "99 kB"],
    [999_600, "1 MB"],
    [53_000_000, "53 MB"],
    [4e15, `${number(4000)} TB`],
  ]) {
    assert.equal(bytes(count), said);
  }
});

test("a time is never 60 of anything", () => {
  for (const [seconds, count, unit] of [
    [0, 1, "seconds"],
    [59.4, 59, "seconds"],
    [59.7, 1, "minutes"],
    [3569, 59, "minutes"],
  ]) {
    assert.equal(duration(seconds), say(`time.${unit}`, { count }));
  }
  assert.equal(duration(3599), say("time.hours", { count: 1, minutes: 0 }));
  assert.equal(duration(7199), say("time.hours", { count: 2, minutes: 0 }));
  assert.equal(duration(5400), say("time.hours", { count: 1, minutes: 30 }));
});

test("a date is as exact as it is known", () => {
  const parts = (iso, options) => date(iso, options).match(/\d+|[A-Za-z]{3,}/g);
  assert.deepEqual(parts("1985"), ["1985"]);
  assert.deepEqual(parts("1985-07").sort(), ["1985", "July"]);
  assert.deepEqual(parts("1985-07-04", { time: true }).sort(), ["1985", "4", "July"]);
  assert.deepEqual(parts("1985-07-04T12:34:00", { short: true }).sort(), ["1985", "4", "Jul"]);
  assert.ok(parts("1985-07-04T12:34:00", { time: true }).includes("34"));
  assert.equal(date("no date at all"), "no date at all");
});

test("what is not there is no child", () => {
  const element = { replaceChildren: (...children) => (element.children = children) };
  assert.equal(fill(element, "a", null, [undefined, "b"], 0), element);
  assert.deepEqual(element.children, ["a", "b", 0]);
});
