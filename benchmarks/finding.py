"""What `Library.search` finds among photos that no training has seen, cut-offs and all.

Photos are written to a folder, indexed and searched as a user's are. The short searches are ours,
in texts/short.tsv, written by looking at the photos and before any of them was searched for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from benchmarks.not_there import NotThereError
from benchmarks.tables import fill_page, markdown_table, write_text
from photosearch import Library
from photosearch.encoders import open_encoder
from photosearch.errors import UsageError
from trainer.data.photo_tars import PhotoSample
from trainer.evaluate.captioned import captions_of, distinct_photos
from trainer.evaluate.figure import share_interval

SHORT = Path(__file__).parent / "texts" / "short.tsv"
KS = (1, 5, 10)
# A gallery such as a handful of photos of one afternoon is, beside that of the whole tar.
SMALL, _SMALLS = 159, 5
# The photos among which the short searches look.
GALLERY = 210
_DRAWS = 2000

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Query:
    """A text, and the key of the one photo that is taken to answer it."""

    text: str
    key: str


@dataclass(frozen=True)
class Found:
    """Of each query the place of its photo among what is shown, and among all; from 1 on.

    shown, ranked: (q,), infinite where it is not among the first ten. photos: (q,), the number of
    the photo that answers each. returned: (q,), how many photos are shown in all.
    """

    gallery: int
    shown: Floats
    ranked: Floats
    photos: NDArray[np.int64]
    returned: NDArray[np.int64]

    def share(self, places: Floats, k: int) -> str:
        """As "68.6% (66.3% to 70.8%)": photos are resampled, each with all its queries."""
        hits = (places <= k).astype(np.float64)
        count = int(self.photos.max()) + 1
        sums = np.bincount(self.photos, hits, count)
        sizes = np.bincount(self.photos, minlength=count)
        asked = np.flatnonzero(sizes)
        draws = np.random.default_rng(0).choice(asked, size=(_DRAWS, len(asked)))
        resampled = sums[draws].sum(1) / sizes[draws].sum(1)
        low, high = share_interval(hits.mean(), resampled, len(asked))
        return f"{hits.mean():.1%} ({low:.1%} to {high:.1%})"


def run(
    bundle: Path,
    work: Path,
    out: Path,
    *,
    captioned: Sequence[Path],
    unseen: Sequence[Path],
    short: Path = SHORT,
) -> None:
    """Measure with libraries in the folder `work`, and write finding.md to `out`.

    Raises `NotThereError` when `unseen` lacks a photo that is asked for.
    """
    model = open_encoder(bundle).bundle_id.split("-sha256")[0]
    asked = read_short(short)
    # Before hours of measuring.
    among = gallery(distinct_photos(unseen), {query.key for query in asked}, GALLERY)
    photos = list(distinct_photos(captioned))
    whole = measure(bundle, work / "whole", photos, _captions(photos))
    # The hash of a key is a draw that everybody gets.
    drawn = sorted(photos, key=lambda one: hashlib.sha256(one.key.encode()).digest())
    parts = _parts(drawn, SMALL, _SMALLS)
    small = _joined(
        [
            measure(bundle, work / f"small-{number}", part, _captions(part))
            for number, part in enumerate(parts)
        ]
    )
    typed = measure(bundle, work / "short", among, asked)
    kinds = {"captions": whole, "captions, few photos": small, "a few words": typed}
    print(page := table(kinds))
    write_text(
        out / "finding.md",
        fill_page(
            "finding.md",
            model=model,
            tars=" and ".join(path.name for path in captioned),
            unseen=" and ".join(path.name for path in unseen),
            short=str(len(asked)),
            asked=str(len({query.key for query in asked})),
            gallery=str(len(among)),
            small=str(small.gallery),
            smalls=str(len(parts)),
            table=page,
        ),
    )


def measure(
    bundle: Path, folder: Path, photos: Sequence[PhotoSample], queries: Sequence[Query]
) -> Found:
    """Index `photos` into a library in `folder`, or take the one that is there, and search it."""
    pictures = folder / "photos"
    number = {photo.key: place for place, photo in enumerate(photos)}
    if not pictures.is_dir():
        beside = folder / "photos.part"
        beside.mkdir(parents=True, exist_ok=True)
        for photo in photos:
            (beside / f"{photo.key}.{photo.suffix}").write_bytes(photo.image_bytes)
        beside.rename(pictures)
    with Library.open(folder / "library", model=bundle) as library:
        for _ in library.index([pictures], workers=1):
            pass
        shown, ranked, returned = [], [], []
        for query in tqdm(queries, unit="search", desc=folder.name, disable=None):
            try:
                hits = library.search(query.text, limit=max(KS))
                nearest = library.search(query.text, limit=max(KS), everything=True)
            except UsageError as error:
                # As for whoever typed it: nothing is found.
                print(f"  {error}")
                shown.append(float("inf"))
                ranked.append(float("inf"))
                returned.append(0)
                continue
            shown.append(_place([hit.path for hit in hits], query.key))
            ranked.append(_place([hit.path for hit in nearest], query.key))
            returned.append(hits.total)
    return Found(
        len(photos),
        np.array(shown),
        np.array(ranked),
        np.array([number[query.key] for query in queries]),
        np.array(returned),
    )


def read_short(path: Path) -> list[Query]:
    """The searches of a table with a photo's key, and texts that ask for it, in each row."""
    rows = [line.split("\t") for line in path.read_text("utf-8").splitlines()[1:]]
    return [Query(text, key) for key, *texts in rows for text in texts]


def gallery(photos: Iterator[PhotoSample], asked: set[str], size: int) -> list[PhotoSample]:
    """The photos that are `asked` for, and the first others of the same source, `size` in all.

    Raises `NotThereError` when one is not there.
    """
    held = list(photos)
    wanted = [photo for photo in held if photo.key in asked]
    missing = asked - {photo.key for photo in wanted}
    if missing:
        raise NotThereError(f"--unseen: {min(missing)} is not there; give the tar that has it")
    sources = {photo.meta.get("source") for photo in wanted}
    others = (one for one in held if one.key not in asked and one.meta.get("source") in sources)
    return [*wanted, *islice(others, max(0, size - len(wanted)))]


def table(kinds: Mapping[str, Found]) -> str:
    """A row for each kind of query, what is shown and what would be without cut-offs."""
    rows = []
    for kind, found in kinds.items():
        for label, places in (("as shown", found.shown), ("without cut-offs", found.ranked)):
            rows.append(
                (
                    f"{kind}, {label}",
                    f"{len(found.shown):,}",
                    f"{found.gallery:,}",
                    *(found.share(places, k) for k in KS),
                    f"{10 / found.gallery:.1%}",
                    f"{np.median(found.returned):,.0f}" if places is found.shown else "all",
                )
            )
    heads = ("asked for", "searches", "photos", *(f"R@{k}" for k in KS), "chance, R@10", "shown")
    return markdown_table(heads, rows)


def _captions(photos: Sequence[PhotoSample]) -> list[Query]:
    return [Query(text, photo.key) for photo in photos for text in captions_of(photo)]


def _parts(photos: Sequence[PhotoSample], size: int, most: int) -> list[Sequence[PhotoSample]]:
    parts = [photos[at : at + size] for at in range(0, size * most, size)]
    return [part for part in parts if len(part) == size] or [photos]


def _joined(parts: Sequence[Found]) -> Found:
    """Of galleries that have no photo in common."""
    starts = np.cumsum([0, *(part.gallery for part in parts)])
    return Found(
        parts[0].gallery,
        np.concatenate([part.shown for part in parts]),
        np.concatenate([part.ranked for part in parts]),
        np.concatenate([part.photos + start for part, start in zip(parts, starts, strict=False)]),
        np.concatenate([part.returned for part in parts]),
    )


def _place(paths: Sequence[str], key: str) -> float:
    for place, path in enumerate(paths, 1):
        if Path(path).stem == key:
            return float(place)
    return float("inf")
