"""How many photos each place, camera or folder has, kept while months change."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping

from index.catalogue.browsing import BrowseBy, PhotoGroup, key_of
from index.catalogue.months import Counted, Part


class Totals:
    """The groups of photos by one of these, the largest first; `numbers` are of the texts that
    name them, which grow.
    """

    def __init__(
        self, by: BrowseBy, numbers: Mapping[str | None, int], parts: Mapping[int, Part]
    ) -> None:
        self._by, self._numbers = by, numbers
        # As they are in order, and by the texts.
        self._keys: list[tuple[int, str]] = []
        self._groups: list[PhotoGroup] = []
        self._counts: dict[str, int] = {}
        texts = self._texts()
        counted: dict[str, Counted] = {}
        for month in sorted(parts, reverse=True):
            for number, (count, newest) in parts[month].counted[by].items():
                before, cover = counted.get(texts[number], (0, newest))
                counted[texts[number]] = before + count, cover
        for text, (count, cover) in sorted(counted.items(), key=lambda it: (-it[1][0], it[0])):
            self._keys.append((-count, text))
            self._groups.append(PhotoGroup(key_of(by, text), count, cover))
            self._counts[text] = count

    def groups(self) -> list[PhotoGroup]:
        return self._groups.copy()

    def change(
        self, parts: Mapping[int, Part], changed: Iterable[tuple[Part | None, Part | None]]
    ) -> None:
        """Count anew what is in months that were, and are, otherwise than before."""
        texts, found = self._texts(), set()
        for before, after in changed:
            was, now = (part.counted[self._by] if part else {} for part in (before, after))
            found |= {texts[each] for each, _ in was.items() ^ now.items()}
        months = sorted(parts, reverse=True)
        for text in found:
            self._put(text, [parts[month] for month in months])

    def _put(self, text: str, parts: Iterable[Part]) -> None:
        numbers = [self._numbers[one] for one in {text, text or None} if one in self._numbers]
        total, cover = 0, 0
        for part in parts:
            for number in numbers:
                count, newest = part.counted[self._by].get(number, (0, 0))
                cover = cover if total else newest
                total += count
        if known := self._counts.pop(text, 0):
            at = bisect_left(self._keys, (-known, text))
            del self._keys[at], self._groups[at]
        if total:
            at = bisect_left(self._keys, (-total, text))
            self._keys.insert(at, (-total, text))
            self._groups.insert(at, PhotoGroup(key_of(self._by, text), total, cover))
            self._counts[text] = total

    def _texts(self) -> dict[int, str]:
        return {number: text or "" for text, number in self._numbers.items()}
