// One photo, large, with what is known of it. A <dialog>: it keeps the focus, and Esc closes it.

import { bytes, date, fill, icon, make, number, say, tell } from "./dom.js";
import { describe, thumbnail } from "./grid.js";
import { copy, reveal } from "./photo.js";
import { ask } from "./requests.js";
import { chooseAlbum } from "./selection.js";
import { Why } from "./why.js";

const SOURCES = ["sidecar", "takeout", "exif", "gps", "xmp", "iptc", "name", "clock", "modified", "folder"];

export class Viewer {
  constructor(selection) {
    this.selection = selection;
    this.picture = make("img", { class: "large" });
    this.film = null;
    this.why = new Why(this.picture);
    this.details = make("aside", { class: "details", "aria-label": say("photo.details") });
    this.previous = this.#button("left", say("photo.previous"), () => this.#step(-1), "side previous");
    this.next = this.#button("right", say("photo.next"), () => this.#step(1), "side next");
    this.element = make(
      "dialog",
      { class: "viewer", "aria-label": say("photo.viewer") },
      make(
        "div",
        { class: "stage" },
        this.picture,
        this.previous,
        this.next,
        this.#button("close", say("close"), () => this.element.close(), "shut"),
      ),
      this.details,
    );
    document.body.append(this.element);
    this.element.addEventListener("keydown", (event) => {
      if (event.target.closest("input, textarea")) return;
      if (event.key === "ArrowLeft") this.#step(-1);
      else if (event.key === "ArrowRight") this.#step(1);
      else if (event.key === "f") this.heart?.click();
      else if (event.key === "w") this.why.press();
      else return;
      event.preventDefault();
    });
    this.element.addEventListener("close", () => {
      this.picture.removeAttribute("src");
      this.why.clear();
      this.#stop();
      this.grid?.focus(this.place);
    });
    this.#swipe();
  }

  async open(grid, place) {
    const { photos } = grid;
    if (!(await grid.reach(place)) || grid.photos !== photos) return;
    const photo = grid.photos[place];
    const asked = grid.why?.();
    [this.grid, this.photo, this.at] = [grid, photo, place];
    // The small picture at once, in the large one's place, and then the large one.
    this.picture.style.aspectRatio = `${photo.width} / ${photo.height}`;
    this.picture.style.setProperty("--ratio", photo.width / photo.height);
    // A tiny picture does not get clearer by filling the screen.
    this.picture.style.maxWidth = `${photo.width * 2}px`;
    this.picture.alt = describe(photo);
    this.picture.src = thumbnail(photo);
    this.why.clear();
    this.#stop();
    this.previous.disabled = place === 0;
    this.next.disabled = place === grid.photos.length - 1 && !grid.hasMore;
    fill(this.details, make("h2", {}, photo.name));
    if (!this.element.open) this.element.showModal();
    const large = new Image();
    large.src = `/api/screen/${photo.id}`;
    large.onload = () => {
      if (this.#isShown(photo)) this.picture.src = large.src;
    };
    try {
      const known = await ask(`/api/photo/${photo.id}`);
      if (this.#isShown(photo)) {
        this.#describe(photo, known, asked);
        if (known.format === "VIDEO" && !known.missing) this.#play(photo);
      }
    } catch (error) {
      if (this.#isShown(photo)) this.details.append(make("p", { class: "warning", role: "alert" }, error.message));
    }
  }

  // A film, from the moment that was found. Where the browser cannot play it, its picture stays.
  #play(photo) {
    const moment = photo.moment ? `#t=${photo.moment.toFixed(2)}` : "";
    this.film = make("video", {
      class: "large",
      src: `/api/film/${photo.id}${moment}`,
      poster: thumbnail(photo),
      controls: "",
      playsinline: "",
      preload: "metadata",
      "aria-label": describe(photo),
    });
    for (const name of ["aspectRatio", "maxWidth"]) this.film.style[name] = this.picture.style[name];
    this.film.style.setProperty("--ratio", photo.width / photo.height);
    this.film.addEventListener("error", () => this.#stop());
    this.picture.hidden = true;
    this.picture.after(this.film);
  }

  #stop() {
    this.picture.hidden = false;
    this.film?.remove();
    this.film = null;
  }

  #isShown(photo) {
    return this.element.open && this.photo === photo;
  }

  // Its place in the grid: others may have come before it. Below 0 when it is not there any more.
  get place() {
    return this.grid ? this.grid.photos.indexOf(this.photo) : -1;
  }

  #step(by) {
    const { place } = this;
    if (place >= 0) this.open(this.grid, place + by);
    // It was taken out, and the next one has come to where it was.
    else if (this.grid) this.open(this.grid, by < 0 ? this.at - 1 : this.at);
  }

  #describe(photo, known, asked) {
    const { metadata } = known;
    const facts = [
      [say("photo.taken"), taken(metadata)],
      [say("photo.file_date"), !metadata.taken_at && known.file_date && fileDate(known.file_date)],
      [say("photo.place"), place(metadata)],
      [say("photo.coordinates"), coordinates(metadata)],
      [say("photo.caption"), metadata.caption],
      [say("photo.keywords"), keywords(metadata)],
      [say("photo.text"), known.text],
      [say("photo.camera"), [metadata.camera, metadata.lens].filter(Boolean).join(", ")],
      [say("photo.exposure"), exposure(metadata)],
      [say("photo.size"), `${number(known.width)} × ${number(known.height)} · ${bytes(known.bytes)} · ${known.format}`],
      [say("photo.folder"), known.folder],
    ];
    fill(
      this.details,
      make("h2", {}, known.name),
      make("p", { class: "warning" }, known.missing ? say("photo.missing") : ""),
      make(
        "dl",
        {},
        facts.filter(([, value]) => value).flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]),
      ),
      worldMap(metadata),
      this.#albums(photo, known.albums),
      this.why.section(photo, asked, known.format === "VIDEO"),
      make(
        "div",
        { class: "actions" },
        make(
          "button",
          {
            type: "button",
            class: "plain",
            onclick: () => {
              this.grid = null;
              this.element.close();
              this.similar(photo);
            },
          },
          icon("similar"),
          say("photo.similar"),
        ),
        this.#heart(photo),
        make("button", { type: "button", class: "plain", onclick: () => this.#album(photo) }, icon("album"), say("select.album")),
        this.local
          ? make("button", { type: "button", class: "plain", onclick: () => reveal(photo) }, icon("open"), say("photo.reveal"))
          : null,
        make("button", { type: "button", class: "plain", onclick: () => copy(known.path) }, icon("copy"), say("photo.copy")),
        make(
          "a",
          { class: "plain", href: `/api/original/${photo.id}`, download: known.name },
          icon("download"),
          say("photo.download"),
        ),
      ),
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
      if (!this.#isShown(photo) || this.albums.querySelector(`[data-album="${album.id}"]`)) return;
      this.albums.append(this.#within(photo, album));
    } catch (error) {
      tell(error.message);
    }
  }

  #button(picture, label, onclick, kind) {
    return make("button", { type: "button", class: kind, "aria-label": label, title: label, onclick }, icon(picture));
  }

  #swipe() {
    let start = null;
    this.picture.addEventListener("touchstart", (event) => {
      start = event.touches.length === 1 ? event.touches[0].clientX : null;
    }, { passive: true });
    this.picture.addEventListener("touchend", (event) => {
      const moved = start === null ? 0 : event.changedTouches[0].clientX - start;
      if (Math.abs(moved) > 60) this.#step(moved < 0 ? 1 : -1);
    });
  }
}

// When it was taken, and how that is known.
function taken({ taken_at: when, taken_source: source }) {
  if (!when) return null;
  const from = SOURCES.includes(source) ? ` (${say(`photo.from_${source}`)})` : "";
  return date(when, { time: true }) + from;
}

function fileDate(when) {
  return `${date(when, { time: true })} (${say("photo.file_date_only")})`;
}

// Of a path, "Places|Rome", each level is there by itself, too.
function keywords(metadata) {
  return metadata.keywords?.filter((word) => !word.includes("|")).join(", ");
}

function place(metadata) {
  const named = metadata.place;
  return named ? [named.city, named.region, named.country].filter(Boolean).join(", ") : null;
}

function coordinates({ latitude, longitude }) {
  if (latitude === null || latitude === undefined) return null;
  return `${number(latitude, 4)}, ${number(longitude, 4)}`;
}

// The world in dots, which came with us, and where on it the photo was taken; nothing is fetched.
function worldMap({ latitude, longitude }) {
  if (latitude === null || latitude === undefined) return null;
  const spot = make("span", { class: "spot", style: `left: ${(longitude + 180) / 3.6}%; top: ${(90 - latitude) / 1.8}%` });
  return make("div", { class: "world", role: "img", "aria-label": say("photo.map", { where: coordinates({ latitude, longitude }) }) }, spot);
}

function exposure(metadata) {
  const seconds = metadata.exposure_time;
  return [
    seconds && (seconds < 0.5 ? `1/${Math.round(1 / seconds)} s` : `${number(seconds, 1)} s`),
    metadata.f_number && `f/${number(metadata.f_number, 1)}`,
    metadata.iso && `ISO ${metadata.iso}`,
    metadata.focal_length && `${number(metadata.focal_length, 1)} mm`,
  ].filter(Boolean).join(" · ");
}
