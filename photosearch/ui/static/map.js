// Photos on a map, all or those of a search: as many together as lie near each other, and below it those
// that are in sight.
// Read only when a map is opened; the map itself is Leaflet's, on ground that came with us.

import { fill, icon, make, number, say } from "./dom.js";
import { Grid, monthOf, thumbnail } from "./grid.js";
import { MapGround } from "./map-ground.js";
import { placeOf } from "./place-names.js";
import { ask } from "./requests.js";
import { Turns } from "./turns.js";

// A street fills the screen.
const NEAREST = 18;
// The first look goes no nearer than a town with what is around it.
const AT_FIRST = 11;
// Degrees, within which photos are at the same spot: about a metre.
const SPOT = 1e-5;
const EVERYWHERE = [-90, -180, 90, 180];

export class PhotoMap {
  // `search` is called with the filter for an area that somebody wants to search.
  constructor(viewer, selection, search) {
    this.search = search;
    this.question = "";
    this.turn = null;
    this.place = make("div", { class: "map" });
    this.heading = make("h2", { tabindex: "-1" });
    this.problem = make("p", { class: "warning", role: "alert" });
    this.tools = make("div", { class: "line" });
    this.grid = new Grid({
      label: say("browse.photos"),
      selection,
      more: (offset) => this.#photosIn(this.shown, offset),
      open: (at) => viewer.open(this.grid, at),
    });
    this.element = make(
      "section",
      { class: "map-page", "aria-label": say("browse.map") },
      this.place,
      make("div", { class: "line head" }, this.heading, this.tools),
      this.problem,
      this.grid.element,
    );
    this.turns = new Turns(this.element);
    this.markers = new Map();
  }

  // Whether there is anything to show of a search, given as its part of an address, or of all photos.
  // Called again it shows what has changed; of another search it shows all.
  async show(question = "") {
    const turn = (this.turn = {});
    const same = question === this.question;
    this.question = question;
    const everything = await this.#clustersIn(EVERYWHERE, 1);
    if (turn !== this.turn) return true;
    this.element.hidden = !everything.length;
    if (!everything.length) return false;
    this.ground ??= await MapGround.load();
    if (turn !== this.turn) return true;
    if (!this.map) await this.#begin(everything);
    else {
      this.map.invalidateSize();
      if (!same) this.#fit(everything);
      await this.#look();
    }
    return true;
  }

  // Keeps no photos while it is not shown.
  clear() {
    this.turn = null;
    this.turns.drop();
    this.grid.show({ hits: [], more: false });
  }

  // Goes where all of these are in sight.
  #fit(clusters) {
    this.going = true;
    this.map.fitBounds(around(clusters.map(({ area }) => area)), { maxZoom: AT_FIRST, padding: [40, 40], animate: false });
    this.going = false;
  }

  async #begin(everything) {
    const { L } = this.ground;
    this.map = L.map(this.place, {
      attributionControl: false,
      zoomControl: false,
      minZoom: farthest(this.place),
      maxZoom: NEAREST,
      maxBounds: [[-85, -Infinity], [85, Infinity]],
      maxBoundsViscosity: 1,
      worldCopyJump: true,
      zoomAnimation: !matchMedia("(prefers-reduced-motion: reduce)").matches,
      fadeAnimation: false,
    });
    L.control.zoom({ zoomInTitle: say("map.nearer"), zoomOutTitle: say("map.farther") }).addTo(this.map);
    L.control.scale({ imperial: navigator.language === "en-US", metric: navigator.language !== "en-US" }).addTo(this.map);
    this.#fit(everything);
    this.ground.addTo(this.map);
    this.map.on("moveend", () => this.going || this.#look());
    new ResizeObserver(() => {
      this.map.invalidateSize();
      this.map.setMinZoom(farthest(this.place));
    }).observe(this.place);
    await this.#look();
  }

  // The part of the Earth that is in sight: degrees south, west, north and east.
  get #area() {
    const seen = this.map.getBounds();
    const [south, north] = [Math.max(-90, seen.getSouth()), Math.min(90, seen.getNorth())];
    if (seen.getEast() - seen.getWest() >= 360) return [south, -180, north, 180];
    return [south, turned(seen.getWest()), north, turned(seen.getEast())];
  }

  // Shows what is in sight, until the map is moved again.
  async #look() {
    // Not while another part of the page is shown.
    if (!this.map.getSize().x) return;
    const area = written(this.#area);
    const zoom = this.map.getZoom();
    this.chosen = null;
    this.problem.textContent = "";
    this.grid.outdate(true);
    const fetch = () => Promise.all([this.#clustersIn(area, zoom), this.#photosIn(area, 0), this.ground.townsIn(area)]);
    try {
      await this.turns.take(`${area}@${zoom}${this.question && `&${this.question}`}`, fetch, ([clusters, photos, towns]) => {
        this.#mark(clusters);
        this.ground.label(towns, [...this.markers.values()]);
        this.#list(area, photos);
      });
    } catch (error) {
      this.problem.textContent = error.message;
    }
  }

  // Those that stay where they are keep the focus.
  #mark(clusters) {
    const held = this.place.contains(document.activeElement);
    const before = this.markers;
    this.markers = new Map();
    for (const cluster of clusters) {
      const key = [cluster.latitude, cluster.longitude, cluster.count, cluster.cover.version].join();
      this.markers.set(key, before.get(key) ?? this.#marker(cluster));
      before.delete(key);
    }
    for (const marker of before.values()) marker.remove();
    if (held && !this.place.contains(document.activeElement)) this.place.focus({ preventScroll: true });
  }

  #marker(cluster) {
    const { L } = this.ground;
    const { count, cover } = cluster;
    const text = count > 1 ? short(count) : "";
    const label = say(cover.place ? "map.near" : "map.here", { count, place: cover.place && placeOf(cover) });
    const marker = L.marker(this.#seenAt(cluster), {
      icon: L.divIcon({
        className: `cluster digits-${Math.min(4, String(count).length)}${count > 1 ? "" : " single"}`,
        html: make("span", {}, text),
        iconSize: [48, 48],
      }),
      keyboard: false,
    });
    const open = () => this.#open(cluster, marker);
    marker.on("click", open).addTo(this.map);
    const element = marker.getElement();
    for (const [name, value] of [["tabindex", "0"], ["role", "button"], ["aria-label", label]]) element.setAttribute(name, value);
    element.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      open();
    });
    const high = this.map.latLngToContainerPoint(marker.getLatLng()).y < 190;
    marker.bindTooltip(() => card(cover, label), { direction: high ? "bottom" : "top", offset: [0, high ? 18 : -18], className: "map-card", opacity: 1 });
    return marker;
  }

  // Where it is in that copy of the world that is in sight.
  #seenAt({ latitude, longitude }) {
    const middle = this.map.getCenter().lng;
    return [latitude, longitude + 360 * Math.round((middle - longitude) / 360)];
  }

  // Goes nearer until photos lie apart, and lists those that are at the same spot.
  #open({ area, count }, marker) {
    const bounds = this.ground.L.latLngBounds(around([area]));
    const wide = Math.max(bounds.getNorth() - bounds.getSouth(), bounds.getEast() - bounds.getWest());
    if (count > 1 && wide > SPOT && this.map.getZoom() < NEAREST) {
      const zoom = Math.max(this.map.getZoom() + 1, this.map.getBoundsZoom(bounds.pad(0.1)));
      this.map.setView(this.#seenAt({ latitude: bounds.getCenter().lat, longitude: bounds.getCenter().lng }), Math.min(zoom, NEAREST));
    } else this.#choose(written(area, 6), marker);
  }

  async #choose(area, marker) {
    this.grid.outdate(true);
    const show = (photos) => {
      this.chosen = marker;
      this.#list(area, photos);
      this.heading.focus();
    };
    await this.turns.take(area, () => this.#photosIn(area, 0), show).catch((error) => (this.problem.textContent = error.message));
  }

  #clustersIn(area, zoom) {
    return ask(`/api/map?area=${area}&zoom=${zoom}&${this.question}`);
  }

  #photosIn(area, offset) {
    return ask(`/api/map/photos?area=${area}&offset=${offset}&limit=${offset ? 120 : 60}&${this.question}`);
  }

  #list(area, photos) {
    this.shown = area;
    for (const marker of this.markers.values()) marker.getElement().classList.toggle("chosen", marker === this.chosen);
    this.heading.textContent = say(this.chosen ? "map.at_spot" : "map.in_sight", { count: photos.total });
    const back = make("button", { type: "button", class: "plain", onclick: () => this.#look() }, icon("left"), say("map.all_in_sight"));
    const find = make("button", { type: "button", class: "plain", onclick: () => this.search(`area:${area}`) }, icon("target"), say("map.search"));
    fill(this.tools, this.chosen ? back : null, photos.total ? find : null);
    this.grid.show(photos, { heading: monthOf });
    this.grid.outdate(false);
  }
}

// What is seen of a cluster before it is opened.
function card(cover, label) {
  const picture = make("img", { src: thumbnail(cover), alt: "", width: 160, height: 120, onerror: () => picture.remove() });
  return make("div", {}, picture, make("span", {}, label));
}

// The zoom at which the Earth just fills a map's width.
const farthest = ({ clientWidth }) => Math.max(0, Math.floor(Math.log2(clientWidth / 256)));

// Degrees east between -180 and 180.
const turned = (east) => ((((east + 180) % 360) + 360) % 360) - 180;

// An area as text, so large at least as it is.
function written(area, digits = 4) {
  const part = 10 ** digits;
  return area
    .map((edge, at) => {
      const limit = at % 2 ? 180 : 90;
      const rounded = (at < 2 ? Math.floor(edge * part) : Math.ceil(edge * part)) / part;
      return Number(Math.min(limit, Math.max(-limit, rounded)).toFixed(digits));
    })
    .join();
}

// What holds all of these areas, as narrow as it can be: it may go on beyond the date line.
export function around(areas) {
  const parts = areas.map(([, west, , east]) => [west, east < west ? east + 360 : east]).sort(([one], [other]) => one - other);
  // The widest part of the Earth without any; what is left begins behind it.
  let [[start, reach]] = parts;
  let gap = 0;
  for (const [west, east] of [...parts.slice(1), [parts[0][0] + 360, parts[0][1] + 360]]) {
    if (west - reach > gap) [gap, start] = [west - reach, west];
    reach = Math.max(reach, east);
  }
  if (start >= 180) start -= 360;
  const south = Math.min(...areas.map(([edge]) => edge));
  const north = Math.max(...areas.map(([, , edge]) => edge));
  return [
    [south, start],
    [north, start + 360 - gap],
  ];
}

const short = (count) => (count < 10_000 ? number(count) : `${number(count / 1000)} k`);
