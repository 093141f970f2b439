"""Small files that are written in one step: each is as before or as after, whatever happens."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from pathlib import Path

from index.safety.private import private_opener


def write_whole(
    path: Path, content: bytes, *, beside: Path | None = None, sync: bool = True
) -> None:
    """Put `content` at `path`, for its owner only; with `sync` not before it is on the disk.

    It is written in the folder `beside`, by default that of `path`, and renamed. What a killed
    process leaves there is removed by the next that takes the writer's lock: see `lock`.

    Raises `OSError`; `path` is as it was then, and nothing is left beside it.
    """
    # The number of the process comes last, by which it is told whether anybody is still writing.
    name = f".{path.name}.{threading.get_native_id()}.{os.getpid()}.part"
    draft = (beside or path.parent) / name
    try:
        with open(draft, "wb", opener=private_opener) as file:
            file.write(content)
            if sync:
                file.flush()
                os.fsync(file.fileno())
        os.replace(draft, path)
    except BaseException:
        with suppress(OSError):
            draft.unlink()
        raise
