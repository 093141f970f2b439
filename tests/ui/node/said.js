// The texts of the page in English, and what little of a browser reading them needs.

import { readFileSync } from "node:fs";

import { loadTexts } from "../../../photosearch/ui/static/dom.js";

const files = new URL("../../../photosearch/ui/texts/", import.meta.url);

export async function speak(language = "en") {
  const read = (name) => JSON.parse(readFileSync(new URL(`${name}.json`, files), "utf-8"));
  const told = (path) => {
    const [, asked] = /(\w+)\.json$/.exec(path);
    if (path.includes("messages")) return read(`../messages/${asked}`);
    if (path.includes("places")) return read(`../../../assets/places/local/${asked}`);
    const spoken = ["en", "de", "fr", "es"].includes(asked) ? asked : "en";
    return { language: spoken, texts: read(spoken) };
  };
  globalThis.fetch = async (path) => ({ json: async () => told(path) });
  globalThis.document = { documentElement: {} };
  Object.defineProperty(globalThis, "navigator", { value: { language }, configurable: true });
  await loadTexts();
}
