"""Towers that many tests export are exported once: each time takes a second or more."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType
from typing import Any

from torch import Tensor, nn

Writer = Callable[..., None]


def exported_once(write: Writer) -> Writer:
    """`write_onnx` that remembers the files of towers which are alike in all that counts.

    Those are the classes of their modules, what these keep as plain values, and all weights.
    """
    kept: dict[Any, bytes] = {}

    def again(tower: nn.Module, example: Tensor, path: Path, **options: Any) -> None:
        key = (_facts(tower), tuple(example.shape), example.dtype, *sorted(options.items()))
        if key not in kept:
            write(tower, example, path, **options)
            kept[key] = path.read_bytes()
        path.write_bytes(kept[key])

    return again


def _facts(tower: nn.Module) -> tuple[Any, ...]:
    modules = tuple((name, type(part), _values(part)) for name, part in tower.named_modules())
    digest = hashlib.sha256()
    for tensors in (tower.named_parameters(), tower.named_buffers()):
        for name, value in tensors:
            digest.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
            digest.update(value.detach().contiguous().numpy().tobytes())
    return modules, digest.digest()


def _values(part: nn.Module) -> tuple[Any, ...]:
    return tuple(
        (name, _hashable(value)) for name, value in vars(part).items() if not name.startswith("_")
    )


def _hashable(value: Any) -> Any:
    """What is compared of a value: itself, or else each of its parts.

    What is neither is like nothing else, so that a tower with it is exported each time.
    """
    if isinstance(value, list | tuple):
        return type(value), *map(_hashable, value)
    if isinstance(value, dict | MappingProxyType):
        return tuple((key, _hashable(one)) for key, one in value.items())
    try:
        hash(value)
    except TypeError:
        return object()
    return value
