// Places in the language of the page. The library has them by the names of the list that comes along, and
// asks for them by these; a search finds them by any.

// Countries that the list calls otherwise than browsers do in English.
const COUNTRIES = {
  "Brunei Darussalam": "BN",
  Congo: "CG",
  "Congo, The Democratic Republic of the": "CD",
  "Czech Republic": "CZ",
  "Holy See (Vatican City State)": "VA",
  "Hong Kong": "HK",
  "Korea, Democratic People's Republic of": "KP",
  "Korea, Republic of": "KR",
  "Lao People's Democratic Republic": "LA",
  "Libyan Arab Jamahiriya": "LY",
  Macao: "MO",
  Macedonia: "MK",
  Myanmar: "MM",
  "Palestinian Territory": "PS",
  "Russian Federation": "RU",
  Swaziland: "SZ",
  "Syrian Arab Republic": "SY",
  Turkey: "TR",
  "Viet Nam": "VN",
};

let language = "en";
const NONE = { towns: {}, regions: {} };
let said = NONE;
let codes = null;

// Names in this language from now on, of towns and regions as `names` has them by country.
export function learnPlaces(spoken, names = NONE) {
  [language, said, codes] = [spoken, names, null];
}

export const townName = (name, country) => said.towns[country]?.[name] ?? name;

// English names stay as the list has them.
export function countryName(name) {
  if (language === "en") return name;
  codes ??= countryCodes();
  // Tanzania, United Republic of
  const code = COUNTRIES[name] ?? codes.get(folded(name)) ?? codes.get(folded(name?.split(",")[0]));
  return code ? new Intl.DisplayNames([language], { type: "region" }).of(code) : name;
}

// Of a place as photos have it, from the town to the country: what each is called, by its name.
export function placeNames({ city, region, country }) {
  return new Map([
    [city, townName(city, country)],
    [region, city === region ? townName(city, country) : (said.regions[country]?.[region] ?? region)],
    [country, countryName(country)],
  ].filter(([name]) => name).reverse());
}

// What a list shows of where a photo was taken.
export const placeOf = ({ place, country }) => (place === country ? countryName(place) : townName(place, country));

// Where only a name is known, and perhaps what lies around it, as in "Lazio, Italy".
export function named(name, above = "") {
  const around = above.split(", ").map((_, at, all) => all.slice(at).join(", "));
  const country = around.find((one) => said.towns[one]?.[name] || said.regions[one]?.[name]);
  if (country) return said.towns[country][name] ?? said.regions[country][name];
  if (above) return name;
  const everywhere = [...Object.values(said.towns), ...Object.values(said.regions)].map((names) => names[name]).filter(Boolean);
  return new Set(everywhere).size === 1 ? everywhere[0] : countryName(name);
}

// "Lazio, Italy": regions and countries above a place.
export function above(detail) {
  const parts = detail.split(", ");
  const country = parts.map((_, at) => parts.slice(at).join(", ")).find((one) => countryName(one) !== one);
  if (!country) return detail;
  const regions = detail.slice(0, -country.length).split(", ").filter(Boolean);
  return [...regions.map((one) => said.regions[country]?.[one] ?? said.towns[country]?.[one] ?? one), countryName(country)].join(", ");
}

const folded = (name) => (name ?? "").normalize("NFD").replace(/\p{M}/gu, "").replaceAll("’", "'").replaceAll(" & ", " and ");

function countryCodes() {
  const english = new Intl.DisplayNames(["en"], { type: "region" });
  const letters = [...Array(26).keys()].map((number) => String.fromCharCode(65 + number));
  const every = letters.flatMap((one) => letters.map((other) => one + other));
  return new Map(every.map((code) => [folded(english.of(code)), code]).filter(([name, code]) => name !== code));
}
