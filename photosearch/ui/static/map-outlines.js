// The map's ground: land, lakes, and the borders of countries and regions, from the file that
// assets/map/make.py makes. Drawn piece by piece; knows nothing of the map around it.

import { say } from "./dom.js";

// Where Mercator's maps end, and so the cells at the poles.
const NORTH = 85.06;

// Degrees north as Mercator's projection has them: as wide as those east, on the map.
const rise = (north) => (Math.log(Math.tan(Math.PI / 4 + (north * Math.PI) / 360)) * 180) / Math.PI;

export class World {
  static async load() {
    const answer = await fetch("/ui/map/world.bin");
    if (!answer.ok) throw new Error(say("map.no_ground"));
    return new World(await answer.arrayBuffer());
  }

  constructor(buffer) {
    this.bytes = new Uint8Array(buffer);
    const view = new DataView(buffer);
    const head = view.getUint32(0, true);
    const { layers, levels } = JSON.parse(new TextDecoder().decode(this.bytes.subarray(4, 4 + head)));
    this.layers = layers;
    const index = 4 + head;
    this.levels = levels.map((level) => {
      const places = new Map();
      for (let cell = 0; cell < level.cells; cell += 1) {
        const at = index + level.index + 8 * cell;
        places.set(view.getUint32(at, true), index + view.getUint32(at + 4, true));
      }
      return { ...level, places, paths: new Map() };
    });
  }

  // Draws what lies in a square of the map, whose corner in the north-west is so many pixels from the
  // map's own at this zoom, 256 pixels being the Earth at zoom 0.
  draw(canvas, { zoom, left, top, size, colours }) {
    const ratio = canvas.width / size;
    const context = canvas.getContext("2d");
    const scale = (256 * 2 ** zoom) / 360;
    const level = this.levels.findLast((one) => one.zoom <= zoom);
    context.fillStyle = colours.water;
    context.fillRect(0, 0, canvas.width, canvas.height);
    const cells = [...this.#cells(level, left / scale, top / scale, size / scale)];
    // One layer after the other: cells reach a little into each other.
    for (const [at, layer] of this.layers.entries()) {
      for (const { west, low, paths } of cells) {
        const corner = [(west * scale - left) * ratio, ((180 - low) * scale - top) * ratio];
        context.setTransform(scale * ratio, 0, 0, -scale * ratio, ...corner);
        if (at < 2) {
          context.fillStyle = colours[layer];
          context.fill(paths[at], "evenodd");
        } else {
          context.lineWidth = (layer === "borders" && zoom > 3 ? 1.2 : 0.7) / scale;
          context.strokeStyle = colours[layer];
          context.stroke(paths[at]);
        }
      }
    }
    context.setTransform(1, 0, 0, 1, 0, 0);
  }

  // The cells that a square of the map lies in, in degrees from its corner in the north-west.
  *#cells(level, west, high, size) {
    const columns = 360 / level.degrees;
    for (let column = Math.floor(west / level.degrees); column * level.degrees < west + size; column += 1) {
      for (let row = 0; row < 180 / level.degrees; row += 1) {
        const low = rise(Math.max(-NORTH, row * level.degrees - 90));
        const top = rise(Math.min(NORTH, (row + 1) * level.degrees - 90));
        if (180 - low <= high || 180 - top >= high + size) continue;
        const key = row * columns + (((column % columns) + columns) % columns);
        const paths = this.#paths(level, key, row, low);
        if (paths) yield { west: column * level.degrees, low, paths };
      }
    }
  }

  // The outlines in a cell, one for each layer, in degrees on the map from its corner in the
  // south-west; read when they are drawn first.
  #paths(level, key, row, low) {
    const known = level.paths.get(key);
    const start = level.places.get(key);
    if (known || start === undefined) return known;
    const { bytes } = this;
    let at = start;
    const next = () => {
      let value = 0;
      let shift = 0;
      for (;;) {
        const byte = bytes[at];
        at += 1;
        value |= (byte & 127) << shift;
        if (byte < 128) return value;
        shift += 7;
      }
    };
    const step = () => {
      const value = next();
      return value & 1 ? -(value + 1) / 2 : value / 2;
    };
    const south = row * level.degrees - 90;
    const paths = this.layers.map((_, layer) => {
      const path = new Path2D();
      for (let rings = next(); rings > 0; rings -= 1) {
        let x = 0;
        let y = 0;
        for (let points = next(), first = true; points > 0; points -= 1, first = false) {
          x += step();
          y += step();
          path[first ? "moveTo" : "lineTo"](x / level.scale, rise(south + y / level.scale) - low);
        }
        if (layer < 2) path.closePath();
      }
      return path;
    });
    level.paths.set(key, paths);
    return paths;
  }
}
