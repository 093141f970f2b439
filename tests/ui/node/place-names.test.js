import assert from "node:assert/strict";
import test from "node:test";

import { meaningOf } from "../../../photosearch/ui/static/chips.js";
import { above, countryName, named, placeNames, placeOf, townName } from "../../../photosearch/ui/static/place-names.js";
import { speak } from "./said.js";

test("places are called as the language of the page has it", async () => {
  await speak("de-DE");
  assert.equal(townName("Rome", "Italy"), "Rom");
  assert.equal(placeOf({ place: "Florence", country: "Italy" }), "Florenz");
  assert.deepEqual([...placeNames({ city: "Milan", region: "Lombardy", country: "Italy" }).values()], ["Italien", "Lombardei", "Mailand"]);
  await speak("fr-FR");
  assert.equal(townName("London", "United Kingdom"), "Londres");
  await speak("es-ES");
  assert.equal(placeOf({ place: "Germany", country: "Germany" }), "Alemania");
});

test("another place of that name keeps it, and so do English pages", async () => {
  await speak("de-DE");
  assert.equal(townName("Florence", "United States"), "Florence");
  assert.equal(named("Florence", "South Carolina, United States"), "Florence");
  await speak("en-GB");
  assert.equal(townName("Rome", "Italy"), "Rome");
  assert.equal(countryName("Tanzania, United Republic of"), "Tanzania, United Republic of");
  assert.equal(above("Lazio, Italy"), "Lazio, Italy");
});

test("countries are known by what the list calls them", async () => {
  await speak("de-DE");
  assert.equal(countryName("Tanzania, United Republic of"), "Tansania");
  assert.equal(countryName("Cote d'Ivoire"), "Côte d’Ivoire");
  assert.equal(countryName("Czech Republic"), "Tschechien");
  assert.equal(countryName("Nowhere"), "Nowhere");
  assert.equal(countryName(undefined), undefined);
});

test("suggestions and chips say so, too", async () => {
  await speak("de-DE");
  assert.equal(named("Rome", "Lazio, Italy"), "Rom");
  assert.equal(above("Lazio, Italy"), "Latium, Italien");
  assert.equal(named("Italy"), "Italien");
  const chip = (meaning) => meaningOf({ kind: "filter", meaning });
  assert.equal(chip("in Munich"), "in München");
  assert.equal(chip("in Atlantis"), "in Atlantis");
});
