// What can be done with one photo, wherever it is shown.

import { say, tell } from "./dom.js";
import { ask } from "./requests.js";

// Shows a photo in the file manager of the machine.
export function reveal(photo) {
  ask(`/api/reveal/${photo.id}`, { body: {} }).catch((error) => tell(error.message));
}

// Copies a path, or shows it where the browser forbids that.
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    tell(say("photo.copied"));
  } catch {
    tell(text);
  }
}
