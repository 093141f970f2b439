import assert from "node:assert/strict";
import test from "node:test";

import { format, parent, parse, sameList, step } from "../../../photosearch/ui/static/address.js";

for (const [address, view] of [
  ["", { tab: "search" }],
  ["?q=two+dogs", { tab: "search", q: "two dogs" }],
  ["?q=caf%C3%A9+%2B+100%25+%F0%9F%90%B6", { tab: "search", q: "café + 100% 🐶" }],
  ["?q=a&sort=newest&stack=no&all=yes&photo=12", { tab: "search", q: "a", sort: "newest", stack: "no", all: "yes", photo: "12" }],
  ["?photo=12", { tab: "search", photo: "12" }],
  ["?browse=month&month=2018-08", { tab: "browse", by: "month", month: "2018-08" }],
  // Photos without a date, and those without a camera.
  ["?browse=month&month=", { tab: "browse", by: "month", month: "" }],
  ["?browse=camera&of=", { tab: "browse", by: "camera", of: "" }],
  ["?browse=folder&of=%2Fhome%2Fa%26b%2F2018&photo=7", { tab: "browse", by: "folder", of: "/home/a&b/2018", photo: "7" }],
  ["?browse=duplicates&near=yes", { tab: "browse", by: "duplicates", near: "yes" }],
  ["?tab=library", { tab: "library" }],
]) {
  test(`${address || "the plain address"} is a view, and that view has this address`, () => {
    assert.deepEqual(parse(address), view);
    assert.equal(format(view), address);
  });
}

test("addresses as they were before lead where they led", () => {
  assert.deepEqual(parse("", "#q=two%20dogs"), { tab: "search", q: "two dogs" });
  assert.deepEqual(parse("?q=cat", "#q=dog"), { tab: "search", q: "dog" });
});

test("what is no view is as much of one as there is in it", () => {
  assert.deepEqual(parse("?photo=x&tab=none"), { tab: "search" });
  assert.deepEqual(parse("?photo=-1&q=a&of=b"), { tab: "search", q: "a" });
  assert.deepEqual(parse("?photo=99999999999999999999"), { tab: "search" });
  assert.deepEqual(parse("?%zz&&=&q"), { tab: "search" });
});

test("a picture is in no address", () => {
  assert.equal(format({ tab: "search", picture: "key" }), "");
  assert.equal(sameList({ tab: "search", picture: "key" }, { tab: "search" }), false);
});

test("what others have put into the address stays, and a password does not", () => {
  assert.equal(format({ tab: "search", q: "a" }, "?__theme=dark&q=b&photo=1&token=secret"), "?__theme=dark&q=a");
});

const list = { tab: "search", q: "a" };
const photo = { ...list, photo: "1" };
const camera = { tab: "browse", by: "camera", of: "" };

test("where a view was opened from", () => {
  assert.ok(sameList(parent(photo), list) && !parent(photo).photo);
  assert.equal(parent(camera).of, undefined);
  assert.equal(parent(list), null);
});

for (const [from, to, how, way] of [
  [list, list, {}, "stay"],
  [list, { ...list, q: "b" }, {}, "push"],
  [list, { ...list, sort: "newest" }, {}, "push"],
  // While it is typed.
  [list, { ...list, q: "ab" }, { settled: false }, "replace"],
  [list, photo, {}, "push"],
  [list, photo, { settled: false }, "push"],
  [photo, { ...photo, photo: "2" }, { over: true }, "replace"],
  [photo, list, { over: true }, "back"],
  // Opened from an address, it has no list behind it.
  [photo, list, {}, "replace"],
  [photo, { tab: "search", q: "photo:1" }, { over: true }, "push"],
  [{ tab: "search" }, { tab: "library" }, {}, "push"],
  [{ tab: "browse", by: "camera" }, camera, {}, "push"],
]) {
  test(`from ${format(from)} to ${format(to)} ${JSON.stringify(how)}: ${way}`, () => assert.equal(step(from, to, how), way));
}
