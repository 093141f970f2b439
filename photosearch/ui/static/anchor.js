// Where somebody is in a list of photos, in words that hold when the list is drawn anew.

// Photos that fill a large screen below the first one in sight.
export const BELOW = 200;
// How often the place is looked for until it stays.
const TURNS = 12;

// The first photo in sight, how many stand before it, and where on the screen it is; of other lists, how
// far down the page is.
export function anchorOf(grid) {
  if (grid?.anchor) return grid.anchor();
  const y = scrollY;
  if (!y || !grid?.size || !grid.body.checkVisibility()) return { y };
  const tiles = grid.tiles();
  // They stand in order, so that not all have to be measured.
  let [low, high] = [0, tiles.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (tiles[middle].getBoundingClientRect().bottom > 0) high = middle;
    else low = middle + 1;
  }
  const tile = tiles[low];
  if (!tile) return { y };
  const id = Number(tile.dataset.id);
  const at = grid.photos.findIndex((photo) => photo.id === id);
  return { y, id, at, top: tile.getBoundingClientRect().top };
}

// Goes there again, as near as the list allows; loads what is missing of it.
export async function returnTo(grid, { y = 0, id, at, top } = {}) {
  if (at !== undefined && grid?.returnTo) return grid.returnTo({ id, at, top });
  if (at === undefined || !grid?.size) return scrollTo({ top: y, behavior: "instant" });
  const { photos } = grid;
  const tile = () => grid.body.querySelector(`li[data-id="${id}"]`);
  await grid.reach(at + BELOW);
  if (grid.photos !== photos) return;
  // It may be gone, and another one in its place.
  const found = tile() ?? grid.body.querySelector(`li[data-id="${grid.photos[Math.min(at, grid.size - 1)].id}"]`);
  // What was never on the screen has only about its size, and all below it moves when it comes there.
  for (let turn = 0; found?.isConnected && turn < TURNS; turn += 1) {
    const away = found.getBoundingClientRect().top - top;
    if (Math.abs(away) < 0.5) return;
    const before = scrollY;
    scrollBy({ top: away, behavior: "instant" });
    await painted();
    if (scrollY === before) return;
  }
}

// When the page has been drawn, or would have been if anybody saw it.
export const painted = () =>
  new Promise((done) => {
    requestAnimationFrame(() => requestAnimationFrame(done));
    setTimeout(done, 100);
  });
