"""Pictures with captions as a run takes them: small copies in tars, and some of them held out."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from tqdm import tqdm

from trainer.data.photo_tars import PhotoSample, PhotoTarError, decode
from trainer.reinforce.sources import open_sources, real_captions

# What is learned and measured with less than this many says nothing.
LEAST = 20
_SHARD, _QUALITY = 1000, 92
_MOST_HELD = 2000


@dataclass(frozen=True)
class Photos:
    """The tars in a folder: shards to learn from, and the photos held out; how many each has."""

    shards: list[Path]
    held: Path
    learned_from: int
    held_out: int
    without_caption: int
    unreadable: list[str]

    @property
    def summary(self) -> str:
        left = f", {self.without_caption:,} without a caption left out" * bool(self.without_caption)
        if self.unreadable:
            left += f", {len(self.unreadable):,} cannot be read (such as {self.unreadable[0]})"
        return f"{self.learned_from:,} photos to learn from, {self.held_out:,} held out{left}"


def prepare(inputs: Sequence[Path], captions: Path | None, folder: Path, side: int) -> Photos:
    """Write copies of all captioned pictures of `inputs`, `side` pixels high or wide, to `folder`.

    Which are held out follows from their keys alone, about a tenth: more pictures beside them
    change little of it.

    Raises `ValueError` or `PhotoTarError` for captions that cannot be read, or too few pictures.
    """
    folder.mkdir(parents=True, exist_ok=True)
    found: dict[str, Path] = {}
    unreadable: list[str] = []
    without = 0
    loose = folder / ".photos"
    loose.mkdir(exist_ok=True)
    sources = open_sources(inputs, captions, samples_per_shard=_SHARD)
    samples = (sample for source in sources for sample in source.samples())
    for sample in tqdm(samples, desc="reading", unit="photo", disable=None):
        texts = real_captions(sample)
        name = hashlib.sha256(sample.key.encode()).hexdigest()[:32]
        if not texts:
            without += 1
            continue
        try:
            data = _small(sample, side)
        except (PhotoTarError, ValueError):
            unreadable.append(sample.origin)
            continue
        if name in found:
            raise ValueError(f"{sample.origin}: its key {sample.key} stands twice; rename one")
        found[name] = loose / name
        found[name].with_suffix(".jpg").write_bytes(data)
        found[name].with_suffix(".json").write_text(json.dumps({"captions": texts}))
    if len(found) < LEAST:
        raise ValueError(
            f"{', '.join(map(str, inputs))}: {len(found)} pictures with captions, and it takes "
            f"{LEAST} at least; `photosearch-trainer check` says what is wrong with the others"
        )
    names = sorted(found)
    held = min(_MOST_HELD, max(len(names) // 10, min(50, len(names) // 4)))
    shards = []
    for old in folder.glob("train-*.tar*"):
        old.unlink()
    for number, at in enumerate(range(held, len(names), _SHARD)):
        shards.append(folder / f"train-{number:05d}.tar")
        _write(shards[-1], [found[name] for name in names[at : at + _SHARD]])
    _write(folder / "held-out.tar", [found[name] for name in names[:held]])
    for file in loose.iterdir():
        file.unlink()
    loose.rmdir()
    return Photos(shards, folder / "held-out.tar", len(names) - held, held, without, unreadable)


def _small(sample: PhotoSample, side: int) -> bytes:
    picture = decode(sample)
    factor = side / min(picture.size)
    if factor < 1:
        width, height = (max(1, round(length * factor)) for length in picture.size)
        picture = picture.resize((width, height), Image.Resampling.BICUBIC, reducing_gap=3.0)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=_QUALITY)
    return buffer.getvalue()


def _write(tar: Path, photos: Iterable[Path]) -> None:
    beside = tar.with_name(f".{tar.name}.part")
    with tarfile.open(beside, "w", format=tarfile.PAX_FORMAT) as archive:
        for photo in photos:
            for suffix in (".jpg", ".json"):
                data = photo.with_suffix(suffix).read_bytes()
                # Of no time and no owner, so that the same photos give the same bytes.
                member = tarfile.TarInfo(f"{photo.name}{suffix}")
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
    beside.replace(tar)
