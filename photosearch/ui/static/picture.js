// A picture as the query: dropped on the page, pasted, or chosen.

import { fill, icon, make, say, tell } from "./dom.js";
import { ask, server } from "./requests.js";

export class PictureQuery {
  // `changed` is called when there is another picture or none, `waiting` when one is on its way, or
  // could not be used.
  constructor(changed, waiting) {
    Object.assign(this, { changed, waiting });
    this.key = "";
    // The picture that is being handed over, and the one that was.
    this.coming = this.given = null;
    this.file = make("input", { type: "file", accept: "image/*,.heic,.heif,.avif,.jxl,.dng,.cr2,.cr3,.nef,.arw,.raf,.orf,.rw2", hidden: true });
    this.file.addEventListener("change", () => {
      if (this.file.files[0]) this.take(this.file.files[0]);
      this.file.value = "";
    });
    const label = say("picture.choose");
    // It stands in the search box.
    this.choose = make(
      "button",
      { type: "button", class: "by-picture", "aria-label": label, title: `${label} ${say("picture.hint")}`, onclick: () => this.file.click() },
      icon("camera"),
    );
    this.shown = make("div", { class: "asked", hidden: true });
    this.element = make("div", { class: "picture" }, this.shown, this.file);
    // Another server than before has not seen it.
    server.addEventListener("back", () => this.given && this.take(this.given));
    document.addEventListener("paste", (event) => {
      const file = [...(event.clipboardData?.files ?? [])].find((one) => one.type.startsWith("image/"));
      if (!file) return;
      event.preventDefault();
      this.take(file);
    });
    const dragged = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
    document.addEventListener("dragover", (event) => {
      if (!dragged(event)) return;
      event.preventDefault();
      document.body.classList.add("dropping");
    });
    document.addEventListener("dragleave", (event) => {
      if (!event.relatedTarget) document.body.classList.remove("dropping");
    });
    document.addEventListener("drop", (event) => {
      document.body.classList.remove("dropping");
      if (!dragged(event)) return;
      event.preventDefault();
      const file = event.dataTransfer.files[0];
      if (file) this.take(file);
    });
  }

  async take(file) {
    this.coming = file;
    this.waiting();
    try {
      const { picture } = await ask(`/api/by-picture?name=${encodeURIComponent(file.name)}`, { body: file });
      if (this.coming !== file) return;
      this.show(picture);
      this.given = file;
      document.querySelector("#pages button[role=tab]")?.click();
      this.changed({ awaited: true });
    } catch (error) {
      tell(error.message);
      if (this.coming !== file) return;
      this.coming = null;
      this.waiting();
    }
  }

  // Shows the picture that the server has by this name, as long as it keeps it; "" for none.
  show(key) {
    if (key !== this.key) this.given = null;
    this.coming = null;
    this.key = key;
    this.shown.hidden = !key;
    if (!key) return this.shown.replaceChildren();
    return fill(
      this.shown,
      make("img", { src: `/api/picture/${key}`, alt: say("picture.asked"), height: 72, onerror: ({ target }) => target.remove() }),
      make("span", {}, say("picture.asked"), make("span", { class: "quiet" }, say("picture.no_link"))),
      make("button", { type: "button", class: "plain", "aria-label": say("picture.remove"), onclick: () => this.clear() }, icon("close")),
    );
  }

  clear() {
    this.show("");
    this.changed();
  }
}
