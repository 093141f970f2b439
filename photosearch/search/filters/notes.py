"""Filters by what is noted of photos: camera, lens, rating, people, albums, keywords, texts."""

from __future__ import annotations

import re

from index.catalogue.conditions import (
    Condition,
    InAlbumCalled,
    Located,
    Made,
    Peopled,
    Rated,
    Read,
    Saying,
    Showing,
    Tagged,
    Taken,
)
from photosearch.search.filters.filter import Argument, Filter, Help, Row
from photosearch.search.filters.world import World


def _rating(value: str, world: World) -> Condition:
    found = re.fullmatch(r"(>=|<=|>|<|=|)\s*(\d)|(\d)\s*(?:\.\.|-)\s*(\d)", value.strip())
    if found is None or int(found[2] or found[4]) > 5:
        raise ValueError(f"{value!r} is no rating; write it as rating>=4, with 0 to 5 stars")
    if found[3]:
        return Rated(int(found[3]), int(found[4]))
    stars = int(found[2])
    # Below no stars there are the photos marked as rejected.
    return {
        ">=": Rated(stars, 5),
        ">": Rated(stars + 1, 5),
        "<=": Rated(-1, stars),
        "<": Rated(-1, stars - 1),
    }.get(found[1], Rated(stars, stars))


_COUNT = re.compile(r"(>=|<=|>|<|=|)\s*(\d{1,4})|(\d{1,4})\s*(?:\.\.|-)\s*(\d{1,4})")


def _people(value: str, world: World) -> Condition:
    found = _COUNT.fullmatch(value.strip())
    if found is None:
        if re.match(r"[\d<>=]", value.strip()):
            raise ValueError(
                f"{value!r} is no number of people; write it as people:2, people>=3 or people:2-4"
            )
        return Showing(value)  # as it may be called, too
    if found[3]:
        return Peopled(int(found[3]), int(found[4]))
    count = int(found[2])
    if found[1] == "<" and not count:
        raise ValueError("no photo has less than 0 people; write people:0 for those with nobody")
    return {
        ">=": Peopled(count),
        ">": Peopled(count + 1),
        "<=": Peopled(0, count),
        "<": Peopled(0, count - 1),
    }.get(found[1], Peopled(count, count))


def _has(value: str, world: World) -> Condition:
    name = value.strip().lower()
    if name == "date":
        return Taken(None, None)
    if name == "text":
        return Read()
    if name != "gps":
        raise ValueError(f"{value!r} is not known; a photo has gps, a date or text, or not")
    return Located()


_MADE = "whose camera or lens has NAME in its name; where one is called just NAME, only that"

FILTERS = (
    Filter(
        name="camera",
        read=lambda value, world: Made("camera", value),
        metavar="NAME",
        help=Help(
            "Only photos taken with such a camera.",
            "Nur Fotos, die so eine Kamera gemacht hat.",
            "Seulement les photos prises avec cet appareil.",
            "Solo fotos hechas con esa cámara.",
        ),
        examples=("camera:canon",),
        guide=(Row(("`camera:NAME`",), _MADE),),
        arguments=(Argument("camera", "Texts", several=True),),
        repeated=True,
        as_typed=True,
    ),
    Filter(
        name="lens",
        read=lambda value, world: Made("lens", value),
        metavar="NAME",
        help=Help(
            "Only photos taken with such a lens.",
            "Nur Fotos mit so einem Objektiv.",
            "Seulement les photos prises avec cet objectif.",
            "Solo fotos hechas con ese objetivo.",
        ),
        examples=("lens:50mm",),
        guide=(Row(("`lens:NAME`",), _MADE),),
        arguments=(Argument("lens", "Texts", several=True),),
        repeated=True,
        as_typed=True,
    ),
    Filter(
        name="rating",
        read=_rating,
        metavar="STARS",
        help=Help(
            "Only photos rated so, as in 4 or '>=4'.",
            "Nur so bewertete Fotos, etwa 4 oder '>=4'.",
            "Seulement les photos ainsi notées\u202f: 4 ou '>=4'.",
            "Solo fotos con esta valoración: 4 o '>=4'.",
        ),
        examples=("rating>=4",),
        guide=(
            Row(
                ("`rating>=4`", "`rating:5`", "`rating:3-5`"),
                "with so many stars; a photo without a rating has 0",
            ),
        ),
        arguments=(Argument("rating", "int | str | None"),),
        all_hold=True,
        compares=True,
    ),
    Filter(
        name="has",
        read=_has,
        metavar="WHAT",
        choices=("gps", "date", "text"),
        help=Help(
            "Only photos that say where, or when, they were taken, or have text in them.",
            "Nur Fotos, die sagen, wo oder wann sie aufgenommen wurden, oder auf denen Text ist.",
            "Seulement les photos qui ont un lieu, une date ou du texte.",
            "Solo fotos que tienen lugar, fecha o texto.",
        ),
        examples=("has:gps",),
        guide=(
            Row(("`has:gps`", "`has:date`"), "that say where, or when, they were taken"),
            Row(("`has:text`",), "in which text was read"),
        ),
        arguments=(
            Argument(
                "has_gps",
                "bool | None",
                means="gps",
                help=Help(
                    "Only photos that say where they were taken; those that do not, when false.",
                    "Nur Fotos, die sagen, wo sie aufgenommen wurden; bei false die anderen.",
                ),
            ),
            Argument(
                "has_date",
                "bool | None",
                means="date",
                help=Help(
                    "Only photos that say when they were taken; those that do not, when false.",
                    "Nur Fotos, die sagen, wann sie aufgenommen wurden; bei false die anderen.",
                ),
            ),
            Argument(
                "has_text",
                "bool | None",
                means="text",
                help=Help(
                    "Only photos in which text was read; the others, when false.",
                    "Nur Fotos, auf denen Text gelesen wurde; bei false die anderen.",
                ),
            ),
        ),
        repeated=True,
        all_hold=True,
    ),
    Filter(
        name="person",
        read=lambda value, world: Showing(value),
        metavar="NAME",
        help=Help(
            "Only photos of this person, by the names in the photos.",
            "Nur Fotos dieser Person, nach den Namen in den Fotos.",
            "Seulement les photos de cette personne, d’après les noms dans les photos.",
            "Solo fotos de esta persona, según los nombres en las fotos.",
        ),
        examples=("person:Anna",),
        guide=(
            Row(
                ("`person:NAME`",),
                "of this person, by any of their names, or of all in a group of people; part of a "
                "name is enough where nobody is called just so",
            ),
        ),
        arguments=(Argument("person", "Texts", several=True),),
        repeated=True,
        all_hold=True,
        as_typed=True,
    ),
    Filter(
        name="people",
        read=_people,
        metavar="NUMBER",
        help=Help(
            "Only photos with so many people in them, as far as that is known: 2, '>=3', 0.",
            "Nur Fotos mit so vielen Personen, soweit das bekannt ist: 2, '>=3', 0.",
            "Seulement les photos avec ce nombre de personnes, s’il est connu\u202f: 2, '>=3', 0.",
            "Solo fotos con este número de personas, si se sabe: 2, '>=3', 0.",
        ),
        examples=("people:2",),
        guide=(
            Row(
                ("`people:2`", "`people>=3`", "`people:2-4`", "`people:0`"),
                "with so many people in them, by the names and faces that programs noted",
            ),
        ),
        arguments=(Argument("people", "int | str | None"),),
        repeated=True,
        all_hold=True,
        as_typed=True,
        compares=True,
    ),
    Filter(
        name="album",
        read=lambda value, world: InAlbumCalled(value),
        metavar="NAME",
        help=Help(
            "Only photos in this album.",
            "Nur Fotos aus diesem Album.",
            "Seulement les photos de cet album.",
            "Solo fotos de este álbum.",
        ),
        examples=("album:Holiday",),
        guide=(Row(("`album:NAME`",), "in the album of this name"),),
        arguments=(Argument("album", "Texts", several=True),),
        repeated=True,
        as_typed=True,
    ),
    Filter(
        name="keyword",
        read=lambda value, world: Tagged(value),
        metavar="WORD",
        help=Help(
            "Only photos with this keyword, or with one below it.",
            "Nur Fotos mit diesem Stichwort oder einem darunter.",
            "Seulement les photos avec ce mot-clé, ou un mot-clé qu’il contient.",
            "Solo fotos con esta palabra clave, o con una contenida en ella.",
        ),
        examples=('keyword:"Places|Rome"',),
        guide=(
            Row(
                ("`keyword:rome`",),
                'with this whole keyword; also in a path, `keyword:"Places\\|Europe"`',
            ),
        ),
        arguments=(Argument("keyword", "Texts", several=True),),
        repeated=True,
        all_hold=True,
    ),
    Filter(
        name="words",
        read=lambda value, world: Saying(value),
        metavar="TEXT",
        help=Help(
            "Only photos with TEXT in file name, caption or keywords.",
            "Nur Fotos mit TEXT in Dateiname, Bildtext oder Stichwörtern.",
            "Seulement les photos dont le nom, la légende ou les mots-clés contiennent TEXT.",
            "Solo fotos con TEXT en el nombre, la descripción o las palabras clave.",
        ),
        examples=("words:IMG_2041",),
        guide=(Row(("`words:TEXT`",), 'the same as `"TEXT"`'),),
        arguments=(Argument("words", "Texts", several=True),),
        repeated=True,
        all_hold=True,
        as_typed=True,
    ),
)
