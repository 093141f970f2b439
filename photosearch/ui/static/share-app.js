// Photos given to another app by the system's own sheet, as on a phone, where the browser has that
// (Web Share). They come as the zip file that would be saved, and are taken out of it here.

// Chromium gives no more at once.
const MOST = 10;
const KINDS = {
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  png: "image/png",
  gif: "image/gif",
  webp: "image/webp",
  avif: "image/avif",
  heic: "image/heic",
  heif: "image/heif",
  mp4: "video/mp4",
  m4v: "video/mp4",
  webm: "video/webm",
  mov: "video/quicktime",
};

// Whether so many photos can be given.
export function canGive(count) {
  if (!count || count > MOST || !navigator.share) return false;
  return Boolean(navigator.canShare?.({ files: [new File([], "photo.jpg", { type: KINDS.jpg })] }));
}

// The photos in a zip file of ours, in which all is only stored; without the list of what was left out.
export function filesIn(content) {
  const view = new DataView(content);
  const name = (at, length) => new TextDecoder().decode(new Uint8Array(content, at, length));
  // The directory is at the end, and the note of where it is behind it.
  let end = content.byteLength - 22;
  if (end < 0) return [];
  while (end > 0 && view.getUint32(end, true) !== 0x06054b50) end -= 1;
  const count = view.getUint16(end + 10, true);
  const files = [];
  let at = view.getUint32(end + 16, true);
  for (let number = 0; number < count; number++) {
    const [size, named, extra, noted, entry] = [
      view.getUint32(at + 24, true),
      view.getUint16(at + 28, true),
      view.getUint16(at + 30, true),
      view.getUint16(at + 32, true),
      view.getUint32(at + 42, true),
    ];
    const path = name(at + 46, named);
    const start = entry + 30 + view.getUint16(entry + 26, true) + view.getUint16(entry + 28, true);
    const type = KINDS[path.split(".").at(-1).toLowerCase()];
    if (type) files.push(new File([content.slice(start, start + size)], path.split("/").at(-1), { type }));
    at += 46 + named + extra + noted;
  }
  return files;
}

// Whether an app has them; false where the user thought better of it, or has to press once more.
export async function give(files) {
  try {
    await navigator.share({ files });
    return true;
  } catch (error) {
    if (error.name === "AbortError" || error.name === "NotAllowedError") return false;
    throw error;
  }
}
