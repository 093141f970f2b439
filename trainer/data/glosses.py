"""Words of other languages with the English words that mean the same, in one small file.

A line of the data is `language, synset, word, source`, where the synset is one of WordNet 3.0. Its
English words are candidates, and the likeliest two are kept: by how much a source can be trusted,
noun or not, how common the meaning is among those of the English word, where the word stands among
those of the meaning, and how often people say it of photos.

The file is a zip of `SHELVES` members. A line of one is the word without accents, the word itself
where it has any, and an entry for each language: `de:bicycle|bike`, with a second word where that
is likely, too. `en:` alone is a common English word, `en:?` a rare one.
"""

from __future__ import annotations

import gzip
import math
import re
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from photosearch.words.folding import SHELVES, fold, is_east_asian, plain, shelf
from trainer.data.wordnet import Senses

LANGUAGES = {
    "deu": "de", "fra": "fr", "spa": "es", "ita": "it", "por": "pt", "nld": "nl", "swe": "sv",
    "pol": "pl", "dan": "da", "nob": "nb", "fin": "fi", "ces": "cs", "rus": "ru", "ukr": "uk",
    "tur": "tr", "ell": "el", "hun": "hu", "ron": "ro", "jpn": "ja", "cmn": "zh", "kor": "ko",
}  # fmt: skip

# Wiktionary's and CLDR's words are the everyday ones; the wordnets have long tails of odd ones.
_TRUSTED = frozenset({"wikt", "cldr"})
_TRUST = 3.0
_NOUN = 3.0
# Words of a synset beyond these are seldom what people say.
_WORDS = 3
_UNRANKED = 3
# A second word below this share of the first adds nothing but noise.
_SECOND = 0.4
# What fewer captions have may be a slip of the pen.
_OFTEN = 3
_LONGEST = 4  # words in an entry

# In zip files a date is obligatory; always the same one makes the same bytes.
_DATE = (1980, 1, 1, 0, 0, 0)


class Spoken:
    """How often captions have a word, or two or three in a row."""

    def __init__(self, captions: Iterable[str]) -> None:
        self._counts: Counter[str] = Counter()
        for caption in captions:
            words = re.findall(r"[a-z]+", caption.lower())
            for length in (1, 2, 3):
                self._counts.update(
                    " ".join(words[at : at + length]) for at in range(len(words) - length + 1)
                )

    def words(self) -> Iterator[tuple[str, int]]:
        return ((word, count) for word, count in self._counts.items() if " " not in word)

    def times(self, words: str) -> int:
        return self._counts[words] + self._counts[f"{words}s"] + self._counts[f"{words}es"]


def read_sentences(path: Path) -> Iterator[str]:
    """The lines of a text file, which may be compressed."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as file:
        yield from file


def read_words(path: Path) -> Iterator[tuple[str, str, str, str]]:
    """Language, synset, word and source of each line; raises `ValueError` for what is no line."""
    for number, line in enumerate(read_sentences(path), 1):
        parts = line.rstrip("\n").split("\t")
        if len(parts) != 4:
            raise ValueError(f"{path}: line {number} has {len(parts)} columns, and should have 4")
        language, synset, word, source = parts
        if language in LANGUAGES:
            # WordNet's index has satellite adjectives among the others.
            yield LANGUAGES[language], synset.replace("-s", "-a"), word, source


def build(
    words: Iterable[tuple[str, str, str, str]], senses: Senses, spoken: Spoken
) -> dict[str, dict[str, str]]:
    """The entries of each folded word, by language."""
    meant: dict[tuple[str, str], dict[str, float]] = defaultdict(dict)
    trusted = set()
    for language, synset, word, source in words:
        key = language, fold(word)
        sure = source in _TRUSTED
        if _fits(key[1]):
            meant[key][synset] = max(meant[key].get(synset, 0.0), _TRUST if sure else 1.0)
            if sure:
                trusted.add(key)
    entries: dict[str, dict[str, str]] = defaultdict(dict)
    for (language, word), synsets in meant.items():
        likely = candidates(synsets, senses, spoken)
        if likely and ((language, word) in trusted or spoken.times(likely[0][0])):
            entries[word][language] = _written(likely)
    for word, common in _english(senses, spoken):
        entries[word]["en"] = "" if common else "?"
    return entries


def candidates(
    synsets: dict[str, float], senses: Senses, spoken: Spoken
) -> list[tuple[str, float]]:
    """The English words for these synsets, which have a weight each; the likeliest first."""
    likely: dict[str, float] = defaultdict(float)
    for synset, trust in synsets.items():
        noun = _NOUN if synset.endswith("-n") else 1.0
        for place, word in enumerate(senses.words.get(synset, ())[:_WORDS]):
            rank = senses.ranks.get((word, synset), _UNRANKED)
            said = math.log(2 + spoken.times(word)) ** 2
            likely[word] += trust * noun / (1 + rank) / (1 + place) * said
    return sorted(likely.items(), key=lambda item: (-item[1], item[0]))


def _fits(word: str) -> bool:
    """Whether a word may be asked for: not a single letter, no sentence, and no signs."""
    if not word or word.count(" ") >= _LONGEST or not any(map(str.isalpha, word)):
        return False
    return not re.search(r"[\t\n|:,;()?!]", word) and (len(word) > 1 or is_east_asian(word))


def _written(likely: list[tuple[str, float]]) -> str:
    (first, most), *rest = likely
    return f"{first}|{rest[0][0]}" if rest and rest[0][1] >= _SECOND * most else first


def _english(senses: Senses, spoken: Spoken) -> Iterator[tuple[str, bool]]:
    """English words, and whether they are common."""
    known = {fold(word) for word, _ in senses.ranks if " " not in word}
    counts = dict(spoken.words())
    for word in sorted(known | set(counts)):
        said = counts.get(word, 0)
        common = said >= _OFTEN or (word in known and (said or word in senses.tagged))
        if word.replace(" ", "").isalpha() and (word in known or said > 1):
            yield word, bool(common)


def write(entries: dict[str, dict[str, str]], path: Path) -> None:
    """The file at `path`: the same bytes for the same entries."""
    shelves: list[list[str]] = [[] for _ in range(SHELVES)]
    for word, by_language in entries.items():
        bare = plain(word)
        said = [f"{language}:{entry}" for language, entry in sorted(by_language.items())]
        shelves[shelf(bare)].append("\t".join([bare, "" if bare == word else word, *said]))
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as file:
        for number, lines in enumerate(shelves):
            # Each line has an end on both sides, by which it is found.
            text = "\n" + "".join(f"{line}\n" for line in sorted(lines))
            file.writestr(_member(number), text.encode(), zipfile.ZIP_DEFLATED, 9)


def _member(number: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(f"{number:02x}", _DATE)
    info.create_system = 3  # what it is called on: not to depend on where it is made
    info.external_attr = 0o644 << 16
    return info
