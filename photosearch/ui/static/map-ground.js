// What photos lie on: Leaflet's map with land, lakes and borders, which came with us, and names of
// towns, for which the server is asked.

import { make, say } from "./dom.js";
import { World } from "./map-outlines.js";
import { townName } from "./place-names.js";
import { ask } from "./requests.js";

const COLOURS = ["water", "land", "lakes", "borders", "states"];
// The zoom from which on a screen has no outlines of its own any more.
const ENDS = 12;
// Pixels of screen for each name of a town at most.
const ROOM = 16_000;
const FONT = "500 12px system-ui, sans-serif";

// Read once, for all maps of the page; another time where it could not be.
let reading = null;
function read() {
  reading ??= Promise.all([World.load(), import("/ui/map/leaflet.js"), ...["map/leaflet.css", "map.css"].map(styled)]);
  reading.catch(() => (reading = null));
  return reading;
}

export class MapGround {
  static async load() {
    const [world] = await read();
    return new MapGround(window.L, world);
  }

  constructor(L, world) {
    [this.L, this.world] = [L, world];
    this.measure = document.createElement("canvas").getContext("2d");
    this.measure.font = FONT;
  }

  addTo(map) {
    const { L, world } = this;
    this.map = map;
    let colours = coloursOf(map.getContainer());
    const Tiles = L.GridLayer.extend({
      createTile({ x, y, z }) {
        const { x: size } = this.getTileSize();
        const ratio = Math.min(2, Math.ceil(devicePixelRatio));
        const canvas = make("canvas", { width: size * ratio, height: size * ratio });
        world.draw(canvas, { zoom: z, left: x * size, top: y * size, size, colours });
        return canvas;
      },
    });
    const tiles = new Tiles({ keepBuffer: 1 }).addTo(map);
    // Light or dark, as the page is.
    new MutationObserver(() => {
      colours = coloursOf(map.getContainer());
      tiles.redraw();
    }).observe(document.body, { attributeFilter: ["class"] });
    map.createPane("towns").setAttribute("aria-hidden", "true");
    this.towns = L.layerGroup().addTo(map);
    this.#credit();
  }

  // Whose data it is, and where they end.
  #credit() {
    const { L, map } = this;
    const ends = make("span", { class: "ends" }, say("map.ends"));
    const credit = new L.Control({ position: "bottomright" });
    credit.onAdd = () => make("div", { class: "credit" }, ends, make("span", {}, "Natural Earth, GeoNames"));
    credit.addTo(map);
    const tell = () => (ends.hidden = map.getZoom() < ENDS);
    map.on("zoomend", tell);
    tell();
  }

  townsIn(area) {
    const { x, y } = this.map.getSize();
    return ask(`/api/map/towns?area=${area}&most=${Math.min(200, Math.ceil((x * y) / ROOM) * 3)}`);
  }

  // Writes the names of towns, the largest first, where they cover neither each other nor photos.
  label(towns, markers) {
    const { L, map } = this;
    const { x, y } = map.getSize();
    const taken = markers.map((marker) => {
      const at = map.latLngToContainerPoint(marker.getLatLng());
      return { left: at.x - 22, right: at.x + 22, top: at.y - 22, bottom: at.y + 22 };
    });
    const middle = map.getCenter().lng;
    this.towns.clearLayers();
    let most = Math.ceil((x * y) / ROOM);
    for (const { name: listed, country, latitude, longitude } of towns) {
      const name = townName(listed, country);
      const position = [latitude, longitude + 360 * Math.round((middle - longitude) / 360)];
      const at = map.latLngToContainerPoint(position);
      const box = { left: at.x - 6, right: at.x + 12 + this.measure.measureText(name).width, top: at.y - 12, bottom: at.y + 12 };
      if (box.right > x || taken.some((other) => meet(box, other))) continue;
      taken.push(box);
      const icon = L.divIcon({ className: "town", html: make("span", {}, name), iconSize: [0, 0] });
      L.marker(position, { icon, pane: "towns", interactive: false, keyboard: false }).addTo(this.towns);
      most -= 1;
      if (!most) break;
    }
  }
}

const meet = (one, other) => one.left < other.right && one.right > other.left && one.top < other.bottom && one.bottom > other.top;

function coloursOf(element) {
  const style = getComputedStyle(element);
  return Object.fromEntries(COLOURS.map((name) => [name, style.getPropertyValue(`--map-${name}`).trim()]));
}

// Resolves when a style sheet is there.
function styled(name) {
  return new Promise((done, failed) => {
    const failing = () => failed(new Error(say("map.no_ground")));
    document.head.append(make("link", { rel: "stylesheet", href: `/ui/${name}`, onload: done, onerror: failing }));
  });
}
