import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import test from "node:test";

const folder = new URL("../../../photosearch/ui/static/", import.meta.url);
// It is no module, and runs before all others.
const scripts = readdirSync(folder).filter((name) => name.endsWith(".js") && name !== "early.js");

// A page whose scripts do not load shows nothing at all.
for (const script of scripts) {
  test(`${script} imports what there is`, async () => {
    const code = readFileSync(new URL(script, folder), "utf-8");
    for (const [, names, other] of code.matchAll(/^import \{([^}]+)\} from "\.\/([^"]+)";$/gm)) {
      const module = await import(new URL(other, folder));
      for (const name of names.split(",")) assert.ok(name.trim() in module, `${name} of ${other}`);
    }
  });
}

test("only the last one touches the page when it is loaded", async () => {
  for (const script of scripts.filter((name) => name !== "app.js")) await import(new URL(script, folder));
});
