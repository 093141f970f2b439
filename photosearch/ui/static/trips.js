// Trips: what each is called, in the language of the page.

import { dates, language, say } from "./dom.js";
import { placeNames } from "./place-names.js";

// "Rome and Florence, 3–9 May 2019": of a trip as /api/trips has it.
export function tripName({ places, first, last }) {
  const names = new Intl.ListFormat(language, { type: "conjunction" }).format(places.map((place) => [...placeNames(place).values()].at(-1)));
  return `${names || say("timeline.trip")}, ${dates(first, last)}`;
}
