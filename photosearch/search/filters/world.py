"""What reading a filter depends on beside what was typed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING

from index.catalogue.conditions import Condition
from index.catalogue.records import Place
from photosearch.search.dates import Calendar, Locale

if TYPE_CHECKING:
    from photosearch.search.lexicon import Lexicon


def _unnamed(name: str) -> tuple[Place, ...]:
    return ()


def _nowhere(name: str) -> tuple[float, float] | None:
    return None


def _nameless(latitude: float, longitude: float) -> str:
    return ""


def _never(condition: Condition) -> bool:
    return False


@dataclass(frozen=True)
class World:
    """The day, the library's places, and where they are.

    `places` are the keys of their names, and `called` gives places by other names. `town_at` names
    the town at a point, in degrees north and east, and is empty where there is none.

    `locale` decides what is ambiguous. `southern` tells that seasons are those of the southern half
    of the Earth; while it is None, `lives_south` is asked, when a season is named.

    `lexicon` has what else is known of photos, and `met` tells whether there are any that meet a
    condition; without one no words of a description are looked up.
    """

    today: date = field(default_factory=date.today)
    places: frozenset[str] = frozenset()
    called: Callable[[str], tuple[Place, ...]] = _unnamed
    locate: Callable[[str], tuple[float, float] | None] = _nowhere
    town_at: Callable[[float, float], str] = _nameless
    locale: Locale = field(default_factory=Locale)
    southern: bool | None = None
    lives_south: Callable[[], bool] | None = None
    lexicon: Lexicon | None = None
    met: Callable[[Condition], bool] = _never

    @property
    def calendar(self) -> Calendar:
        return Calendar(self.today, self.locale, bool(self.southern))

    def settled(self) -> World:
        """The same, with it decided when seasons are."""
        if self.southern is not None:
            return self
        ask = self.lives_south
        return replace(self, southern=self.locale.southern if ask is None else ask())
