import assert from "node:assert/strict";
import test from "node:test";

import { layOut, monthsOf, placeOf, unpack } from "../../../photosearch/ui/static/layout.js";

const SIZE = { width: 1000, row: 200, gap: 4 };

// Days with photos of these ratios each.
function photos(days, trips = []) {
  return {
    days: Object.entries(days).map(([day, ratios]) => [day, ratios.length, null]),
    ratios: Float32Array.from(Object.values(days).flat()),
    trips,
  };
}

const many = (count, ratio = 1.5) => Array(count).fill(ratio);

test("rows are full, and about as high as is wanted", () => {
  const { left, top, wide, high } = layOut(photos({ "2019-05-03": many(40) }), SIZE);
  const rows = [...new Set(top)];
  for (const row of rows.slice(0, -1)) {
    const within = [...top.keys()].filter((place) => top[place] === row);
    const last = within.at(-1);
    assert.ok(Math.abs(left[last] + wide[last] - SIZE.width) < 1e-6);
    assert.ok(high[last] > 140 && high[last] < 280);
  }
  assert.ok(left.every((one, place) => one + wide[place] <= SIZE.width + 1e-6));
});

test("small days share a row, large ones have their own", () => {
  const { blocks } = layOut(photos({ "2019-05-04": [1], "2019-05-03": [1], "2019-05-02": many(9), "2019-05-01": [1] }), SIZE);
  assert.equal(blocks[0].top, blocks[1].top);
  assert.ok(blocks[1].left > blocks[0].left + blocks[0].width);
  assert.ok(blocks[2].top >= blocks[1].bottom);
  assert.ok(blocks[3].top >= blocks[2].bottom);
});

test("nothing lies over anything else, in whatever width", () => {
  const days = {};
  for (let day = 28; day > 0; day--) days[`2019-05-${String(day).padStart(2, "0")}`] = many(1 + ((day * 7) % 23), 0.6 + ((day * 13) % 20) / 10);
  const trips = [{ first: "2019-05-10", last: "2019-05-15" }];
  for (const width of [280, 360, 820, 1440, 2560]) {
    const { height, left, top, wide, high, blocks } = layOut(photos(days, trips), { ...SIZE, width });
    for (let place = 1; place < top.length; place++) {
      const besides = top[place] === top[place - 1] && left[place] >= left[place - 1] + wide[place - 1];
      assert.ok(besides || top[place] >= top[place - 1] + high[place - 1], `${width}: ${place}`);
      assert.ok(left[place] + wide[place] <= width + 1e-6, `${width}: ${place}`);
    }
    assert.ok(blocks.every(({ bottom }) => bottom <= height));
  }
});

test("months stand above trips, and trips above their days", () => {
  const trips = [{ first: "2018-12-30", last: "2019-01-02" }];
  const days = { "2019-01-05": [1], "2019-01-02": [1], "2019-01-01": [1], "2018-12-30": [1], "2018-12-24": [1] };
  const { blocks } = layOut(photos(days, trips), SIZE);
  assert.deepEqual(blocks.map(({ month }) => month?.key), ["2019-01", undefined, undefined, "2018-12", undefined]);
  assert.deepEqual(blocks.map(({ trip }) => Boolean(trip)), [false, true, true, true, false]);
  // In the month before it is named again.
  assert.deepEqual(blocks.map(({ tripTop }) => tripTop !== undefined), [false, true, false, true, false]);
  assert.ok(blocks[3].month.top < blocks[3].tripTop && blocks[3].tripTop < blocks[3].top);
  // What comes after a trip does not share a row with it.
  assert.ok(blocks[4].top >= blocks[3].bottom);
});

test("what is known to the month or the year stands below its own heading", () => {
  const days = [["2019-05-03", 1, null], ["2019-05", 2, null], ["2018", 1, null], ["", 3, null]];
  const all = { days, ratios: new Float32Array(7).fill(1) };
  assert.deepEqual(monthsOf(all.days), [
    { key: "2019-05", first: 0, count: 3 },
    { key: "2018", first: 3, count: 1 },
    { key: "", first: 4, count: 3 },
  ]);
  assert.deepEqual(layOut(all, SIZE).blocks.map(({ month }) => month?.key), ["2019-05", undefined, "2018", ""]);
});

test("a page never gets higher than browsers can make it", () => {
  const { height } = layOut({ days: [["2019-05-03", 200_000, null]], ratios: new Float32Array(200_000).fill(2.6) }, { ...SIZE, width: 300 });
  assert.ok(height <= 15_000_000);
});

test("no photos take no room", () => {
  assert.equal(layOut(photos({}), SIZE).height, 0);
});

test("places are found by halves", () => {
  const tops = [0, 0, 10, 20, 20, 30];
  const of = (value) => placeOf(tops.length, (place) => tops[place], value);
  assert.deepEqual([-5, 0, 1, 20, 30, 31].map(of), [0, 0, 2, 3, 5, 6]);
});

test("photos come in five bytes each, month by month", () => {
  const base64 = (bytes) => Buffer.from(bytes).toString("base64");
  const month = (ids, ratios, bursts) => ({ ids: base64(new Uint8Array(Uint32Array.from(ids).buffer)), ratios: base64(ratios), bursts });
  const days = [["2021-05-01", 2, null], ["", 3, null]];
  const found = unpack({ days, months: [month([1, 256], [0, 255], []), month([9, 8, 7], [0, 0, 0], [[0, 3]])] });
  assert.deepEqual([...found.ids], [1, 256, 9, 8, 7]);
  assert.deepEqual([...found.ratios].slice(0, 2).map((one) => one.toFixed(2)), ["0.60", "2.60"]);
  assert.deepEqual([...found.bursts], [[2, 3]]);
  assert.equal(found.days, days);
  assert.equal(unpack({ days: [], months: [] }).ids.length, 0);
});
