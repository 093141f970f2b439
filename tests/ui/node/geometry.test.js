import assert from "node:assert/strict";
import test from "node:test";

import { closer, closest, isStrip, moved, opening, scaled, whole } from "../../../photosearch/ui/static/geometry.js";

const stage = { width: 1000, height: 800 };
const phone = { width: 390, height: 490 };
const photo = { width: 6000, height: 4000 };
const page = { width: 800, height: 10_400 };
const panorama = { width: 12_000, height: 1500 };

// What lies at a point of the stage, in the picture's own pixels from its middle.
const under = ({ scale, x, y }, point) => ({ x: (point.x - x) / scale, y: (point.y - y) / scale });

function near(one, other) {
  for (const name of ["x", "y"]) assert.ok(Math.abs(one[name] - other[name]) < 1e-6, `${JSON.stringify(one)} ${JSON.stringify(other)}`);
}

test("a photo opens whole, and a tiny one at twice its size", () => {
  assert.deepEqual(opening(stage, photo), { scale: 1 / 6, x: 0, y: 0 });
  assert.deepEqual(opening(stage, panorama), { scale: 1 / 12, x: 0, y: 0 });
  assert.deepEqual(opening(stage, { width: 40, height: 30 }), { scale: 2, x: 0, y: 0 });
});

test("a screenshot of a whole page opens at its beginning, as wide as can be read", () => {
  for (const box of [stage, phone]) {
    const { scale, x, y } = opening(box, page);
    assert.equal(scale, Math.min(2, box.width / 800));
    assert.equal(x, 0);
    // Its upper edge is the stage's.
    assert.ok(Math.abs(y - (10_400 * scale) / 2 + box.height / 2) < 1e-6);
  }
  // On a screen of twice the width it is no wider than is clear.
  assert.equal(opening({ width: 4000, height: 2000 }, page).scale, 2);
});

test("a screenshot of a phone is no strip, and a panorama is one", () => {
  assert.ok(!isStrip(stage, { width: 1080, height: 2400 }));
  assert.ok(!isStrip(phone, photo));
  assert.ok(isStrip(stage, panorama));
  assert.ok(isStrip(stage, page));
});

test("what lies under the pointer stays there", () => {
  const size = { width: 3000, height: 2000 };
  const point = { x: 300, y: -120 };
  let place = opening(stage, size);
  place = scaled(place, 1.2, point, stage, size);
  for (const scale of [1.5, 3, 2, 1.3]) {
    const next = scaled(place, scale, point, stage, size);
    near(under(place, point), under(next, point));
    place = next;
  }
});

test("it goes no farther than whole, and then lies in the middle", () => {
  const place = scaled({ scale: 1, x: 700, y: -300 }, 0.01, { x: 400, y: 300 }, stage, photo);
  assert.deepEqual(place, { scale: whole(stage, photo), x: 0, y: 0 });
  assert.equal(scaled(place, 1000, { x: 0, y: 0 }, stage, photo).scale, closest(stage, photo));
});

test("no gap comes at a side beyond which there is more of it", () => {
  const place = { scale: 1, x: 0, y: 0 };
  assert.deepEqual(moved(place, 9999, -9999, stage, photo), { scale: 1, x: 2500, y: -1600 });
  // Where it is narrower than the stage it stays in the middle.
  assert.equal(moved({ scale: 1, x: 0, y: 0 }, 50, 0, stage, page).x, 0);
});

test("a double tap brings one pixel of the screen for one of the picture's, within bounds", () => {
  assert.equal(closer(stage, photo, 1), 1);
  assert.equal(closer(stage, photo, 2), 0.5);
  // A phone's screen is far from that.
  assert.equal(closer(phone, photo, 1), 6 * whole(phone, photo));
  // A small picture is there already.
  assert.equal(closer(stage, { width: 800, height: 600 }, 1), 2.5 * whole(stage, { width: 800, height: 600 }));
});

test("a double tap on a strip brings all of its short side", () => {
  assert.equal(closer(stage, page, 1), 1000 / 800);
  assert.equal(closer(stage, panorama, 1), 800 / 1500);
});
