"""Nested subsets of photos that say one thing each, and what a student of them is measured on.

A photo has one caption, its first, or says what its label is. The subset of the first n of a fixed
order is parts 0 to k, so what the teachers say of a part is computed once for all subsets.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from benchmarks.not_there import NotThereError
from trainer.captioners.labels import labels
from trainer.captioners.wording import with_article
from trainer.data.photo_tars import PhotoSample, read_photos

Said = tuple[PhotoSample, dict[str, object]]


def write_parts(
    captioned: Sequence[Path], labelled: Sequence[Path], sizes: Sequence[int], folder: Path
) -> list[Path]:
    """Write the tar of each part to `folder`, as far as they are not there; their paths.

    Raises `NotThereError` when there are fewer photos than the largest of `sizes`.
    """
    paths = [folder / f"part-{number}.tar" for number in range(len(sizes))]
    if all(path.is_file() for path in paths):
        return paths
    photos = sorted([*_captioned(captioned), *_labelled(labelled)], key=_place)
    if len(photos) < sizes[-1]:
        raise NotThereError(
            f"there are {len(photos):,} photos and not {sizes[-1]:,}; give more tars"
        )
    starts = [0, *sizes]
    for path, start, end in zip(paths, starts, sizes, strict=False):
        _write(path, photos[start:end])
    return paths


def write_held_out(captioned: Path, labelled: Sequence[Path], folder: Path) -> tuple[Path, Path]:
    """Write photos with one caption each, and labelled ones, to measure on; their paths."""
    paths = folder / "captioned.tar", folder / "labelled.tar"
    if not all(path.is_file() for path in paths):
        _write(paths[0], _captioned([captioned]))
        _write(paths[1], _labelled(labelled))
    return paths


def _captioned(tars: Sequence[Path]) -> Iterator[Said]:
    for sample in read_photos(*tars):
        if captions := sample.meta.get("captions"):
            yield sample, {"captions": captions[:1]}


def _labelled(tars: Sequence[Path]) -> Iterator[Said]:
    for sample in read_photos(*tars):
        if found := labels(sample.meta):
            text = f"a photo of {with_article(found[0].lower())}"
            yield sample, {"captions": [text], "label": found[0]}


def _place(said: Said) -> bytes:
    return hashlib.sha256(said[0].key.encode()).digest()


def _write(path: Path, photos: Iterable[Said]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}")
    with tarfile.open(beside, "w") as tar:
        for sample, meta in photos:
            for suffix, data in (
                (sample.suffix, sample.image_bytes),
                ("json", json.dumps(meta).encode()),
            ):
                member = tarfile.TarInfo(f"{sample.key}.{suffix}")
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
    beside.replace(path)
