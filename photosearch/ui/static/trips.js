// Trips: what each is called, in the language of the page.

import { dates, language, say } from "./dom.js";

let countries = null;

// "Rome and Florence, 3–9 May 2019": of a trip as /api/trips has it.
export function tripName({ places, first, last }) {
  const names = new Intl.ListFormat(language, { type: "conjunction" }).format(places.map(placeName));
  return `${names || say("timeline.trip")}, ${dates(first, last)}`;
}

function placeName({ city, region, country }) {
  return city || region || countryName(country);
}

// The list of places has the English names of countries; of cities it knows only one.
function countryName(country) {
  countries ??= codes();
  const code = countries.get(country);
  return code ? new Intl.DisplayNames([language], { type: "region" }).of(code) : country;
}

function codes() {
  const english = new Intl.DisplayNames(["en"], { type: "region" });
  const letters = [...Array(26).keys()].map((number) => String.fromCharCode(65 + number));
  const every = letters.flatMap((one) => letters.map((other) => one + other));
  return new Map(every.map((code) => [english.of(code), code]).filter(([name, code]) => name !== code));
}
