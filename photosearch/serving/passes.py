"""A pass over many photos: each is made small in a process of its own, looked at, and recorded."""

from __future__ import annotations

import io
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from photosearch.indexing.limits import Limits
from photosearch.serving.shrinking import ShrinkError, Shrinkers, Small, Still

if TYPE_CHECKING:
    from PIL.Image import Image

# A picture, with the seconds of a frame of a video, None of what stands for the file.
Seen: TypeAlias = "tuple[float | None, Image]"

T = TypeVar("T")
R = TypeVar("R")
F = TypeVar("F")

# Pictures decoded ahead of whatever looks at them, which takes far longer.
_AHEAD = 4
_COMMIT_SECONDS = 1.0


def pass_over(
    photos: Iterable[tuple[int, str]],
    small: Still,
    look: Callable[[Sequence[Seen]], T],
    *,
    record: Callable[[Mapping[int, tuple[str, T]]], R],
    failed: Callable[[str, str], F],
    limits: Limits | None = None,
) -> Iterator[R | F]:
    """Look at `photos`, numbers with paths, and record what was seen each second.

    `look` is given the picture, made `small`, and behind it the frames of a video that were asked
    for, each with its seconds. `record` takes by number the path and what it gave; `failed` a path
    and why there is no picture of it. What both give is told. A damaged photo may crash the
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
                made = future.result()
            except ShrinkError as error:
                yield failed(path, str(error))
                continue
            with ExitStack() as opened:
                ready[number] = (
                    path,
                    look(
                        [
                            (seconds, opened.enter_context(Image.open(io.BytesIO(data))))
                            for seconds, data in ((None, made.data), *made.frames)
                        ]
                    ),
                )
            if time.monotonic() - committed >= _COMMIT_SECONDS:
                told = record(ready)
                # Whoever has had enough now is not to have it recorded once more.
                ready, committed = {}, time.monotonic()
                yield told
    finally:
        shrinkers.close()
        if ready:
            done = record(ready)
    if ready:
        yield done
