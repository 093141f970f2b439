"""Reinforce one shard: draw views, write captions, embed both, store them beside the photos.

The result is a pure function of the source, the recipe, the teachers and the captioner: whoever
makes a shard, and however often, gets the same bytes. A shard counts as finished when its manifest
stands beside it, which is written last.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from trainer.data.photo_tars import PhotoSample, PhotoTarError, decode
from trainer.data.reinforced import (
    ShardManifest,
    ShardOrigin,
    bfloat16_bits,
    manifest_path,
    read_manifest,
)
from trainer.reinforce.augment import Augmentation, AugmentSettings, draw, replay
from trainer.reinforce.networks import Networks
from trainer.reinforce.sources import Source, real_captions

# Captioners look at pictures of 224 to 640 pixels. A batch of camera pictures at full size would
# take gigabytes.
_CAPTIONED_SIDE = 1024


@dataclass(frozen=True, kw_only=True)
class Reinforcement:
    """What is computed for each photo.

    views: A, augmented views. synthetic: K, captions by the captioner. view_size: side in pixels
    of the views that the teachers see. batch_size: pictures or texts that a network sees at once;
    it is recorded, but a shard made with another counts as the same.
    """

    augmentation: AugmentSettings = field(default_factory=AugmentSettings)
    views: int = 5
    synthetic: int = 2
    view_size: int = 224
    seed: int = 0
    batch_size: int = 64


@dataclass(frozen=True)
class ShardResult:
    """made: False when a finished shard was found. skipped: keys of undecodable pictures."""

    name: str
    count: int
    skipped: list[str]
    made: bool


def shard_path(out: Path, source: Source) -> Path:
    return out / f"{source.name}.tar"


def reinforce_shard(
    source: Source,
    out: Path,
    recipe: Reinforcement,
    networks: Networks,
    *,
    redo: bool = False,
    report: Callable[[int], None] = lambda photos: None,
    readers: int = 0,
) -> ShardResult:
    """Make `OUT/NAME.tar` and its manifest, unless they are there.

    redo: make a shard again that was made from other photos or in another way. report: called with
    the number of photos after each batch. readers: threads that prepare the views of the next batch
    meanwhile; with 0 it is prepared when it is its turn.

    Raises:
        ValueError: the shard is there, made differently, and `redo` is not set; a source without
            a readable picture; a key that stands twice; a network that answers nonsense.
        PhotoTarError: the source is damaged.
    """
    tar = shard_path(out, source)
    wanted = ShardOrigin(
        source=source.source,
        source_sha256=source.digest(),
        teachers=networks.teacher_records,
        captioner=networks.captioner_record,
        augmentation=recipe.augmentation,
        views=recipe.views,
        synthetic=recipe.synthetic if networks.captioner else 0,
        view_size=recipe.view_size,
        seed=recipe.seed,
        batch_size=recipe.batch_size,
    )
    finished = _finished(tar, wanted, redo)
    if finished is not None:
        return ShardResult(source.name, finished.count, finished.skipped, made=False)
    # Whatever happens from here on, no manifest may vouch for a shard of another recipe.
    manifest_path(tar).unlink(missing_ok=True)
    manifest = _make(source, tar, wanted, networks, report, readers)
    text = json.dumps(manifest.to_json(), indent=2, ensure_ascii=False) + "\n"
    _write(manifest_path(tar), text.encode())
    return ShardResult(source.name, manifest.count, manifest.skipped, made=True)


# What a finished shard must agree in, and what to call it.
_MUST_AGREE = {
    "source_sha256": "photos or captions",
    "teachers": "teachers",
    "captioner": "captioner",
    "augmentation": "augmentation settings",
    "views": "--views",
    "synthetic": "--synthetic",
    "view_size": "--view-size",
    "seed": "--seed",
}


def _finished(tar: Path, wanted: ShardOrigin, redo: bool) -> ShardManifest | None:
    """The manifest of a shard that is whole and made as `wanted`; None if it must be made."""
    if not manifest_path(tar).exists():
        return None
    try:
        found = read_manifest(tar)
    except ValueError as error:
        if redo:
            return None
        raise ValueError(f"{error}; make it again with --redo") from None
    other = [
        label
        for name, label in _MUST_AGREE.items()
        if getattr(found, name) != getattr(wanted, name)
    ]
    if other and not redo:
        raise ValueError(
            f"{tar}: was made with other {', other '.join(other)}; "
            "give another --out, or make it again with --redo"
        )
    whole = not other and tar.is_file() and _sha256(tar) == found.sha256
    return found if whole else None


def _make(
    source: Source,
    tar: Path,
    wanted: ShardOrigin,
    networks: Networks,
    report: Callable[[int], None],
    readers: int,
) -> ShardManifest:
    beside = tar.with_name(f".{tar.name}.part")
    keys: set[str] = set()
    skipped: list[str] = []
    captions = pictures = reinforcement = 0
    with tarfile.open(beside, "w", format=tarfile.PAX_FORMAT) as archive:
        for samples, photos in _opened(source, wanted, readers):
            skipped += [s.key for s, photo in zip(samples, photos, strict=True) if photo is None]
            batch = [photo for photo in photos if photo is not None]
            for photo, synthetic, images, texts in _reinforced(batch, wanted, networks):
                key = photo.sample.key
                if key in keys:
                    raise ValueError(f"{photo.sample.origin}: the key {key} stands twice")
                keys.add(key)
                about = _json(photo.about(synthetic))
                arrays = _npz(image_emb=bfloat16_bits(images), text_emb=bfloat16_bits(texts))
                _add(archive, f"{key}.{photo.sample.suffix}", photo.sample.image_bytes)
                _add(archive, f"{key}.json", about)
                _add(archive, f"{key}.npz", arrays)
                captions += len(photo.captions)
                pictures += len(photo.sample.image_bytes)
                reinforcement += len(about) + len(arrays)
            report(len(samples))
    if not keys:
        beside.unlink()
        raise ValueError(f"{source.source}: {source.name} has no picture that can be read")
    digest = _sha256(beside)
    _publish(beside, tar)
    return ShardManifest(
        **vars(wanted),
        count=len(keys),
        captions=captions,
        skipped=skipped,
        picture_bytes=pictures,
        reinforcement_bytes=reinforcement,
        sha256=digest,
    )


@dataclass(frozen=True)
class _Photo:
    """A photo of the batch: its views, and a picture for the captioner."""

    sample: PhotoSample
    captions: list[str]
    size: tuple[int, int]
    augmentations: list[Augmentation]
    views: list[Image.Image]
    picture: Image.Image

    @classmethod
    def open(cls, sample: PhotoSample, wanted: ShardOrigin) -> _Photo | None:
        """None when the picture cannot be decoded."""
        try:
            picture = decode(sample)
        except PhotoTarError:
            return None
        augmentations = [
            draw(sample.key, index, picture.size, wanted.augmentation, seed=wanted.seed)
            for index in range(wanted.views)
        ]
        views = [replay(picture, item, wanted.view_size) for item in augmentations]
        size = picture.size
        if max(size) > _CAPTIONED_SIDE:
            picture = ImageOps.contain(picture, (_CAPTIONED_SIDE, _CAPTIONED_SIDE))
        return cls(sample, real_captions(sample), size, augmentations, views, picture)

    @property
    def meta(self) -> dict[str, Any]:
        """What the source says of the photo, the captions apart."""
        meta = self.sample.meta
        if "augmentations" in meta and isinstance(meta.get("meta"), dict):
            meta = meta["meta"]  # the source is a reinforced shard
        return {name: value for name, value in meta.items() if name not in ("captions", "caption")}

    def about(self, synthetic: list[str]) -> dict[str, Any]:
        """The sample's JSON."""
        digest = hashlib.sha256(self.sample.image_bytes).hexdigest()
        return {
            "captions": self.captions,
            "synthetic": synthetic,
            "augmentations": [item.to_json() for item in self.augmentations],
            "source": {"size": list(self.size), "sha256": digest},
            "meta": self.meta,
        }


def _reinforced(
    batch: Sequence[_Photo], wanted: ShardOrigin, networks: Networks
) -> Iterator[tuple[_Photo, list[str], NDArray[np.float32], NDArray[np.float32]]]:
    """Each photo with its synthetic captions, image embeddings (A, D) and text embeddings."""
    if not batch:
        return
    step = wanted.batch_size
    synthetic = networks.write_captions(
        [photo.picture for photo in batch],
        [photo.meta for photo in batch],
        [photo.sample.key for photo in batch],
        wanted.synthetic,
    )
    texts = [[*p.captions, *written] for p, written in zip(batch, synthetic, strict=True)]
    image_rows = networks.embed_images([view for photo in batch for view in photo.views], step)
    text_rows = networks.embed_texts([text for mine in texts for text in mine], step)
    text_end = 0
    for number, (photo, written) in enumerate(zip(batch, synthetic, strict=True)):
        image_start = number * wanted.views
        text_start, text_end = text_end, text_end + len(texts[number])
        images = image_rows[image_start : image_start + wanted.views]
        yield photo, written, images, text_rows[text_start:text_end]


def _opened(
    source: Source, wanted: ShardOrigin, readers: int
) -> Iterator[tuple[list[PhotoSample], list[_Photo | None]]]:
    """Batches of samples, opened; with `readers` threads a batch ahead of who asks for them."""
    batches = _batched(source.samples(), wanted.batch_size)
    if not readers:
        for samples in batches:
            yield samples, [_Photo.open(sample, wanted) for sample in samples]
        return
    with ThreadPoolExecutor(readers) as threads:
        ahead: deque[tuple[list[PhotoSample], list[Future[_Photo | None]]]] = deque()
        for samples in batches:
            ahead.append((samples, [threads.submit(_Photo.open, one, wanted) for one in samples]))
            if len(ahead) > 1:
                samples, begun = ahead.popleft()
                yield samples, [one.result() for one in begun]
        for samples, begun in ahead:
            yield samples, [one.result() for one in begun]


def _batched(samples: Iterator[PhotoSample], size: int) -> Iterator[list[PhotoSample]]:
    while batch := list(islice(samples, size)):
        yield batch


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _npz(**arrays: NDArray[Any]) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def _add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)  # of nobody, made in 1970: the same bytes whoever makes it
    member.size = len(data)
    archive.addfile(member, io.BytesIO(data))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write(path: Path, data: bytes) -> None:
    beside = path.with_name(f".{path.name}.part")
    beside.write_bytes(data)
    _publish(beside, path)


def _publish(beside: Path, path: Path) -> None:
    """Rename, once the content is on the disk: a power cut must not leave an empty shard."""
    with beside.open("rb+") as file:
        os.fsync(file.fileno())
    beside.replace(path)
