// Choosing when photos were taken: years, the months of one, and the days of one, each with how many
// photos it has; or from one date to another, as one types them.

import { typedAt } from "./chips.js";
import { calendar, date, fill, make, number, say } from "./dom.js";

export class DateChoices {
  // `choose` is called with the choice that was pressed, `between` with the texts {since, until}.
  constructor(choose, between) {
    Object.assign(this, { choose, between });
    this.within = null;
    this.years = make("div", { class: "years", role: "group", "aria-label": say("filters.years") });
    this.months = make("div", { class: "months", role: "group" });
    this.days = make("div", { class: "days", role: "group" });
    this.limits = Object.fromEntries(
      ["since", "until"].map((name) => [
        name,
        make("input", { class: "field slim", type: "text", id: `filter-${name}-${(counter += 1)}`, placeholder: say("filters.date_hint"), autocomplete: "off", maxlength: 40 }),
      ]),
    );
    this.form = make(
      "form",
      { class: "from-to", onsubmit: (event) => this.#submit(event) },
      Object.entries(this.limits).map(([name, field]) => make("p", {}, make("label", { for: field.id }, say(`filters.${name}`)), field)),
      make("button", { type: "submit", class: "plain slim" }, say("filters.apply")),
    );
    this.element = make("section", { class: "choices of-date" }, this.years, this.months, this.days, this.form);
  }

  // For which months or days the counts are needed, beside those of the years.
  levels(text) {
    // What stands in the box says where to begin.
    this.within ??= /(?:year|on):(\d{4}(?:-\d\d)?)/.exec(text)?.[1] ?? "";
    return ["", ...[4, 7].filter((length) => this.within.length >= length).map((length) => this.within.slice(0, length))];
  }

  show({ parts }, [years, months = [], days = []], text) {
    this.element.hidden = !years.length;
    fill(this.years, years.map((choice) => this.#cell(choice, choice.value, choice.value)));
    this.#year(months);
    this.#month(days);
    for (const [name, field] of Object.entries(this.limits)) {
      const typed = parts.map((part) => typedAt(text, part)).find((one) => one.startsWith(`${name}:`)) ?? "";
      if (document.activeElement !== field) field.value = typed.slice(name.length + 1).replaceAll('"', "");
    }
  }

  #year(months) {
    this.months.hidden = !months.length;
    if (!months.length) return;
    const year = this.within.slice(0, 4);
    const ofMonth = calendar({ month: "short" });
    this.months.setAttribute("aria-label", say("filters.months", { year }));
    fill(this.months, make("h3", {}, year), inYear(year).map((month) => this.#known(months, month, ofMonth.format(noon(`${month}-01`)))));
  }

  // The days of a month under those of the week.
  #month(days) {
    this.days.hidden = !days.length;
    if (!days.length) return;
    const month = this.within.slice(0, 7);
    this.days.setAttribute("aria-label", date(month));
    const all = inMonth(month);
    const before = (noon(all[0]).getDay() - firstOfWeek() + 7) % 7;
    const weekdays = calendar({ weekday: "narrow" });
    // The 4th of January 1970 was a Sunday.
    const names = [0, 1, 2, 3, 4, 5, 6].map((day) => weekdays.format(new Date(1970, 0, 4 + firstOfWeek() + day, 12)));
    const cells = all.map((day) => this.#known(days, day, String(Number(day.slice(8)))));
    cells[0].style.gridColumnStart = before + 1;
    fill(this.days, make("h3", {}, date(month)), names.map((name) => make("span", { class: "quiet weekday", "aria-hidden": "true" }, name)), cells);
  }

  // A cell also where no photo is from.
  #known(choices, value, label) {
    const choice = choices.find((one) => one.value === value);
    return choice ? this.#cell(choice, label, date(value)) : make("span", { class: "cell none" }, label);
  }

  #cell(choice, label, spoken) {
    const pressed = choice.parts.length > 0;
    return make(
      "button",
      {
        type: "button",
        class: this.within.startsWith(choice.value) ? "cell open" : "cell",
        "aria-pressed": String(pressed),
        "aria-label": `${spoken}, ${say("browse.count", { count: choice.count })}`,
        "data-filter": choice.filter,
        onclick: () => {
          // One opens what it has in it, and closes it when it is taken back.
          const above = choice.value.slice(0, { 4: 0, 7: 4, 10: 7 }[choice.value.length]);
          this.within = pressed ? above : choice.value.slice(0, 7);
          this.choose(choice);
        },
      },
      make("span", {}, label),
      make("span", { class: "quiet" }, number(choice.count)),
    );
  }

  #submit(event) {
    event.preventDefault();
    this.between({ since: this.limits.since.value, until: this.limits.until.value });
  }
}

let counter = 0;

// Noon is of the day wherever one is.
const noon = (day) => new Date(`${day}T12:00:00`);

const two = (value) => String(value).padStart(2, "0");

const inYear = (year) => Array.from({ length: 12 }, (_, month) => `${year}-${two(month + 1)}`);

export function inMonth(month) {
  const [year, number] = month.split("-").map(Number);
  return Array.from({ length: new Date(year, number, 0).getDate() }, (_, day) => `${month}-${two(day + 1)}`);
}

// 0 is Sunday.
function firstOfWeek() {
  const { locale } = calendar({}).resolvedOptions();
  const known = new Intl.Locale(locale);
  return ((known.getWeekInfo?.() ?? known.weekInfo)?.firstDay ?? 1) % 7;
}
