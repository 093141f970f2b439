"""The forms in which tars hold samples to train on: ours, the published one, and plain captions.

form = form_of(members)                       # of the first sample
sample = read_form(form, key, members, "a.tar: 0001")
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from trainer.data.datacompdr import datacompdr_sample
from trainer.data.reinforced import (
    MALFORMED,
    ReinforcedSample,
    TeacherRecord,
    image_of,
    read_sample,
)

Form = Literal["reinforced", "datacompdr", "captioned"]

# Of the published sets: two teachers, whose embeddings stand one after the other.
_PUBLISHED_DIM = 768
_PUBLISHED_SCALE = 100.0


@dataclass(frozen=True)
class Contents:
    """What shards hold: their form, the teachers in the order of their embeddings, and texts.

    captions, synthetic: whether there are any such captions.
    """

    form: Form
    teachers: tuple[TeacherRecord, ...]
    captions: bool
    synthetic: bool

    def slices(self) -> list[slice]:
        """Where each teacher's part of an embedding stands."""
        ends = np.cumsum([teacher.dim for teacher in self.teachers]).tolist()
        return [
            slice(end - teacher.dim, end) for teacher, end in zip(self.teachers, ends, strict=True)
        ]


def form_of(members: dict[str, bytes]) -> Form:
    """The form of a sample with such members, by suffix."""
    if "paug.json" in members:
        return "datacompdr"
    return "reinforced" if {"npz", "json"} <= members.keys() else "captioned"


def read_form(form: Form, key: str, members: dict[str, bytes], origin: str) -> ReinforcedSample:
    """The sample of which `members` are the files' contents by suffix.

    Raises `ValueError`, beginning with `origin`, when they do not have that form.
    """
    if form == "reinforced":
        return read_sample(key, members, origin)
    if form == "datacompdr":
        return datacompdr_sample(key, members, origin)
    return captioned_sample(key, members, origin)


def captioned_sample(key: str, members: dict[str, bytes], origin: str) -> ReinforcedSample:
    """A picture with captions, in `txt` or as `captions` or `caption` of its `json`; no teachers.

    Raises `ValueError`, beginning with `origin`, when it is none.
    """
    try:
        about = json.loads(members.get("json", b"{}"))
        found = about.get("captions", about.get("caption"))
        listed = [found] if isinstance(found, str) else list(found or [])
        if "txt" in members:
            # A caption from the web may hold anything; one bad byte is no reason to lose it.
            listed.append(members["txt"].decode("utf-8", errors="replace"))
        texts = dict.fromkeys(text.strip() for text in listed)
        captions = [text for text in texts if text]
        return ReinforcedSample(
            key=key,
            image_bytes=image_of(members),
            captions=captions,
            synthetic=[],
            augmentations=[],
            image_embeddings=np.zeros((0, 0), np.float32),
            text_embeddings=np.zeros((len(captions), 0), np.float32),
            source_size=None,
            source_sha256=None,
            origin=origin,
            meta=about,
        )
    except MALFORMED as error:
        raise ValueError(f"{origin}: not a photo with captions ({error})") from None


def contents_of(
    form: Form, samples: Sequence[ReinforcedSample], teacher_dims: Sequence[int] = ()
) -> Contents:
    """What tars of which these are some samples hold, where no manifest says it.

    teacher_dims: of the teachers, in order; when not given, 1,536 numbers are two of 768.

    Raises `ValueError` when they do not add up to the width of the embeddings.
    """
    width = samples[0].image_embeddings.shape[1]
    dims = list(teacher_dims)
    if not dims and width:
        parts, rest = divmod(width, _PUBLISHED_DIM)
        dims = [width] if rest else [_PUBLISHED_DIM] * parts
    if sum(dims) != width:
        raise ValueError(
            f"{samples[0].origin}: embeddings of {width} numbers, and data.teacher_dims = {dims}"
        )
    teachers = tuple(
        TeacherRecord(f"teacher-{number}", "", dim, _PUBLISHED_SCALE)
        for number, dim in enumerate(dims, 1)
    )
    return Contents(
        form,
        teachers,
        captions=any(sample.captions for sample in samples),
        synthetic=all(sample.synthetic for sample in samples),
    )
