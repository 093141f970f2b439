// What can be done with one photo, wherever it is shown.

import { make, say, tell } from "./dom.js";
import { ask } from "./requests.js";

// Shows a photo in the file manager of the machine.
export function reveal(photo) {
  ask(`/api/reveal/${photo.id}`, { body: {} }).catch((error) => tell(error.message));
}

// A link that saves the file itself. A browser says nothing of a download that fails, so it is asked
// for first whether the file can be had.
export function saving(photo, name, ...children) {
  const href = `/api/original/${photo.id}`;
  const save = async (event) => {
    event.preventDefault();
    try {
      await ask(`${href}/ready`);
    } catch (error) {
      tell(error.message);
      return;
    }
    const link = make("a", { href, download: name });
    document.body.append(link);
    link.click();
    link.remove();
  };
  return make("a", { class: "plain", href, download: name, onclick: save }, children);
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
