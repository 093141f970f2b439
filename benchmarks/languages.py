"""What is found by words and captions of other languages, against the same in English.

The words and captions are ours, in texts/. The list of words was never mended by looking at them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.not_there import NotThereError
from benchmarks.tables import fill_page, markdown_table, write_text
from photosearch.encoders import Encoder, open_encoder
from photosearch.search.glossed import glossed
from photosearch.search.parse import parse
from photosearch.search.query import Described
from trainer.concepts.graph import concept_places
from trainer.concepts.names import Names
from trainer.data.photo_tars import PhotoSample
from trainer.evaluate.captioned import distinct_photos
from trainer.evaluate.figure import Figure, percentiles
from trainer.relevance.asked import encode_photos, encode_samples, label_of
from trainer.teachers.conse import normalise

_TEXTS = Path(__file__).parent / "texts"
_NAMES = {
    "en": "English",
    "de": "German",
    "fr": "French",
    "es": "Spanish",
    "it": "Italian",
    "pt": "Portuguese",
    "nl": "Dutch",
    "sv": "Swedish",
    "pl": "Polish",
    "ru": "Russian",
    "ja": "Japanese",
    "zh": "Chinese (simplified)",
}
_SAME = 0.999  # the cosine of a place with itself, as float16 keeps it
_PHOTOS = 15  # of a word, that few words do not make up the gallery
_DRAWS = 2000

Floats = NDArray[np.floating]


@dataclass(frozen=True)
class Table:
    """Queries of one kind: what each is answered by, and its text in each language."""

    answers: list[str]
    texts: dict[str, list[str]]

    @classmethod
    def read(cls, name: str) -> Table:
        head, *rows = [line.split("\t") for line in (_TEXTS / name).read_text("utf-8").splitlines()]
        columns = list(zip(*rows, strict=True))
        return cls(list(columns[0]), {code: list(columns[head.index(code)]) for code in _NAMES})


def run(
    bundle: Path,
    out: Path,
    *,
    labelled: Sequence[Path],
    captioned: Sequence[Path],
    texts: Path = _TEXTS,
) -> None:
    """Write languages.md to `out`, by the words.tsv and captions.tsv of `texts`.

    Raises `NotThereError` when the tars lack photos that are asked for.
    """
    encoder = open_encoder(bundle)
    words, captions = Table.read(texts / "words.tsv"), Table.read(texts / "captions.tsv")
    chosen, shown = _of_words(words.answers, distinct_photos(labelled))
    own = _of_captions(captions.answers, [one.key for one in distinct_photos(captioned)])
    gallery = encode_samples(encoder, chosen).vectors
    photos = encode_photos(encoder, captioned)
    learned = taught(bundle, encoder, words.answers)
    precision = {
        (code, read): _precisions(_vectors(encoder, texts, code, read=read) @ gallery.T, shown)
        for code, texts in words.texts.items()
        for read in (True, False)
    }
    found = {
        (code, read): _hits(_vectors(encoder, texts, code, read=read) @ photos.vectors.T, own)
        for code, texts in captions.texts.items()
        for read in (True, False)
    }
    chance = float(shown.mean())
    write_text(
        out / "languages.md",
        fill_page(
            "languages.md",
            model=encoder.bundle_id.split("-sha256")[0],
            words=str(len(words.answers)),
            photos=f"{len(gallery):,}",
            chance=f"{chance:.1%}",
            captions=str(len(captions.answers)),
            gallery=f"{len(photos):,}",
            taught=str(int(learned.sum())),
            untaught=str(int((~learned).sum())),
            word_table=_table(_of(precision, ~learned)),
            taught_table=_table(_of(precision, learned)),
            caption_table=_table(found),
        ),
    )


def _of_words(
    answers: Sequence[str], photos: Iterable[PhotoSample]
) -> tuple[list[PhotoSample], NDArray[np.bool_]]:
    """The n photos that show one of the things, and which shows which, (things, n)."""
    number = {label: at for at, labels in enumerate(answers) for label in labels.split("|")}
    taken: Counter[int] = Counter()
    chosen, things = [], []
    for photo in photos:
        thing = number.get(label_of(photo.meta) or "")
        if thing is not None and taken[thing] < _PHOTOS:
            taken[thing] += 1
            chosen.append(photo)
            things.append(thing)
    missing = [answers[thing] for thing in range(len(answers)) if not taken[thing]]
    if missing:
        raise NotThereError(f"--labelled: no photo has the label {missing[0]}; give more tars")
    return chosen, np.arange(len(answers))[:, None] == np.array(things)


def taught(bundle: Path, encoder: Encoder, answers: Sequence[str]) -> NDArray[np.bool_]:
    """Which things the image network has concepts of: of these it has learned labels, (things,)."""
    places = concept_places(bundle / "image.onnx")
    if not len(places):
        return np.zeros(len(answers), bool)
    known = Names.packaged()
    named = [known.of({"label": labels.split("|")[0]}) or [labels] for labels in answers]
    rows = normalise(known.rows([names[0] for names in named], encoder.encode_texts))
    found: NDArray[np.bool_] = (rows @ normalise(places).T > _SAME).any(1)
    return found


def _of(
    values: dict[tuple[str, bool], Floats], chosen: NDArray[np.bool_]
) -> dict[tuple[str, bool], Floats]:
    return {key: found[chosen] for key, found in values.items()}


def _of_captions(answers: Sequence[str], keys: Sequence[str]) -> NDArray[np.int64]:
    """The number of the photo that answers each caption."""
    at = {key: row for row, key in enumerate(keys)}
    for key in answers:
        if key not in at:
            raise NotThereError(f"--captioned: {key} is not there; give the tar that has it")
    return np.array([at[key] for key in answers])


def _vectors(encoder: Encoder, texts: Sequence[str], code: str, *, read: bool) -> Floats:
    """(q, d), of each text as a search takes it; without `read` as the model alone does."""
    rows = []
    for text in texts:
        query = parse(text, literal=True)
        if read:
            query = glossed(query, code, encoder.languages)
        content = query.terms[0].content
        assert isinstance(content, Described)
        vectors = encoder.encode_texts([one for one, _ in content.weighed])
        rows.append(np.array([weight for _, weight in content.weighed]) @ vectors)
    return normalise(np.stack(rows))


def _precisions(cosines: Floats, shown: NDArray[np.bool_]) -> Floats:
    """The average precision of each query, (q,)."""
    ranked = np.take_along_axis(shown, np.argsort(-cosines, axis=1), axis=1)
    precision = np.cumsum(ranked, axis=1) / np.arange(1, shown.shape[1] + 1)
    means: Floats = (precision * ranked).sum(1) / ranked.sum(1)
    return means


def _hits(cosines: Floats, own: NDArray[np.int64]) -> Floats:
    """Whether each query's photo is among the first ten, (q,)."""
    rank = (cosines > np.take_along_axis(cosines, own[:, None], axis=1)).sum(1)
    return (rank < 10).astype(float)


def _table(values: dict[tuple[str, bool], Floats]) -> str:
    """A row a language: as it is read, its share of English, and without the list of words."""
    english = values["en", True]
    if not len(english):
        return "None."
    draws = np.random.default_rng(0).integers(len(english), size=(_DRAWS, len(english)))
    rows = []
    for code, name in _NAMES.items():
        one = values[code, True]
        resampled = one[draws].mean(1)
        share = resampled / np.maximum(english[draws].mean(1), 1e-9)
        own = Figure(name, one.mean(), *percentiles(resampled), chance=0)
        kept = Figure(name, one.mean() / english.mean(), *percentiles(share), chance=0)
        rows.append(
            (
                name,
                f"{own.value:.1%} ({own.low:.1%} to {own.high:.1%})",
                f"{kept.value:.2f} ({kept.low:.2f} to {kept.high:.2f})",
                f"{values[code, False].mean():.1%}",
            )
        )
    return markdown_table(
        ("language", "as it is read", "share of English", "without the list"), rows
    )
