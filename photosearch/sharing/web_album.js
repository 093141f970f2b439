// What an album can do without: keys, swipes, and dates as the reader writes them.
"use strict";

const link = (rel) => document.querySelector(`a[rel="${rel}"]`);

document.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || event.target.closest("video")) return;
  const to = { ArrowLeft: link("prev"), ArrowRight: link("next"), Escape: link("up") }[event.key];
  if (!to) return;
  event.preventDefault();
  to.click();
});

let start = null;
document.addEventListener(
  "touchstart",
  ({ touches, target }) => (start = touches.length === 1 && !target.closest("video, footer") ? touches[0].clientX : null),
  { passive: true },
);
document.addEventListener(
  "touchend",
  ({ changedTouches }) => {
    const moved = start === null || visualViewport?.scale > 1 ? 0 : changedTouches[0].clientX - start;
    if (Math.abs(moved) > 60) link(moved < 0 ? "next" : "prev")?.click();
  },
  { passive: true },
);

// There is more than one English.
const { lang } = document.documentElement;
const locale = navigator.languages.find((one) => one.split("-")[0] === lang) ?? lang;
for (const time of document.querySelectorAll("time")) {
  const said = time.dateTime;
  const when = new Date(said.length > 10 ? said : `${`${said}-01-01`.slice(0, 10)}T00:00:00`);
  if (Number.isNaN(when.getTime())) continue;
  const how = { year: "numeric" };
  if (said.length >= 7) how.month = "long";
  if (said.length >= 10) how.day = "numeric";
  if (said.length > 10 && time.closest(".photo")) Object.assign(how, { hour: "2-digit", minute: "2-digit" });
  time.textContent = when.toLocaleString(locale, how);
}
