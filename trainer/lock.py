"""One command at a time writes into a folder.

    with locked(out):
        ...                       # another one that asks for it ends at once with a `ValueError`

The system holds the lock for the process, so that of a killed one is free again.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

_INSIDE = "run.lock"


@contextlib.contextmanager
def locked(folder: Path, *, beside: bool = False) -> Iterator[None]:
    """Hold `folder`, made where it is missing and gone again if it stays empty, for one command.

    beside: the lock lies next to the folder, which may be missing, for one that is renamed.

    Raises `ValueError` naming the folder when another command is at work there, in this process or
    another one.
    """
    from filelock import FileLock, Timeout

    file = folder.with_name(f".{folder.name}.lock") if beside else folder / _INSIDE
    made = not file.parent.exists()
    file.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(file, fallback_to_soft=False)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise ValueError(
            f"{folder}: another run is at work here; wait for it, or give another --out folder"
        ) from None
    try:
        yield
    finally:
        # Data sets and bundles are passed on as they lie. Gone before it is free, since filelock
        # takes no lock whose file is gone by then; Windows refuses while it is held.
        with contextlib.suppress(OSError):
            file.unlink()
            if made:
                # Only when it is empty: bad input leaves nothing behind.
                file.parent.rmdir()
        lock.release()
