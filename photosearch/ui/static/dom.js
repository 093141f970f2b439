// Elements and texts: what every other script here builds on.

let texts = {};
let fallback = {};
export let language = "en";

// Dates and numbers are written as the browser has it, whichever language the texts are in: there
// is more than one English. Some browsers have names for it that are none ("C").
const locale = (() => {
  try {
    return Intl.DateTimeFormat.supportedLocalesOf(navigator.language)[0];
  } catch {
    return undefined;
  }
})();

// The catalogue of the browser's first language that there is one for; the same choice as Gradio's.
export async function loadTexts() {
  const every = await (await fetch("/ui/texts.json")).json();
  const wanted = navigator.language.slice(0, 2).toLowerCase();
  language = wanted in every ? wanted : "en";
  [texts, fallback] = [every[language], every.en];
  document.documentElement.lang = language;
}

// The text for a key, with {name} replaced. Of "key.one" and "key" the former is for a `count` of 1.
export function say(key, values = {}) {
  const chosen = values.count === 1 && `${key}.one` in fallback ? `${key}.one` : key;
  const text = texts[chosen] ?? fallback[chosen] ?? key;
  return text.replace(/\{(\w+)\}/g, (_, name) => {
    const value = values[name] ?? "";
    return typeof value === "number" ? number(value) : value;
  });
}

export const number = (value, digits = 0) =>
  value.toLocaleString(locale, { maximumFractionDigits: digits });

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

const ICONS = {
  close: "M6 6l12 12M18 6L6 18",
  left: "M15 5l-7 7 7 7",
  right: "M9 5l7 7-7 7",
  up: "M12 19V5M6 11l6-6 6 6",
  folder: "M3 7a2 2 0 0 1 2-2h4l2 2h8a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2z",
  copy: "M9 9h10v11H9zM5 15V4h10",
  download: "M12 4v11M7 11l5 5 5-5M5 20h14",
  similar: "M4 4h7v7H4zM13 13h7v7h-7zM13 4h7v7h-7z",
  heart: "M12 20C5 15 3 12 3 8.5A4.5 4.5 0 0 1 12 7a4.5 4.5 0 0 1 9 1.5C21 12 19 15 12 20z",
  check: "M5 12.5l4.5 4.5L19 7",
  album: "M4 6h16v14H4zM7 3h10M12 10v6M9 13h6",
  open: "M14 4h6v6M20 4l-9 9M10 5H4v15h15v-6",
  info: "M12 11v6M12 7.5v.1M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z",
  target: "M12 19a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM12 2v5M12 17v5M2 12h5M17 12h5M12 12v.1",
  camera: "M4 8h3l2-3h6l2 3h3v11H4zM12 16.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7z",
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

// Says something short to everybody, screen readers too.
let notice;
export function tell(text) {
  if (!notice) {
    notice = make("div", { class: "notice", role: "status" });
    document.body.append(notice);
  }
  const top = document.querySelector("dialog[open]") ?? document.body;
  top.append(notice);
  notice.textContent = text;
  notice.classList.add("on");
  clearTimeout(notice.timer);
  notice.timer = setTimeout(() => notice.classList.remove("on"), 4000);
}

export function bytes(count) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  while (count >= 1000 && unit < units.length - 1) {
    count /= 1000;
    unit += 1;
  }
  return `${number(count, count < 10 && unit ? 1 : 0)} ${units[unit]}`;
}

export function duration(seconds) {
  if (seconds < 60) return say("time.seconds", { count: Math.max(1, Math.round(seconds)) });
  if (seconds < 3600) return say("time.minutes", { count: Math.round(seconds / 60) });
  return say("time.hours", { count: Math.floor(seconds / 3600), minutes: Math.round((seconds % 3600) / 60) });
}

// A date as exactly as it is known: "1985", "1985-07", "1985-07-04" or with a time.
export function date(iso, { time = false, short = false } = {}) {
  const known = iso.length;
  const when = new Date(known > 10 ? iso : `${`${iso}-01-01`.slice(0, 10)}T00:00:00`);
  if (Number.isNaN(when.getTime())) return iso;
  const options = { year: "numeric" };
  if (known >= 7) options.month = short ? "short" : "long";
  if (known >= 10) options.day = "numeric";
  if (time && known > 10) Object.assign(options, { hour: "2-digit", minute: "2-digit" });
  return when.toLocaleString(locale, options);
}
