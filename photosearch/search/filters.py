"""Filters: `name:value` in the box, the options of the command line, and arguments in Python.

All three are read here, by the same functions, and become conditions on the catalogue.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date

from index.conditions import (
    Condition,
    Either,
    FileDated,
    InFolder,
    InPlace,
    Located,
    Made,
    Near,
    Not,
    OfFormat,
    Rated,
    Saying,
    Shaped,
    Tagged,
    Taken,
    TakenInMonth,
    TakenOnDays,
)
from index.functions import place_key
from index.records import Place
from photosearch.errors import UsageError
from photosearch.search.dates import (
    MONTHS,
    Calendar,
    Locale,
    Period,
    Phrase,
    Span,
    bounded,
    meaning,
    outer,
    said,
)

# Kilometres about a place, where none are given.
NEARBY = 25.0

# What people call formats, to how the catalogue names them.
_FORMATS = {
    "jpeg": ("JPEG", "MPO"),
    "heic": ("HEIF", "HEIC"),
    "tiff": ("TIFF",),
    "video": ("VIDEO",),
} | {
    name: (name.upper(),)
    for name in (
        "png", "webp", "gif", "bmp", "avif", "jxl", "raw", "psd", "jp2", "tga", "pnm", "ico", "jxr",
    )
}  # fmt: skip
_SAME_FORMAT = {
    "jpg": "jpeg", "jpe": "jpeg", "mpo": "jpeg", "heif": "heic", "tif": "tiff", "jpegxl": "jxl",
    "jpeg2000": "jp2", "jpegxr": "jxr",
}  # fmt: skip
_SHAPES = ("portrait", "landscape", "square", "panorama")


def _unnamed(name: str) -> tuple[Place, ...]:
    return ()


def _nowhere(name: str) -> tuple[float, float] | None:
    return None


@dataclass(frozen=True)
class World:
    """What reading a filter depends on: the day, the library's places, and where they are.

    `places` are the keys of their names, and `called` gives places by other names.

    `locale` decides what is ambiguous. `southern` tells that seasons are those of the southern half
    of the Earth; while it is None, `lives_south` is asked, when a season is named.
    """

    today: date = field(default_factory=date.today)
    places: frozenset[str] = frozenset()
    called: Callable[[str], tuple[Place, ...]] = _unnamed
    locate: Callable[[str], tuple[float, float] | None] = _nowhere
    locale: Locale = field(default_factory=Locale)
    southern: bool | None = None
    lives_south: Callable[[], bool] | None = None

    @property
    def calendar(self) -> Calendar:
        return Calendar(self.today, self.locale, bool(self.southern))

    def settled(self) -> World:
        """The same, with it decided when seasons are."""
        if self.southern is not None:
            return self
        ask = self.lives_south
        return replace(self, southern=self.locale.southern if ask is None else ask())


@dataclass(frozen=True)
class Read:
    """A filter's condition, what it is in a few words, and whether it depends on the seasons."""

    condition: Condition
    said: str
    seasonal: bool = False


def taken(spans: Sequence[Span]) -> Condition:
    """The condition that a photo is of any of these days."""
    each = tuple(map(_taken, spans))
    return each[0] if len(each) == 1 else Either(each)


def _taken(days: Span) -> Condition:
    if isinstance(days, Period):
        start, end = days.start, days.end
        return Taken(
            None if start is None else start.isoformat(), None if end is None else end.isoformat()
        )
    if days.month is not None:
        return TakenInMonth(days.month)
    first, last = (f"{month:02d}-{day:02d}" for month, day in (days.first, days.last))
    return TakenOnDays(first, last)


def _meant(value: str, world: World) -> Phrase:
    found = meaning(value, world.calendar)
    if found is not None and found.seasonal and world.southern is None:
        found = meaning(value, world.settled().calendar)
    if found is None:
        raise ValueError(
            f"{value!r} is no date; write it as 2021, 2021-05, 2021-05-03, May 2021 or last summer"
        )
    return found


def _on(value: str, world: World) -> Read:
    found = _meant(value, world)
    return Read(taken(found.spans), found.said, found.seasonal)


def _side(side: str) -> Callable[[str, World], Read]:
    def read(value: str, world: World) -> Read:
        found = _meant(value, world)
        named = outer(found.spans, world.today)
        time = bounded(side, named)
        if time is None or found.side:  # the latest May, or Christmas
            found = _meant(f"{side} {value}", world)
            return Read(taken(found.spans), found.said, found.seasonal)
        language = world.locale.language
        return Read(_taken(time), said([time], language, side, named), found.seasonal)

    return read


def _year(value: str, world: World) -> Read:
    if not re.fullmatch(r"\d{4}(\s*(-|\.\.)\s*\d{4})?", value.strip()):
        raise ValueError(f"{value!r} is no year; write it as 2021, or 2019-2021")
    return _on(value, world)


def _month(value: str, world: World) -> Read:
    name = value.strip().lower()
    number = int(name) if name.isdecimal() else 0
    if 1 <= number <= 12:
        found = meaning(MONTHS[number - 1], world.calendar)
    else:
        found = meaning(name, world.calendar)
    if found is not None and len(found.spans) == 1 and _is_month(found.spans[0]):
        return Read(taken(found.spans), found.said)
    raise ValueError(f"{value!r} is no month; write it as may, 5 or 2021-05")


def _is_month(days: Span) -> bool:
    """Whether it is all of one month, of one year or of any."""
    if not isinstance(days, Period):
        return days.month is not None
    start, end = days.start, days.end
    if start is None or end is None or start.day != 1 or end.day != 1:
        return False
    return (end.year - start.year) * 12 + end.month - start.month == 1


def _near(value: str, world: World) -> Condition:
    *place, last = [part.strip() for part in value.split(",")]
    distance = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(km|mi|m)", last.lower())
    kilometres = NEARBY
    if distance and place:
        kilometres = float(distance[1]) * {"km": 1.0, "mi": 1.609344, "m": 0.001}[distance[2]]
    else:
        place = [*place, last]
    if len(place) == 2 and all(re.fullmatch(r"[-+]?\d+(\.\d+)?", part) for part in place):
        north, east = map(float, place)
        if abs(north) > 90 or abs(east) > 180:
            raise ValueError(f"{value!r} is off the Earth; give degrees north, then east")
        return Near(north, east, kilometres)
    name = ", ".join(place)
    point = world.locate(name)
    if point is None:
        raise ValueError(
            f"no town is known as {name!r}; give degrees north and east, as near:41.9,12.5"
        )
    return Near(*point, kilometres)


def _type(value: str, world: World) -> Condition:
    name = value.strip().lower().lstrip(".")
    name = _SAME_FORMAT.get(name, name)
    if name not in _FORMATS:
        raise ValueError(f"{value!r} is no type of file; there are {', '.join(sorted(_FORMATS))}")
    return OfFormat(_FORMATS[name])


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


def _is(value: str, world: World) -> Condition:
    name = value.strip().lower()
    if name in _SHAPES:
        return Shaped(name)
    if name == "video":
        return OfFormat(_FORMATS["video"])
    raise ValueError(f"{value!r} is not known; photos are {', '.join(_SHAPES)}, or video")


def _has(value: str, world: World) -> Condition:
    name = value.strip().lower()
    if name == "date":
        return Taken(None, None)
    if name != "gps":
        raise ValueError(f"{value!r} is not known; a photo has gps or a date, or not")
    return Located()


def _date_of(value: str, world: World) -> Condition:
    if value.strip().lower() != "file":
        raise ValueError(
            f"{value!r} is not known; date:file asks for the dates of files, on:2021 for others"
        )
    return FileDated()


def in_place(name: str, world: World) -> Condition:
    """That a photo was taken there; a larger place may follow, as in "Portland, Oregon"."""
    whole = InPlace(name, world.called(name))
    parts = [part for part in name.split(",") if part.strip()]
    if len(parts) < 2 or whole.known or place_key(name) in world.places:
        return whole
    outside = tuple(Not(InPlace(part.strip(), world.called(part))) for part in parts)
    return Not(Either(outside))


_READERS: dict[str, Callable[[str, World], Condition | Read]] = {
    "before": _side("before"),
    "after": _side("after"),
    "since": _side("since"),
    "until": _side("until"),
    "on": _on,
    "date": _date_of,
    "year": _year,
    "month": _month,
    "near": _near,
    "in": in_place,
    "camera": lambda value, world: Made("camera", value),
    "lens": lambda value, world: Made("lens", value),
    "folder": lambda value, world: InFolder(value),
    "type": _type,
    "rating": _rating,
    "is": _is,
    "has": _has,
    "keyword": lambda value, world: Tagged(value),
    "words": lambda value, world: Saying(value),
}
NAMES = tuple(_READERS)

# Given more than once these must all hold; of the others one is enough.
_ALL = frozenset({"before", "after", "since", "until", "rating", "has", "keyword", "words"})


def read(name: str, value: str, world: World) -> Read:
    """What a filter asks for. Raises `ValueError` with the reason when its value makes no sense."""
    if not value.strip():
        raise ValueError(f"{name}: needs a value")
    found = _READERS[name](value, world)
    return found if isinstance(found, Read) else Read(found, f"{name} {value}")


def condition(name: str, value: str, world: World) -> Condition:
    """The condition of a filter. Raises as `read` does."""
    return read(name, value, world).condition


def combined(found: Iterable[tuple[str, Condition]]) -> tuple[Condition, ...]:
    """Conditions that must all hold, from filters with their names.

    Of filters with the same name one is enough, as in `camera:canon camera:nikon`, unless they are
    limits of the same thing, as in `after:2019 before:2021`, or say what photos are not.
    """
    together: list[Condition] = []
    choices: dict[tuple[str, type], list[Condition]] = {}
    for name, one in found:
        if name in _ALL or isinstance(one, Not):
            together.append(one)
        else:
            # A shape and a kind of file are both asked for with `is:`.
            choices.setdefault((name, type(one)), []).append(one)
    for several in choices.values():
        together.append(several[0] if len(several) == 1 else Either(tuple(several)))
    return tuple(together)


Texts = str | Sequence[str] | None

# Arguments that are true or false, and the filters that they are.
_YES_OR_NO = {
    "has_gps": ("has", "gps"),
    "has_date": ("has", "date"),
    "file_date": ("date", "file"),
    "video": ("is", "video"),
}


@dataclass(frozen=True, kw_only=True)
class Filters:
    """The filters of the box as arguments; what is None is not asked for.

    Dates are `datetime.date`, or text as in the box. `near` may be (degrees north, degrees east)
    or (north, east, kilometres). Several values of one filter mean any of them.
    """

    before: date | str | None = None
    after: date | str | None = None
    since: date | str | None = None
    until: date | str | None = None
    on: date | str | None = None
    year: int | Sequence[int] | str | None = None
    month: int | str | None = None
    near: str | tuple[float, ...] | None = None
    place: Texts = None
    camera: Texts = None
    lens: Texts = None
    folder: Texts = None
    type: Texts = None
    rating: int | str | None = None
    shape: Texts = None
    has_gps: bool | None = None
    has_date: bool | None = None
    file_date: bool | None = None
    keyword: Texts = None
    video: bool | None = None
    words: Texts = None

    def conditions(self, world: World) -> tuple[Condition, ...]:
        """Raises `UsageError` naming the filter whose value makes no sense."""
        found: list[tuple[str, Condition]] = []
        for each in fields(self):
            value = getattr(self, each.name)
            if value is None:
                continue
            if each.name in _YES_OR_NO:
                name, text = _YES_OR_NO[each.name]
                wanted = condition(name, text, world)
                found.append((each.name, wanted if value else Not(wanted)))
                continue
            name = {"place": "in", "shape": "is"}.get(each.name, each.name)
            for text in _texts(each.name, value):
                try:
                    found.append((name, condition(name, text, world)))
                except ValueError as error:
                    raise UsageError(f"{each.name}: {error}") from error
        return combined(found)


def _texts(name: str, value: object) -> list[str]:
    """A value of any allowed type as the texts that the box would have."""
    if name == "near" and isinstance(value, tuple):
        north, east, *distance = value
        return [f"{north:f},{east:f}" + "".join(f",{kilometres}km" for kilometres in distance)]
    if isinstance(value, str) or not isinstance(value, Sequence):
        return [str(value)]
    return [str(one) for one in value]
