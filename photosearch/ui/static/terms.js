// Texts for the search box, as its grammar has them.

// Any of these ends a value in quotes, since the box takes them for plain ones.
const QUOTES = /["\u201c\u201d\u201e\u201f\u00ab\u00bb\u301d-\u301f\u300c\u300d\u300e\u300f\uff02]/u;

// A filter and its value, null for a value that cannot be written.
export function filter(name, value) {
  const text = value.trim();
  if (!text || QUOTES.test(text)) return null;
  return /\s/u.test(text) ? `${name}:"${text}"` : `${name}:${text}`;
}

// All photos of the day, or of the month or year where no more is known.
export const day = (taken) => filter("on", taken.slice(0, 10));

// Those without a date whose files are of that day.
export const fileDay = (changed) => `date:file ${day(changed)}`;

export const near = ({ latitude, longitude }) => `near:${latitude.toFixed(4)},${longitude.toFixed(4)},1km`;
