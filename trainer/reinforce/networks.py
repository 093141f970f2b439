"""The teachers and the captioner of a reinforcement, loaded, and checked in what they answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from trainer.data.reinforced import CaptionerRecord, TeacherRecord
from trainer.teachers.protocol import Captioner, Teacher

_T = TypeVar("_T")


@dataclass(frozen=True)
class Networks:
    """Teachers, whose embeddings are concatenated in their order, and a captioner or none."""

    teachers: Sequence[Teacher]
    captioner: Captioner | None = None

    @property
    def teacher_records(self) -> list[TeacherRecord]:
        """In the teachers' order; of several with one name, the second is "NAME 2" and so on."""
        records: list[TeacherRecord] = []
        seen: Counter[str] = Counter()
        for teacher in self.teachers:
            seen[teacher.name] += 1
            number = seen[teacher.name]
            name = teacher.name if number == 1 else f"{teacher.name} {number}"
            record = TeacherRecord(name, teacher.digest, teacher.dim, teacher.logit_scale)
            records.append(record)
        return records

    @property
    def captioner_record(self) -> CaptionerRecord | None:
        writer = self.captioner
        return None if writer is None else CaptionerRecord(writer.name, writer.digest)

    def embed_images(self, images: Sequence[Image.Image], step: int) -> NDArray[np.float32]:
        """Float32 (n, D), `step` pictures at a time; raises `ValueError` for nonsense."""
        rows = [_embed(teacher, teacher.embed_images, images, step) for teacher in self.teachers]
        return np.concatenate(rows, axis=1)

    def embed_texts(self, texts: Sequence[str], step: int) -> NDArray[np.float32]:
        """Float32 (n, D), `step` texts at a time; raises `ValueError` for nonsense."""
        rows = [_embed(teacher, teacher.embed_texts, texts, step) for teacher in self.teachers]
        return np.concatenate(rows, axis=1)

    def write_captions(
        self,
        images: Sequence[Image.Image],
        metas: Sequence[Mapping[str, Any]],
        keys: Sequence[str],
        count: int,
    ) -> list[list[str]]:
        """`count` captions of each picture, none without a captioner; raises `ValueError`."""
        if self.captioner is None or count == 0:
            return [[] for _ in images]
        written = self.captioner.caption(images, metas, keys, count)
        if [len(texts) for texts in written] != [count] * len(images):
            raise ValueError(
                f"captioner {self.captioner.name}: did not write {count} captions of each of "
                f"{len(images)} pictures"
            )
        return written


def open_networks(
    teachers: Sequence[str], captioner: str | None, device: str | None = None
) -> Networks:
    """Load what the specification strings describe; raises `ValueError` for one that is wrong.

    device: what those of open_clip are computed on; the first GPU, or the CPU, if not given.
    """
    from trainer.teachers.open import open_teacher

    loaded = [open_teacher(spec, device) for spec in teachers]
    if captioner is None:
        return Networks(loaded)
    from trainer.captioners.open import open_captioner

    return Networks(loaded, open_captioner(captioner, device))


def _embed(
    teacher: Teacher,
    embed: Callable[[Sequence[_T]], NDArray[np.float32]],
    items: Sequence[_T],
    step: int,
) -> NDArray[np.float32]:
    """Float32 (len(items), dim); checked, since it will be kept for years."""
    parts = [np.empty((0, teacher.dim), np.float32)]
    for at in range(0, len(items), step):
        asked = items[at : at + step]
        rows = np.asarray(embed(asked), np.float32)
        if rows.shape != (len(asked), teacher.dim):
            raise ValueError(
                f"teacher {teacher.name}: gave embeddings of shape {rows.shape} for "
                f"{len(asked)} items of {teacher.dim} numbers"
            )
        # NaN compares false with everything.
        if not np.all(np.abs(np.linalg.norm(rows, axis=1) - 1) < 1e-3):
            raise ValueError(f"teacher {teacher.name}: gave embeddings not of unit length")
        parts.append(rows)
    return np.concatenate(parts)
