// Photos that are selected, and the bar of what can be done with them.

import { choose } from "./choosers.js";
import { fill, icon, make, say, tell } from "./dom.js";
import { refuse } from "./faces.js";
import { askKeywords, askRating, rate } from "./rating.js";
import { ask } from "./requests.js";
import { share } from "./share.js";

export class Selection extends EventTarget {
  constructor() {
    super();
    this.photos = new Map();
    this.count = make("strong", { role: "status" });
    // On a phone there is room for one short word each.
    const button = (picture, label, onclick) =>
      make("button", { type: "button", class: "plain", "aria-label": say(label), onclick }, icon(picture), ...worded(say(label), say(`${label}.short`)));
    // Only while an album is shown.
    this.out = make("button", { type: "button", class: "plain", hidden: true, onclick: () => this.#takeOut() });
    // Only while somebody's photos are shown, whose faces were found in them.
    this.not = make("button", { type: "button", class: "plain", hidden: true, onclick: () => this.#not() });
    const clear = button("close", "select.clear", () => this.clear());
    clear.classList.add("clear");
    this.bar = make(
      "section",
      { class: "bar", hidden: true, "aria-label": say("select.bar") },
      this.count,
      button("heart", "select.favourite", () => this.favourite([...this.photos.keys()], true)),
      button("album", "select.album", () => this.#album()),
      button("star", "rating.rate", () => askRating([...this.photos.keys()])),
      button("tag", "keyword.edit", () => askKeywords([...this.photos.keys()])),
      this.out,
      this.not,
      button("download", "select.zip", () => this.#zip()),
      button("share", "share.open", () => share({ ids: [...this.photos.keys()], local: this.local })),
      clear,
    );
    document.body.append(this.bar);
  }

  get size() {
    return this.photos.size;
  }

  has(photo) {
    return this.photos.has(photo.id);
  }

  hasId(id) {
    return this.photos.has(id);
  }

  // The album that is shown, from which photos can be taken out; null for none.
  show(album) {
    this.album = album;
    this.out.hidden = !album;
    if (album) fill(this.out, icon("close"), ...worded(say("album.out", { name: album.name }), say("album.out.short")));
  }

  // The name of somebody whose photos are shown, "" for nobody.
  showPerson(name) {
    this.person = name;
    this.not.hidden = !name;
    if (name) fill(this.not, icon("close"), ...worded(say("faces.not", { name }), say("faces.not", { name })));
  }

  async #not() {
    const changed = () => this.dispatchEvent(new Event("people"));
    if (await refuse([...this.photos.keys()], this.person, changed)) this.clear();
  }

  put(photos) {
    for (const photo of photos) this.photos.set(photo.id, photo);
    this.#changed();
  }

  drop(photos) {
    for (const photo of photos) this.photos.delete(photo.id);
    this.#changed();
  }

  toggle(photo) {
    if (!this.photos.delete(photo.id)) this.photos.set(photo.id, photo);
    this.#changed();
  }

  clear() {
    this.photos.clear();
    this.#changed();
  }

  #changed() {
    this.bar.hidden = !this.size;
    document.body.classList.toggle("selecting", this.size > 0);
    this.count.textContent = say("select.count", { count: this.size });
    this.dispatchEvent(new Event("change"));
  }

  // Makes photos favourites, or no longer; whether that was done.
  async favourite(ids, on) {
    try {
      await ask("/api/albums/1/photos", { body: { ids, there: on } });
      this.dispatchEvent(new CustomEvent("favourite", { detail: { ids: new Set(ids), on } }));
      if (this.size) tell(say("select.favoured", { count: ids.length }));
      return true;
    } catch (error) {
      tell(error.message);
      return false;
    }
  }

  // Gives photos 0 to 5 stars, or with null those of their files; whether that was done.
  rate(ids, stars) {
    return rate(ids, stars);
  }

  async #takeOut() {
    if (await this.takeOut([...this.photos.keys()], this.album)) this.clear();
  }

  // Takes photos out of an album; whether that was done.
  async takeOut(ids, album) {
    try {
      await ask(`/api/albums/${album.id}/photos`, { body: { ids, there: false } });
      tell(say("album.taken_out", { count: ids.length, name: album.name }));
      this.dispatchEvent(new CustomEvent("out", { detail: album }));
      return true;
    } catch (error) {
      tell(error.message);
      return false;
    }
  }

  async #album() {
    try {
      const album = await chooseAlbum();
      if (!album) return;
      await ask(`/api/albums/${album.id}/photos`, { body: { ids: [...this.photos.keys()] } });
      tell(say("select.in_album", { count: this.size, name: album.name }));
      this.clear();
      this.dispatchEvent(new Event("albums"));
    } catch (error) {
      tell(error.message);
    }
  }

  #zip() {
    // A form, so that the browser saves the file as it comes, however large.
    const form = make(
      "form",
      { method: "post", action: "/api/zip", hidden: true },
      make("input", { type: "hidden", name: "ids", value: [...this.photos.keys()].join() }),
    );
    document.body.append(form);
    form.submit();
    form.remove();
  }
}

// One of the albums, or a new one.
export async function chooseAlbum() {
  const albums = (await ask("/api/albums")).filter((album) => !album.favourites);
  const name = await choose({
    title: say("album.choose"),
    label: say("album.new"),
    button: say("album.add"),
    options: albums.map((album) => ({ value: album.name, text: album.name })),
  });
  return name ? { name, ...(await ask("/api/albums", { body: { name } })) } : null;
}

const worded = (long, short) => [make("span", { class: "long" }, long), make("span", { class: "short" }, short)];
