"""The text that the text tower is distilled on: sentences, an open vocabulary, short queries.

Every text is drawn deterministically from its sources, so a corpus can be rebuilt from them. A
text whose hash falls in the held-out share is never trained on; that is what agreement with the
teacher is measured on.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import random
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from photosearch.words.dictionary import translated
from trainer.data.photo_tars import read_photos
from trainer.data.wordnet import read_synsets

HELD_OUT_NOUNS = 5000
HELD_OUT_SENTENCES = 5000
# Everyday words are those that so many of the languages of photosearch's list have one for.
_LANGUAGES = 4

TEMPLATES = (
    "a photo of a {}",
    "a picture of a {}",
    "a photo of {}",
    "{} outdoors",
    "a close-up of a {}",
    "a {} on a table",
    "two {}",
    "a person with a {}",
    "a small {}",
    "a {} in the background",
    "an old {}",
    "a black and white photo of a {}",
)


@dataclass(frozen=True)
class Corpus:
    """texts: what is trained on, distinct. The held-out lists share no text with it."""

    texts: list[str]
    held_out_nouns: list[str]
    held_out_sentences: list[str]

    def lists(self) -> dict[str, list[str]]:
        """The three lists by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def save(self, folder: Path) -> None:
        """Write each list as NAME.txt.gz."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, texts in self.lists().items():
            with gzip.open(folder / f"{name}.txt.gz", "wt", encoding="utf-8") as file:
                file.writelines(f"{text}\n" for text in texts)

    @classmethod
    def load(cls, folder: Path) -> Corpus:
        """Read what `save` wrote. Raises `ValueError` naming a list that is not there."""
        return cls(*(read_lines(folder / f"{field.name}.txt.gz") for field in fields(cls)))


def read_lines(path: Path) -> list[str]:
    """The non-empty lines of a text file, gzipped or plain.

    Raises `ValueError` naming a file that is missing or holds something else.
    """
    if not path.is_file():
        raise ValueError(f"{path}: no such text file")
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8") as file:
            return [line.strip() for line in file if line.strip()]
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: not a text file, plain or gzipped ({error})") from None


def _rank(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.lower().encode()).digest()[:8], "little")


def short_queries(sentences: Iterable[str], *, seed: int = 0) -> list[str]:
    """One run of one to four words from each sentence: how people type queries."""
    draw = random.Random(seed)  # noqa: S311 - drawn the same each time
    queries = []
    for sentence in sentences:
        words = sentence.strip(" .").split()
        length = min(len(words), draw.randint(1, 4))
        start = draw.randint(0, len(words) - length)
        queries.append(" ".join(words[start : start + length]).strip(" ,.;:\"'"))
    return [query for query in queries if query]


def build_corpus(
    sentence_files: Sequence[Path],
    captioned: Sequence[Path],
    class_names: Sequence[str],
    wordnet: Path | None,
    *,
    query_rounds: int = 2,
    templates_per_noun: int = 1,
    limit: int | None = None,
) -> Corpus:
    """Gather the corpus; `captioned` are photo tars whose captions may be trained on.

    wordnet: the folder of its files; without, everyday words that come with photosearch take its
    place, and there are no glosses. `limit` keeps that many of the texts; their order is random, so
    they are a fair sample. A tenth as many are held out then, at most.
    """
    held_out = [HELD_OUT_SENTENCES, HELD_OUT_NOUNS]
    if limit is not None:
        held_out = [min(count, max(1, limit // 10)) for count in held_out]
    sentences = [line for path in sentence_files for line in read_lines(path)]
    sentences += [c for s in read_photos(*captioned) for c in s.meta.get("captions", [])]
    sentences = sorted(set(sentences), key=_rank)
    held_sentences, sentences = sentences[: held_out[0]], sentences[held_out[0] :]

    words, other_words, glosses = _words(wordnet)
    nouns = sorted(words, key=_rank)
    held_nouns, nouns = nouns[: held_out[1]], nouns[held_out[1] :]
    hidden = {text.lower() for text in held_nouns + held_sentences}

    names = [*nouns, *class_names]
    templated = [
        TEMPLATES[(_rank(name) + step) % len(TEMPLATES)].format(name)
        for name in names
        for step in range(templates_per_noun)
    ]
    templated += [template.format(name) for name in class_names for template in TEMPLATES]
    queries = [
        query for seed in range(query_rounds) for query in short_queries(sentences, seed=seed)
    ]
    everything = dict.fromkeys(
        [
            *sentences,
            *names,
            *sorted(other_words),
            *glosses,
            *templated,
            *queries,
        ]
    )
    texts = sorted((text for text in everything if text.lower() not in hidden), key=_rank)
    return Corpus(texts[:limit], held_nouns, held_sentences)


def _words(wordnet: Path | None) -> tuple[set[str], set[str], list[str]]:
    """Nouns, other words, and what the nouns mean."""
    if wordnet is None:
        return set(translated(_LANGUAGES)), set(), []
    synsets = list(read_synsets(wordnet))
    others = {
        word
        for part in ("verb", "adj")
        for synset in read_synsets(wordnet, part)
        for word in synset.words
    }
    nouns = {word for synset in synsets for word in synset.words}
    return nouns, others, [synset.gloss for synset in synsets]


def read_class_names(path: Path) -> list[str]:
    """A JSON list of class names, in the order of a classifier's outputs."""
    try:
        names = json.loads(path.read_text())
    except (OSError, json.JSONDecodeError) as error:
        raise ValueError(f"{path}: not a JSON list of class names ({error})") from None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError(f"{path}: not a JSON list of class names")
    return names
