// What is known of the open photo, each fact a way to more like it; and what can be done with it.

import { bytes, date, fill, icon, make, number, say, tell } from "./dom.js";
import { namesIn } from "./faces.js";
import { coordinates, exposure, places, source } from "./facts.js";
import { copy, reveal, saving } from "./photo.js";
import { placeNames } from "./place-names.js";
import { keywordsEditor, stars } from "./rating.js";
import { ask } from "./requests.js";
import { chooseAlbum } from "./selection.js";
import { day, fileDay, filter, near } from "./terms.js";

export class PhotoPanel {
  // `why` gives the section about why it was found; `search` is called with a text for the box.
  constructor(selection, why, search) {
    Object.assign(this, { selection, why, search });
    this.element = make("aside", { class: "details", tabindex: "-1", "aria-label": say("photo.details") });
  }

  // Before anything is known of it but its name.
  begin(photo) {
    this.photo = photo;
    this.heart = null;
    fill(this.element, make("h2", {}, photo.name));
    this.element.scrollTop = 0;
  }

  fail(error) {
    this.element.append(make("p", { class: "warning", role: "alert" }, error.message));
  }

  // `asked` is what it was found for; `local`: the page is on the machine with the files.
  show(photo, known, { asked, local }) {
    fill(
      this.element,
      make("h2", {}, known.name),
      make("p", { class: "warning" }, known.missing ? say("photo.missing") : known.silent ? say("photo.silent") : known.elsewhere ? say("photo.elsewhere") : ""),
      make("div", { class: "line between" }, this.#heart(photo), stars(photo, known)),
      this.#facts(known),
      keywordsEditor(photo, known, (word) => this.#more(word, "keyword")),
      this.#map(known),
      this.#albums(photo, known.albums),
      this.why.section(photo, asked, known.format === "VIDEO", known.persons, (name) => this.faces?.point(name)),
      this.#actions(photo, known, local),
    );
  }

  #facts(known) {
    const { metadata } = known;
    const where = coordinates(metadata);
    const rows = [
      [say("photo.taken"), this.#taken(metadata)],
      [say("photo.file_date"), metadata.taken_at ? null : this.#changed(known.file_date)],
      [say("photo.place"), this.#each(places(metadata), "in", placeNames(metadata.place ?? {}))],
      [say("photo.coordinates"), where && this.#link(where, near(metadata), say("viewer.more_near"))],
      [say("photo.caption"), metadata.caption],
      [say("viewer.people"), listed(namesIn(known, (name) => this.#more(name, "person"), (name) => this.faces?.point(name), () => this.renew?.(), () => this.faces?.open()))],
      [say("photo.text"), known.text],
      [say("photo.camera"), this.#gear(metadata)],
      [say("photo.exposure"), exposure(metadata)],
      [say("photo.size"), `${number(known.width)} × ${number(known.height)} · ${bytes(known.bytes)} · ${known.format}`],
      [say("photo.folder"), this.#link(known.folder, filter("folder", known.folder), say("viewer.more_folder"))],
    ];
    const told = rows.filter(([, value]) => value && value.length !== 0);
    return make("dl", {}, told.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]));
  }

  // Only the date leads on: where it is from does not.
  #taken(metadata) {
    if (!metadata.taken_at) return null;
    const when = date(metadata.taken_at, { time: true });
    return [this.#link(when, day(metadata.taken_at), say("viewer.more_day")), source(metadata)];
  }

  #changed(when) {
    if (!when) return null;
    return [this.#link(date(when, { time: true }), fileDay(when), say("viewer.more_day")), ` (${say("photo.file_date_only")})`];
  }

  #gear({ camera, lens }) {
    const links = [
      camera && this.#link(camera, filter("camera", camera), say("viewer.more_camera")),
      lens && this.#link(lens, filter("lens", lens), say("viewer.more_lens")),
    ];
    return listed(links.filter(Boolean));
  }

  // `called` has what some of them are called in the language of the page.
  #each(values, name, called = new Map()) {
    return listed(values.map((value) => this.#more(value, name, called.get(value))));
  }

  #more(value, name, called = value) {
    return this.#link(called, filter(name, value), say("viewer.more", { what: called }));
  }

  // A text that leads to a search for `query`: an address, so that it can be opened in a tab of its
  // own as well.
  #link(text, query, title) {
    if (!query) return text;
    return make(
      "a",
      {
        href: `#q=${encodeURIComponent(query)}`,
        title,
        onclick: (event) => {
          if (event.ctrlKey || event.metaKey || event.shiftKey) return;
          event.preventDefault();
          this.search(query);
        },
      },
      text,
    );
  }

  // The world in dots, which came with us, and where on it the photo was taken; nothing is fetched.
  #map({ metadata }) {
    const { latitude, longitude } = metadata;
    const where = coordinates(metadata);
    if (!where) return null;
    const spot = make("span", { class: "spot", style: `left: ${(longitude + 180) / 3.6}%; top: ${(90 - latitude) / 1.8}%` });
    return make("div", { class: "world", role: "img", "aria-label": say("photo.map", { where }) }, spot);
  }

  #actions(photo, known, local) {
    const button = (picture, label, onclick) => make("button", { type: "button", class: "plain", onclick }, icon(picture), say(label));
    return make(
      "div",
      { class: "actions" },
      button("similar", "photo.similar", () => this.search(`photo:${photo.id}`)),
      button("album", "select.album", () => this.#album(photo)),
      local ? button("open", "photo.reveal", () => reveal(photo)) : null,
      button("copy", "photo.copy", () => copy(known.path)),
      saving(photo, known.name, icon("download"), say("photo.download")),
    );
  }

  // The albums that it is in, each with a button to take it out.
  #albums(photo, albums) {
    this.albums = make("ul", { class: "chips", "aria-label": say("album.in") }, albums.map((album) => this.#within(photo, album)));
    return this.albums;
  }

  #within(photo, album) {
    const leave = async () => {
      if (!(await this.selection.takeOut([photo.id], album))) return;
      const { albums } = this;
      item.remove();
      (albums.querySelector("button") ?? this.heart).focus();
    };
    const label = say("album.out", { name: album.name });
    const item = make(
      "li",
      { class: "chip", "data-album": album.id },
      make("span", { class: "text" }, icon("album"), album.name),
      make("button", { type: "button", class: "remove", "aria-label": label, title: label, onclick: leave }, icon("close")),
    );
    return item;
  }

  #heart(photo) {
    this.heart = make(
      "button",
      {
        type: "button",
        class: "plain heart-button",
        "aria-pressed": String(Boolean(photo.favourite)),
        onclick: async () => {
          const on = this.heart.getAttribute("aria-pressed") !== "true";
          if (!(await this.selection.favourite([photo.id], on))) return;
          photo.favourite = on;
          this.heart.setAttribute("aria-pressed", String(on));
        },
      },
      icon("heart"),
      say("select.favourite"),
    );
    return this.heart;
  }

  async #album(photo) {
    try {
      const album = await chooseAlbum();
      if (!album) return;
      await ask(`/api/albums/${album.id}/photos`, { body: { ids: [photo.id] } });
      tell(say("select.in_album", { count: 1, name: album.name }));
      if (this.photo !== photo || this.albums.querySelector(`[data-album="${album.id}"]`)) return;
      this.albums.append(this.#within(photo, album));
    } catch (error) {
      tell(error.message);
    }
  }
}

// With commas between them.
const listed = (parts) => parts.flatMap((part, at) => (at ? [", ", part] : [part]));
