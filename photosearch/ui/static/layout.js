// Where every photo of a library lies on a page of days: worked out of shapes alone, so that the page
// has its whole height from the beginning, and nothing moves when pictures come.

// As in routes/timeline.py.
const NARROWEST = 0.6;
const WIDEST = 2.6;
const STEPS = 255;

// Heights of headings with the space above them, and the narrowest column that one has room in.
export const MONTH = 58;
export const TRIP = 50;
export const DAY = 36;
const COLUMN = 168;
// Between two days in one row, and below each row of days.
const BETWEEN = 20;
const BELOW = 6;
// Some browsers cut off pages that are higher.
const HIGHEST = 15_000_000;

// What /api/days answers, with the photos of all months as numbers, one after the other.
export function unpack({ days, months }) {
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const size = days.reduce((sum, [, count]) => sum + count, 0);
  const all = { days, ids: new Uint32Array(size), ratios: new Float32Array(size), bursts: new Map() };
  let first = 0;
  for (const { ids, ratios, bursts } of months) {
    const shapes = bytes(ratios);
    all.ids.set(new Uint32Array(bytes(ids).buffer), first);
    all.ratios.set(Float32Array.from(shapes, (step) => NARROWEST + (step / STEPS) * (WIDEST - NARROWEST)), first);
    for (const [at, count] of bursts) all.bursts.set(first + at, count);
    first += shapes.length;
  }
  return all;
}

// The months that photos are of, and years where no more is known, each with the place of its first one.
export function monthsOf(days) {
  const months = [];
  let first = 0;
  for (const [day, count] of days) {
    const key = day.slice(0, 7);
    if (months.at(-1)?.key === key) months.at(-1).count += count;
    else months.push({ key, first, count });
    first += count;
  }
  return months;
}

// Lays days of photos out in a width, in rows of about the height `row`, with `gap` between photos.
// `trips` come newest first, as days do. Small days share a row.
//
// Gives the `height` of all; `left`, `top`, `wide` and `high` of each photo; and `blocks`, one for each
// day from above: its heading's place, and above it that of its month's and its trip's, where one begins.
export function layOut(photos, { width, row, gap }) {
  const placed = attempt(photos, { width, row, gap });
  if (placed.height <= HIGHEST || row < 20) return placed;
  return layOut(photos, { width, row: row * 0.8, gap });
}

function attempt({ days, ratios, trips = [] }, { width, row, gap }) {
  const [left, top, wide, high] = [0, 1, 2, 3].map(() => new Float64Array(ratios.length));
  const blocks = [];
  let y = 0;
  let x = 0; // of the next day in this row of days, 0 in a new one
  let full = 0; // what the row of days takes
  let first = 0;
  let next = 0; // of the trips
  let before = { key: null, trip: null };

  const newLine = () => {
    if (x) y += full;
    x = 0;
  };
  const put = (at, count, { from, above, height }) => {
    let across = from;
    for (let photo = at; photo < at + count; photo++) {
      wide[photo] = ratios[photo] * height;
      [left[photo], top[photo], high[photo]] = [across, above, height];
      across += wide[photo] + gap;
    }
  };

  for (const [day, count, city, country] of days) {
    const key = day.slice(0, 7);
    const exact = day.length === 10;
    while (exact && trips[next]?.first > day) next += 1;
    const trip = exact && day <= trips[next]?.last ? trips[next] : null;
    const block = { day, city, country, first, count, trip };
    if (key !== before.key) {
      newLine();
      block.month = { key, top: y };
      y += MONTH;
    }
    if (trip && (trip !== before.trip || block.month)) {
      newLine();
      block.tripTop = y;
      y += TRIP;
    } else if (before.trip && !trip && !block.month) {
      newLine();
      y += BETWEEN;
    }
    before = { key, trip };

    const head = day.length < 7 ? 0 : DAY;
    let sum = 0;
    for (let photo = first; photo < first + count && sum * row <= width; photo++) sum += ratios[photo];
    const natural = sum * row + gap * (count - 1);
    if (natural <= width) {
      const column = Math.min(width, Math.max(natural, COLUMN));
      if (x && x + column > width) newLine();
      Object.assign(block, { left: x, top: y, width: column, bottom: y + head + row });
      put(first, count, { from: x, above: y + head, height: row });
      full = head + row + BELOW;
      x += column + BETWEEN;
    } else {
      newLine();
      Object.assign(block, { left: 0, top: y, width });
      y += head;
      for (let at = first; at < first + count; ) {
        const line = lineFrom(ratios, at, first + count, { width, row, gap });
        put(at, line.count, { from: 0, above: y, height: line.height });
        y += line.height + gap;
        at += line.count;
      }
      block.bottom = y - gap;
      y += BELOW - gap;
    }
    blocks.push(block);
    first += count;
  }
  newLine();
  return { height: y, left, top, wide, high, blocks };
}

// The photos from `at` on that fill a row: as many as bring it nearest to the wanted height. The last
// row of a day is as high as is wanted, and not full.
function lineFrom(ratios, at, end, { width, row, gap }) {
  let sum = 0;
  for (let photo = at; photo < end; photo++) {
    const count = photo - at;
    const more = sum + ratios[photo];
    const height = (width - gap * count) / more;
    if (height <= row) {
      const without = (width - gap * (count - 1)) / sum;
      if (count && without - row < row - height) return { count, sum, height: without };
      return { count: count + 1, sum: more, height };
    }
    sum = more;
  }
  return { count: end - at, sum, height: row };
}

// The first place in rising numbers at which there is at least `value`.
export function placeOf(count, valueAt, value) {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (valueAt(middle) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
