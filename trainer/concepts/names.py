"""Which concepts the labels of a photo are, and where a concept lies among texts."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
_ALSO, _WIDE = 0.7, 0.5


@dataclass(frozen=True)
class Names:
    """What labels mean: names.toml tells what its keys are."""

    leave_out: Sequence[str] = ()
    nothing: Sequence[str] = ()
    skip: Sequence[str] = ()
    half: Sequence[str] = ()
    sets: Mapping[str, list[str]] = field(default_factory=dict)
    besides: Mapping[str, list[str]] = field(default_factory=dict)
    labels: Mapping[str, list[str]] = field(default_factory=dict)
    grocery_store: Mapping[str, list[str]] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    also: Mapping[str, list[str]] = field(default_factory=dict)

    @classmethod
    def packaged(cls) -> Names:
        text = files("trainer.concepts").joinpath("names.toml").read_text("utf-8")
        return cls(**tomllib.loads(text))

    def of(self, meta: Mapping[str, Any]) -> list[str] | None:
        """The concepts that a photo with this beside it shows; None when it says nothing."""
        source = str(meta.get("source", ""))
        if isinstance(said := meta.get("labels"), list):
            return [str(one) for one in said]
        if source in self.sets:
            return list(self.sets[source])
        label = str(meta.get("label") or "").replace("_", " ").lower().strip()
        if source in self.nothing:
            return []
        if not label or source in self.skip or label in self.leave_out:
            return None
        if source == "grocery_store":
            return self._grocery(label)
        named = list(self.labels.get(label, [label]))
        return [*named, *(one for one in self.besides.get(source, ()) if one not in named)]

    def _grocery(self, label: str) -> list[str]:
        for pattern, named in self.grocery_store.items():
            if re.search(pattern, label):
                return list(named)
        return [label.replace("-", " "), "fruit"]

    def rows(self, names: Sequence[str], embed: Callable[[Sequence[str]], Floats]) -> Floats:
        """The places (K, d) of concepts: of length 1, or of half of it for wide words."""
        parts = [[self.texts.get(name, name), *self.also.get(name, ())] for name in names]
        vectors = iter(embed([text for part in parts for text in part]))
        rows = []
        for name, part in zip(names, parts, strict=True):
            own, *others = (next(vectors) for _ in part)
            row = own + _ALSO * np.sum(others, axis=0) if others else own
            row = row / np.linalg.norm(row)
            rows.append(row * (_WIDE if name in self.half else 1.0))
        return np.stack(rows).astype(np.float32)
