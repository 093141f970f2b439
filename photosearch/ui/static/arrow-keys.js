// Where the arrows lead among tiles that stand in rows.

// The place that a key leads to from the tile at one.
export function goal(tiles, at, key) {
  if (key === "ArrowRight") return at + 1;
  if (key === "ArrowLeft") return at - 1;
  if (key === "Home") return 0;
  if (key === "End") return tiles.length - 1;
  return across(tiles, at, key);
}

// The tile above or below that lies nearest.
function across(tiles, at, key) {
  const here = tiles[at].getBoundingClientRect();
  const middle = here.left + here.width / 2;
  const step = key === "ArrowDown" ? 1 : -1;
  let best = -1;
  let nearest = Infinity;
  let row = null;
  for (let place = at + step; place >= 0 && place < tiles.length; place += step) {
    const box = tiles[place].getBoundingClientRect();
    if (Math.abs(box.top - here.top) < 4) continue;
    row ??= box.top;
    if (Math.abs(box.top - row) > 4) break;
    const distance = Math.abs(box.left + box.width / 2 - middle);
    if (distance < nearest) [best, nearest] = [place, distance];
  }
  return best;
}
