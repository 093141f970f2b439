import assert from "node:assert/strict";
import test from "node:test";

import { heard, heardChip } from "../../../photosearch/ui/static/translations.js";
import { say } from "../../../photosearch/ui/static/dom.js";
import { speak } from "./said.js";

test("what the server says is said in the language of the page", async () => {
  await speak("de-DE");
  assert.equal(heard("The file is not there any more."), "Die Datei ist nicht mehr da.");
  assert.equal(heard('no filter "befor:"; did you mean before:2021?'), "Es gibt keinen Filter „befor:“. Meinten Sie before:2021?");
  assert.equal(heard("12 photos shown, as on disk"), "12 Fotos angezeigt, wie auf der Platte");
  assert.equal(heard("/photos/a: b.jpg: Permission denied"), "/photos/a: b.jpg: Zugriff verweigert");
  assert.equal(heardChip("nicht is portrait"), "nicht Hochformat");
  assert.equal(heardChip("album near home"), "Album: near home");
});

test("what nobody has translated stays as it is", async () => {
  await speak("fr-FR");
  assert.equal(heard("of this nobody knows"), "of this nobody knows");
  assert.equal(heardChip("weekday sunday"), "weekday sunday");
});

test("none are one in French, and many in Spanish", async () => {
  await speak("fr-FR");
  assert.equal(say("browse.count", { count: 0 }), "0 photo");
  await speak("es-ES");
  assert.equal(say("browse.count", { count: 0 }), "0 fotos");
});
