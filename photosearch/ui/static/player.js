// What moves in place of the picture: a video with its controls, or the short one of a motion photo.

import { make, say } from "./dom.js";
import { describe } from "./grid.js";

export class Player {
  // `picture` is the element in whose place it plays; `failed` is called when the browser cannot.
  constructor(picture, failed) {
    Object.assign(this, { picture, failed });
    this.video = null;
  }

  // A video, from the moment that was found.
  open(photo) {
    const moment = photo.moment ? `#t=${photo.moment.toFixed(2)}` : "";
    this.#put(photo, { src: `/api/video/${photo.id}${moment}`, controls: "", preload: "metadata" });
  }

  // The video of a motion photo: once, without sound. `over` is called at its end.
  move(photo, over) {
    this.#put(photo, { src: `/api/motion/${photo.id}` });
    const { video } = this;
    video.muted = true;
    for (const name of ["ended", "error"]) video.addEventListener(name, () => this.video === video && (this.stop(), over()));
    video.play().catch(() => {});
  }

  #put(photo, properties) {
    this.stop();
    const video = make("video", {
      class: "large",
      poster: this.picture.src,
      playsinline: "",
      "aria-label": describe(photo),
      ...properties,
    });
    for (const name of ["aspectRatio", "maxWidth"]) video.style[name] = this.picture.style[name];
    video.style.setProperty("--ratio", this.picture.style.getPropertyValue("--ratio"));
    // Its picture stays.
    video.addEventListener("error", () => {
      if (this.video !== video) return;
      this.failed();
      if (properties.controls !== undefined) this.stop();
    });
    this.video = video;
    this.picture.hidden = true;
    this.picture.after(video);
  }

  stop() {
    this.picture.hidden = false;
    const { video } = this;
    this.video = null;
    video?.pause();
    video?.remove();
  }
}
