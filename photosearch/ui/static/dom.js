// Elements and texts: what every other script here builds on.

import { learnPlaces } from "./place-names.js";
import { learn } from "./translations.js";

let texts = {};
export let language = "en";
let plurals = new Intl.PluralRules("en");

// Dates and numbers are written as the browser has it, whichever language the texts are in: there
// is more than one English. Some browsers have names for it that are none ("C").
const locale = (() => {
  try {
    return Intl.DateTimeFormat.supportedLocalesOf(navigator.language)[0];
  } catch {
    return undefined;
  }
})();

// The texts in the browser's first language, or English ones; the same choice as Gradio's.
export async function loadTexts() {
  const wanted = navigator.language.slice(0, 2).toLowerCase();
  ({ language, texts } = await (await fetch(`/ui/texts/${encodeURIComponent(wanted)}.json`)).json());
  plurals = new Intl.PluralRules(language);
  if (language !== "en") {
    const both = ["messages", "places"].map(async (kind) => (await fetch(`/ui/${kind}/${language}.json`)).json());
    const [messages, places] = await Promise.all(both);
    learn(messages);
    learnPlaces(language, places);
  } else learnPlaces(language);
  document.documentElement.lang = language;
}

// The text for a key, with {name} replaced. Of "key.one" and "key" the former is for a `count` that
// the language has the singular for: 1, in French 0 as well.
export function say(key, values = {}) {
  const single = typeof values.count === "number" && plurals.select(values.count) === "one";
  const chosen = single && `${key}.one` in texts ? `${key}.one` : key;
  const text = texts[chosen] ?? key;
  return text.replace(/\{(\w+)\}/g, (_, name) => {
    const value = values[name] ?? "";
    return typeof value === "number" ? number(value) : value;
  });
}

// Made once: to make one takes longer than to write a hundred numbers.
const numbers = new Map();

export function number(value, digits = 0) {
  if (!numbers.has(digits)) numbers.set(digits, new Intl.NumberFormat(locale, { maximumFractionDigits: digits }));
  return numbers.get(digits).format(value);
}

// What writes dates as the browser has it.
export const calendar = (options) => new Intl.DateTimeFormat(locale, options);

// An element. Text is always set as text, never as HTML: names of files are not to be trusted.
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "style") element.style.cssText = value;
    else if (name === "dataset") Object.assign(element.dataset, value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  return fill(element, ...children);
}

// Puts children into an element, in place of those that it has. One that is null is left out: the
// browser's own methods would write "null" in its place.
export function fill(element, ...children) {
  element.replaceChildren(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

// Puts children into an element that may be there already: those which have `said` the same stay as they
// are, with focus and all. They are moved only where others stand in their place.
export function keep(element, children) {
  const there = new Map([...element.children].map((child) => [child.said, child]));
  const wanted = children.map((child) => there.get(child.said) ?? child);
  const staying = new Set(wanted);
  for (const child of [...element.children]) if (!staying.has(child)) child.remove();
  wanted.forEach((child, at) => {
    if (element.children[at] !== child) element.insertBefore(child, element.children[at] ?? null);
  });
}

const ICONS = {
  close: "M6 6l12 12M18 6L6 18",
  left: "M15 5l-7 7 7 7",
  right: "M9 5l7 7-7 7",
  down: "M6 9.5l6 6 6-6",
  filter: "M4 6h16M7 12h10M10 18h4",
  up: "M12 19V5M6 11l6-6 6 6",
  folder: "M3 7a2 2 0 0 1 2-2h4l2 2h8a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2z",
  copy: "M9 9h10v11H9zM5 15V4h10",
  download: "M12 4v11M7 11l5 5 5-5M5 20h14",
  share: "M12 15V4M7.5 8L12 3.5 16.5 8M6 12H4.5v8.5h15V12H18",
  similar: "M4 4h7v7H4zM13 13h7v7h-7zM13 4h7v7h-7z",
  heart: "M12 20C5 15 3 12 3 8.5A4.5 4.5 0 0 1 12 7a4.5 4.5 0 0 1 9 1.5C21 12 19 15 12 20z",
  check: "M5 12.5l4.5 4.5L19 7",
  album: "M4 6h16v14H4zM7 3h10M12 10v6M9 13h6",
  open: "M14 4h6v6M20 4l-9 9M10 5H4v15h15v-6",
  info: "M12 11v6M12 7.5v.1M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z",
  target: "M12 19a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM12 2v5M12 17v5M2 12h5M17 12h5M12 12v.1",
  star: "M12 3.5l2.6 5.4 5.9.8-4.3 4.1 1.1 5.9-5.3-2.9-5.3 2.9 1.1-5.9-4.3-4.1 5.9-.8z",
  tag: "M3.5 12.5v-9h9l8.5 8.5-9 9zM8 8v.1",
  map: "M9 4.5L3.5 7v13L9 17.5l6 2.5 5.5-2.5v-13L15 7zM9 4.5v13M15 7v13",
  plus: "M12 6v12M6 12h12",
  video: "M8 5.5v13l11-6.5z",
  motion: "M12 15.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM12 3a9 9 0 0 1 9 9M12 21a9 9 0 0 1-9-9",
  panorama: "M3 6c6 2.6 12 2.6 18 0v12c-6-2.6-12-2.6-18 0z",
  burst: "M8 8h12v12H8zM4 16V4h12",
  smaller: "M5 5h4v4H5zM15 5h4v4h-4zM5 15h4v4H5zM15 15h4v4h-4z",
  larger: "M4 4h16v16H4z",
  zoom: "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM16 16l5 5M11 8v6M8 11h6",
  full: "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
  play: "M8 5l11 7-11 7z",
  pause: "M8 5v14M16 5v14",
  slides: "M4 5h16v11H4zM9 20h6M10.5 8l4 2.5-4 2.5z",
  camera: "M4 8h3l2-3h6l2 3h3v11H4zM12 16.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7z",
  person: "M12 11.5a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.5 20.5c.6-4 3.6-6 7.5-6s6.9 2 7.5 6",
  recent: "M12 7.5V12l3 2M12 21a9 9 0 1 0-8-5M3.5 10.5L4 16l5-1",
};

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.classList.add("icon");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

// Resolves with the element of this id once Gradio has drawn it.
export function drawn(id) {
  return new Promise((resolve) => {
    const look = () => {
      const found = document.getElementById(id);
      if (found) {
        observer.disconnect();
        resolve(found);
      }
      return found;
    };
    const observer = new MutationObserver(look);
    if (!look()) observer.observe(document.documentElement, { childList: true, subtree: true });
  });
}

// What lies above all else: the latest dialog, or in it what fills the screen; otherwise the page.
export function topmost() {
  const dialog = [...document.querySelectorAll("dialog[open]")].at(-1);
  const { fullscreenElement: full } = document;
  return full && (!dialog || dialog.contains(full)) ? full : (dialog ?? document.body);
}

// Says something short to everybody, screen readers too; with an `undo`, which is called, a button beside
// it offers that. Then it stays a while longer.
let notice;
export function tell(text, undo = null) {
  if (!notice) {
    notice = make("div", { class: "notice", role: "status" });
    document.body.append(notice);
  }
  topmost().append(notice);
  const close = () => {
    notice.classList.remove("on");
    notice.querySelector("button")?.remove();
  };
  const press = () => {
    close();
    undo();
  };
  fill(notice, text, undo && make("button", { type: "button", class: "undo", onclick: press }, say("rating.undo")));
  notice.classList.add("on");
  clearTimeout(notice.timer);
  notice.timer = setTimeout(close, undo ? 8000 : 4000);
}

// Says what was done, as `done` resolves with it: a `text`, and what is called to `undo` it. `changed` is
// called after either. Whether it was done.
export async function undoable(done, changed) {
  try {
    const { text, undo } = await done;
    const press = () => undo().then(changed, (error) => tell(error.message));
    tell(text, press);
    changed();
    return true;
  } catch (error) {
    tell(error.message);
    return false;
  }
}

export function bytes(count) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  // What would be written as 1000 is 1 of the next.
  while (count >= 999.5 && unit < units.length - 1) {
    count /= 1000;
    unit += 1;
  }
  return `${number(count, count < 10 && unit ? 1 : 0)} ${units[unit]}`;
}

export function duration(seconds) {
  if (seconds < 59.5) return say("time.seconds", { count: Math.max(1, Math.round(seconds)) });
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return say("time.minutes", { count: minutes });
  return say("time.hours", { count: Math.floor(minutes / 60), minutes: minutes % 60 });
}

// A date as exactly as it is known: "1985", "1985-07", "1985-07-04" or with a time. With `weekday` as in
// "Thu, 4 Jul", where the year is told already.
export function date(iso, { time = false, short = false, weekday = false } = {}) {
  const known = iso.length;
  const when = new Date(known > 10 ? iso : midnight(iso));
  if (Number.isNaN(when.getTime())) return iso;
  const options = { year: "numeric" };
  if (known >= 7) options.month = short ? "short" : "long";
  if (known >= 10) options.day = "numeric";
  if (weekday) Object.assign(options, { year: undefined, month: "short", weekday: "short" });
  if (time && known > 10) Object.assign(options, { hour: "2-digit", minute: "2-digit" });
  return when.toLocaleString(locale, options);
}

// From one day to another, as in "3–9 May 2019".
export function dates(first, last) {
  const format = new Intl.DateTimeFormat(locale, { day: "numeric", month: "long", year: "numeric" });
  return format.formatRange(new Date(midnight(first)), new Date(midnight(last)));
}

const midnight = (day) => `${`${day}-01-01`.slice(0, 10)}T00:00:00`;
