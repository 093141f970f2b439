// The headings of days, months and trips, and the list of a day's photos below them.

import { date, icon, make, say } from "./dom.js";
import { townName } from "./place-names.js";
import { tripName } from "./trips.js";

// What a month is called, or a year of which no more is known, or nothing at all.
export const monthName = (key) => (key ? date(key) : say("browse.no_date"));

function dayName(day) {
  if (day.length === 10) return date(day, { weekday: true });
  // That it is of that year, or of no known time, stands above.
  return day.length === 7 ? say("timeline.no_day") : "";
}

// What stands above the photos of a block of the layout, and the list for them; `choose` selects them all.
export function headingOf(block, choose) {
  const { day, city, country, month, trip, tripTop, left, top, width } = block;
  const name = dayName(day);
  const list = make("ul", { class: "grid", "aria-label": name || monthName(day.slice(0, 7)) });
  const section = make(
    "div",
    { class: "day" },
    month ? make("h2", { class: "month", style: `top:${month.top}px` }, monthName(month.key)) : null,
    tripTop === undefined ? null : make("h3", { class: "trip", style: `top:${tripTop}px` }, tripName(trip)),
    name
      ? make(
          "div",
          { class: "head", style: `left:${left}px;top:${top}px;width:${width}px` },
          make(trip ? "h4" : "h3", { class: "when" }, [name, city && townName(city, country)].filter(Boolean).join(" · ")),
          dayButton(name, () => choose(block)),
        )
      : null,
    list,
  );
  return { section, list };
}

function dayButton(name, onclick) {
  const label = say("timeline.select_day", { day: name });
  return make("button", { type: "button", class: "pick-day", tabindex: "-1", "aria-label": label, title: label, onclick }, icon("check"));
}
