"""A pass over many photos: each is made small in a process of its own, looked at, and recorded."""

from __future__ import annotations

import io
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeVar

from photosearch.indexing.limits import Limits
from photosearch.serving.shrinking import ShrinkError, Shrinkers, Small, Still

if TYPE_CHECKING:
    from PIL.Image import Image

T = TypeVar("T")
R = TypeVar("R")
F = TypeVar("F")

# Pictures decoded ahead of whatever looks at them, which takes far longer.
_AHEAD = 4
_COMMIT_SECONDS = 1.0


def pass_over(
    photos: Iterable[tuple[int, str]],
    small: Still,
    look: Callable[[Image], T],
    *,
    record: Callable[[Mapping[int, tuple[str, T]]], R],
    failed: Callable[[str, str], F],
    limits: Limits | None = None,
) -> Iterator[R | F]:
    """Look at `photos`, numbers with paths, and record what was seen each second.

    `record` takes by number the path and what `look` gave for the picture, made `small`; `failed` a
    path and why there is no picture of it. What both give is told. A damaged photo may crash the
    process that decodes it. All that was seen is recorded, also after Ctrl-C, or when the caller
    has had enough.
    """
    from PIL import Image

    shrinkers = Shrinkers(1, limits)
    ahead: deque[tuple[int, str, Future[Small]]] = deque()
    left = iter(photos)
    ready: dict[int, tuple[str, T]] = {}
    committed = time.monotonic()
    try:
        while True:
            while len(ahead) < _AHEAD and (item := next(left, None)) is not None:
                ahead.append((*item, shrinkers.make(item[1], small.make)))
            if not ahead:
                break
            number, path, future = ahead.popleft()
            try:
                data = future.result().data
            except ShrinkError as error:
                yield failed(path, str(error))
                continue
            with Image.open(io.BytesIO(data)) as image:
                ready[number] = path, look(image)
            if time.monotonic() - committed >= _COMMIT_SECONDS:
                yield record(ready)
                ready, committed = {}, time.monotonic()
    finally:
        shrinkers.close()
        if ready:
            done = record(ready)
    if ready:
        yield done
