// Where a picture lies on the stage. Lengths are the page's pixels, except a picture's own size, which
// is in its own. A place is {scale, x, y}: the page's pixels for one of the picture's, and its middle
// seen from the stage's middle.

// A tiny picture does not get clearer by filling the screen.
const LARGEST = 2;
// The page's pixels for one of the picture's beyond which there is nothing to see.
const CLOSEST = 4;
// A picture so many times as long as wide is a strip, of which only a part is looked at.
const STRIP = 3;
// One so many times as high as wide is to be read: a screenshot of a whole page.
const SCROLL = 5;

const ratios = (stage, size) => [stage.width / size.width, stage.height / size.height];

// The scale at which all of it is seen.
export const whole = (stage, size) => Math.min(...ratios(stage, size), LARGEST);

// The scale at which it fills the stage, or a strip its short side.
export const filling = (stage, size) => Math.max(...ratios(stage, size));

export function isStrip(stage, size) {
  const [short, long] = [size.width, size.height].sort((one, other) => one - other);
  return long >= STRIP * short && filling(stage, size) >= 2 * whole(stage, size);
}

export function closest(stage, size) {
  return Math.max(CLOSEST, CLOSEST * whole(stage, size));
}

// How it lies when it is opened: whole, but a page that is to be read at its beginning.
export function opening(stage, size) {
  const place = { scale: whole(stage, size), x: 0, y: 0 };
  if (size.height < SCROLL * size.width || !isStrip(stage, size)) return place;
  const scale = Math.min(filling(stage, size), LARGEST);
  return within({ scale, x: 0, y: Infinity }, stage, size);
}

// The scale for a closer look: one pixel of the screen for one of the picture's, if that is closer
// by much and not by too much; of a strip its whole short side. `density`: the screen's pixels for
// one of the page's.
export function closer(stage, size, density) {
  const all = whole(stage, size);
  if (isStrip(stage, size)) return Math.min(filling(stage, size), Math.max(LARGEST, 2 * all));
  return Math.min(6 * all, Math.max(2.5 * all, 1 / density));
}

// The same place, but no nearer than one looks, no farther than whole, and without a gap at a side
// beyond which there is more of it.
export function within({ scale, x, y }, stage, size) {
  scale = Math.min(closest(stage, size), Math.max(whole(stage, size), scale));
  const room = (length, of) => Math.max(0, (length * scale - of) / 2);
  const [across, down] = [room(size.width, stage.width), room(size.height, stage.height)];
  return { scale, x: Math.min(across, Math.max(-across, x)) || 0, y: Math.min(down, Math.max(-down, y)) || 0 };
}

// Another scale, with what lies at `point` staying there; it is seen from the stage's middle.
export function scaled(place, scale, point, stage, size) {
  scale = within({ ...place, scale }, stage, size).scale;
  const by = scale / place.scale;
  const [x, y] = [point.x - (point.x - place.x) * by, point.y - (point.y - place.y) * by];
  return within({ scale, x, y }, stage, size);
}

export function moved(place, across, down, stage, size) {
  return within({ ...place, x: place.x + across, y: place.y + down }, stage, size);
}
