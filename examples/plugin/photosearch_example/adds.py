"""What the entry points name. Every search imports it, so it imports nothing heavy."""

from datetime import date
from pathlib import Path

from index import Metadata, PhotoFile
from index.catalogue.conditions import Chosen, Condition
from photosearch.plugins import Argument, Filter, Format, Help, Read, Row, WordList, World

FARBFELD = Format(
    name="farbfeld",
    aliases=("ff",),
    suffixes=frozenset({".ff"}),
    recorded=("FARBFELD",),
    begins=lambda head, suffix: head.startswith(b"farbfeld"),
    reader="photosearch_example.farbfeld",
)

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def _weekday(value: str, world: World) -> Read:
    day = value.strip().lower()
    if day not in DAYS:
        raise ValueError(f"{value!r} is no day of the week; there are {', '.join(DAYS)}")
    return Read(_on(day), f"on a {day.title()}")


def _on(day: str) -> Condition:
    def holds(file: PhotoFile, metadata: Metadata) -> bool:
        taken = (metadata.taken_at or "")[:10]
        # Of some photos only the year or the month is known.
        return len(taken) == 10 and date.fromisoformat(taken).weekday() == DAYS.index(day)

    return Chosen(f"taken on a {day}", holds)


WEEKDAY = Filter(
    name="weekday",
    read=_weekday,
    metavar="DAY",
    choices=DAYS,
    help=Help(
        "Only photos taken on this day of the week.",
        "Nur Fotos, die an diesem Wochentag aufgenommen wurden.",
    ),
    examples=("weekday:sunday",),
    guide=(Row(("`weekday:DAY`",), "taken on this day of the week"),),
    arguments=(Argument("weekday", "Texts", several=True, choices=DAYS),),
    repeated=True,
)

ESPERANTO = WordList(code="eo", path=Path(__file__).with_name("esperanto.txt"))
