// What a photo says of itself, in words.

import { number, say } from "./dom.js";

const SOURCES = ["sidecar", "takeout", "exif", "gps", "xmp", "iptc", "name", "clock", "modified", "folder"];

// How it is known when it was taken.
export function source({ taken_source: from }) {
  return SOURCES.includes(from) ? ` (${say(`photo.from_${from}`)})` : "";
}

// Those that are no names of people. Of a path, "Places|Rome", each level is there by itself, too.
export function keywords(metadata) {
  const { keywords: words = [], people = [] } = metadata;
  return words.filter((word) => !word.includes("|") && !people.includes(word));
}

// From the town to the country.
export function places({ place }) {
  return place ? [...new Set([place.city, place.region, place.country].filter(Boolean))] : [];
}

export function coordinates({ latitude, longitude }) {
  if (latitude === null || latitude === undefined) return null;
  return `${number(latitude, 4)}, ${number(longitude, 4)}`;
}

export function exposure(metadata) {
  const seconds = metadata.exposure_time;
  // As cameras write it: 1/4 s, but 0.4 s, which is no whole part of a second.
  return [
    seconds && (seconds < 0.3 ? `1/${Math.round(1 / seconds)} s` : `${number(seconds, 1)} s`),
    metadata.f_number && `f/${number(metadata.f_number, 1)}`,
    metadata.iso && `ISO ${metadata.iso}`,
    metadata.focal_length && `${number(metadata.focal_length, 1)} mm`,
  ].filter(Boolean).join(" · ");
}
