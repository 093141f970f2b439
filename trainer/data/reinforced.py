"""Reinforced shards: WebDataset tars that hold, beside each photo, what the teachers said of it.

The members of a sample, in this order: ``KEY.SUFFIX``, the photo's bytes as they came;
``KEY.json``; ``KEY.npz`` with ``image_emb`` (A, D) and ``text_emb`` (C + K, D), the bits of
bfloat16 as uint16. Beside ``SHARD.tar`` stands ``SHARD.manifest.json``, which says how the shard
was made. A reinforced shard is a captioned photo tar too: `trainer.data.photo_tars` reads it.

Example::

    for sample in read_reinforced("reinforced/photos-000.tar"):
        view = sample.view(3, size=256)
        target = sample.image_embeddings[3]

    slices = read_manifest("reinforced/photos-000.tar").slices()   # of each teacher
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from trainer.data.photo_tars import (
    IMAGE_SUFFIXES,
    PhotoSample,
    PhotoTarError,
    decode,
    read_members,
    split_name,
)
from trainer.reinforce.augment import Augmentation, AugmentSettings, replay

FORMAT = 1

# What parsing a sample raises when its members are not what they should be.
MALFORMED = (
    ValueError, LookupError, TypeError, AttributeError, EOFError, OSError, zlib.error,
    zipfile.BadZipFile,
)  # fmt: skip


@dataclass(frozen=True)
class ReinforcedSample:
    """One photo with its stored views, texts and embeddings.

    captions: the C real ones; synthetic: the K written by a captioner.
    image_embeddings: float32 (A, D), a row for each of the A augmentations.
    text_embeddings: float32 (C + K, D), the real captions' rows first. Each teacher's slice of D
    was of unit length before it was rounded to bfloat16.
    source_size: width and height of the upright photo; source_sha256: of its bytes, in hex. None
    where the maker of the data set did not store them.
    upright: whether the views are of the photo turned as its EXIF says, transparency on white.
    """

    key: str
    image_bytes: bytes
    captions: list[str]
    synthetic: list[str]
    augmentations: list[Augmentation]
    image_embeddings: NDArray[np.float32]
    text_embeddings: NDArray[np.float32]
    source_size: tuple[int, int] | None
    source_sha256: str | None
    origin: str
    meta: dict[str, Any]
    upright: bool = True

    def picture(self) -> Image.Image:
        """The photo as RGB, as the augmentations expect it.

        Raises `ValueError`, naming the sample, when it is not the photo that the embeddings were
        computed of; `PhotoTarError` when it cannot be decoded.
        """
        if self.source_sha256 is not None:
            digest = hashlib.sha256(self.image_bytes).hexdigest()
            if digest != self.source_sha256:
                raise ValueError(
                    f"{self.origin}: not the picture that {self.key} was reinforced with: its "
                    f"sha256 is {digest[:12]}... instead of {self.source_sha256[:12]}..."
                )
        picture = self._decode()
        if self.source_size not in (None, picture.size):
            raise ValueError(
                f"{self.origin}: not the picture that {self.key} was reinforced with: its size "
                f"is {picture.size} instead of {self.source_size}"
            )
        return picture

    def view(self, index: int, size: int) -> Image.Image:
        """View number `index` as RGB, `size` x `size` pixels; errors as of `picture`."""
        return self.replay(self.picture(), index, size)

    def replay(self, picture: Image.Image, index: int, size: int) -> Image.Image:
        """View number `index` of what `picture()` gave; decodes once for several views."""
        try:
            return replay(picture, self.augmentations[index], size)
        except ValueError as error:
            raise ValueError(
                f"{self.origin}: not the picture that {self.key} was reinforced with: {error}"
            ) from None

    def _decode(self) -> Image.Image:
        if self.upright:
            return decode(PhotoSample(self.key, self.image_bytes, {}, self.origin, ""))
        try:
            with Image.open(io.BytesIO(self.image_bytes)) as opened:
                return opened.convert("RGBA").convert("RGB")
        except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
            raise PhotoTarError(f"{self.origin}: not a readable picture ({error})") from error


@dataclass(frozen=True)
class TeacherRecord:
    """A teacher as the manifest names it."""

    name: str
    digest: str
    dim: int
    logit_scale: float


@dataclass(frozen=True)
class CaptionerRecord:
    """The writer of the synthetic captions as the manifest names it."""

    name: str
    digest: str


@dataclass(frozen=True, kw_only=True)
class ShardOrigin:
    """What the content of a shard follows from.

    source: name of the tar or folder that was read; source_sha256: of all that was read.
    views, synthetic: A and K. view_size: side in pixels of the views that the teachers saw.
    """

    source: str
    source_sha256: str
    teachers: list[TeacherRecord]
    captioner: CaptionerRecord | None
    augmentation: AugmentSettings
    views: int
    synthetic: int
    view_size: int
    seed: int
    batch_size: int

    @property
    def dim(self) -> int:
        """D, of all teachers together."""
        return sum(teacher.dim for teacher in self.teachers)

    def slices(self) -> list[slice]:
        """Where each teacher's part of an embedding stands."""
        ends = np.cumsum([teacher.dim for teacher in self.teachers]).tolist()
        return [
            slice(end - teacher.dim, end) for teacher, end in zip(self.teachers, ends, strict=True)
        ]


@dataclass(frozen=True, kw_only=True)
class ShardManifest(ShardOrigin):
    """How one shard was made, and what is in it.

    captions: real captions of all samples together.
    skipped: keys of the pictures that could not be decoded, which are not in the shard.
    picture_bytes, reinforcement_bytes: sums over the samples, of the photos and of all the rest.
    sha256: of the tar.
    """

    count: int
    captions: int
    skipped: list[str]
    picture_bytes: int
    reinforcement_bytes: int
    sha256: str

    def to_json(self) -> dict[str, Any]:
        value = {"format": FORMAT, **asdict(self)}
        value["augmentation"] = {"digest": self.augmentation.digest, **value["augmentation"]}
        return value

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> ShardManifest:
        """Raises `ValueError`, `KeyError` or `TypeError` for what `to_json` did not write."""
        if value.get("format") != FORMAT:
            raise ValueError(f"format {value.get('format')!r}; this version reads {FORMAT}")
        fields = {name: item for name, item in value.items() if name != "format"}
        settings = {k: v for k, v in fields["augmentation"].items() if k != "digest"}
        augmentation = AugmentSettings.from_json(settings)
        if augmentation.digest != fields["augmentation"]["digest"]:
            raise ValueError(
                "these augmentations were drawn by another version of photosearch; use that one, "
                "or make the shard again"
            )
        captioner = fields["captioner"]
        return cls(
            **fields
            | {
                "teachers": [TeacherRecord(**teacher) for teacher in fields["teachers"]],
                "captioner": None if captioner is None else CaptionerRecord(**captioner),
                "augmentation": augmentation,
            }
        )


def manifest_path(tar: str | PathLike[str]) -> Path:
    """`SHARD.manifest.json` of `SHARD.tar`."""
    return Path(tar).with_suffix(".manifest.json")


def read_manifest(tar: str | PathLike[str]) -> ShardManifest:
    """The manifest beside `tar`; raises `ValueError` when it is missing or not one of ours."""
    path = manifest_path(tar)
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValueError(
            f"{path}: missing, so {Path(tar).name} is not a finished reinforced shard; "
            "run `photosearch-trainer reinforce` again"
        ) from None
    except ValueError as error:
        raise ValueError(f"{path}: not JSON ({error})") from None
    try:
        return ShardManifest.from_json(value)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path}: not the manifest of a reinforced shard ({error})") from None


def read_reinforced(*tars: str | PathLike[str]) -> Iterator[ReinforcedSample]:
    """Yield the samples of each shard in file order, reading each file once.

    Raises:
        ValueError: a sample that is no reinforced one, naming tar and key.
        PhotoTarError: a tar is missing, cut short or damaged.
    """
    for path in map(Path, tars):
        for key, members in group_members(path):
            yield read_sample(key, members, f"{path}: {key}")


def read_sample(key: str, members: dict[str, bytes], origin: str) -> ReinforcedSample:
    """The sample of which `members` are the files' contents by suffix.

    Raises `ValueError`, beginning with `origin`, when they are not those of a reinforced sample.
    """
    try:
        return _sample(key, members, origin)
    except (ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"{origin}: not a reinforced sample ({error!r}); "
            "`photosearch-trainer reinforce` makes them"
        ) from None


def group_members(path: Path) -> Iterator[tuple[str, dict[str, bytes]]]:
    """The samples of a WebDataset tar: key, and content by suffix, in file order."""
    key, members = "", dict[str, bytes]()
    for name, data in read_members(path):
        stem, suffix = split_name(name)
        if stem != key and members:
            yield key, members
            members = {}
        key = stem
        members[suffix] = data
    if members:
        yield key, members


def image_of(members: dict[str, bytes]) -> bytes:
    """The one picture among a sample's members; raises `ValueError` unless there is one."""
    found = [data for suffix, data in members.items() if suffix in IMAGE_SUFFIXES]
    if len(found) != 1:
        raise ValueError(f"{len(found)} pictures among {', '.join(members)}; there must be one")
    return found[0]


def bfloat16_bits(embeddings: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Round to bfloat16, to nearest with ties to even; the bits, for storage."""
    bits: NDArray[np.uint16]
    bits = torch.from_numpy(embeddings).to(torch.bfloat16).view(torch.uint16).numpy()
    return bits


def from_bfloat16_bits(bits: NDArray[np.uint16]) -> NDArray[np.float32]:
    """What `bfloat16_bits` stored, exactly."""
    values: NDArray[np.float32] = torch.from_numpy(bits).view(torch.bfloat16).float().numpy()
    return values


def _sample(key: str, members: dict[str, bytes], origin: str) -> ReinforcedSample:
    about = json.loads(members["json"])
    with np.load(io.BytesIO(members["npz"]), allow_pickle=False) as stored:
        images, texts = stored["image_emb"], stored["text_emb"]
    if images.dtype != np.uint16 or texts.dtype != np.uint16:
        raise ValueError("embeddings that are not the bits of bfloat16")
    captions, synthetic = about["captions"], about["synthetic"]
    augmentations = [Augmentation.from_json(value) for value in about["augmentations"]]
    if len(augmentations) != len(images) or len(captions) + len(synthetic) != len(texts):
        raise ValueError("the numbers of views or of texts are not those of the embeddings")
    width, height = about["source"]["size"]
    return ReinforcedSample(
        key=key,
        image_bytes=image_of(members),
        captions=captions,
        synthetic=synthetic,
        augmentations=augmentations,
        image_embeddings=from_bfloat16_bits(images),
        text_embeddings=from_bfloat16_bits(texts),
        source_size=(width, height),
        source_sha256=about["source"]["sha256"],
        origin=origin,
        meta=about["meta"],
    )
