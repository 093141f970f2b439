// The texts of the page in English, and what little of a browser reading them needs.

import { readFileSync } from "node:fs";

import { loadTexts } from "../../../photosearch/ui/static/dom.js";

const files = new URL("../../../photosearch/ui/texts/", import.meta.url);

export async function speak(language = "en") {
  const read = (name) => JSON.parse(readFileSync(new URL(`${name}.json`, files), "utf-8"));
  const every = Object.fromEntries(["en", "de", "fr", "es"].map((name) => [name, read(name)]));
  const messages = () => read(`../messages/${language.slice(0, 2)}`);
  globalThis.fetch = async (path) => ({ json: async () => (path.includes("messages") ? messages() : every) });
  globalThis.document = { documentElement: {} };
  Object.defineProperty(globalThis, "navigator", { value: { language }, configurable: true });
  await loadTexts();
}
