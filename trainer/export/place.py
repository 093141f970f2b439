"""The folder of a bundle: made beside its place, and renamed into it when it is whole."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from photosearch.encoders.bundle import TOKENIZER
from photosearch.encoders.calibration import BACKGROUND
from trainer.export.errors import ExportError
from trainer.lock import locked

PACKAGES = {"image": "image.mlpackage", "text": "text.mlpackage"}
_OURS = frozenset(
    {
        "README.md",
        "bundle.json",
        "image.onnx",
        "text.onnx",
        BACKGROUND,
        TOKENIZER,
        *PACKAGES.values(),
    }
)


@contextmanager
def in_place(out: Path, *, replace: bool) -> Iterator[Path]:
    """A new folder beside `out` that becomes `out` when the block ends well, and else goes.

    Raises `ExportError` when `out` is something else than a bundle, or is one and not `replace`,
    and `ValueError` when another command is making it.
    """
    with locked(out, beside=True):
        part, old = out.with_name(f".{out.name}.part"), out.with_name(f".{out.name}.old")
        if old.exists() and not out.exists():
            old.rename(out)  # an export was killed between its two renames
        if out.exists():
            if not out.is_dir() or {path.name for path in out.iterdir()} - _OURS:
                raise ExportError(
                    f"{out}: holds something else than a bundle; choose another folder"
                )
            if not replace:
                raise ExportError(f"{out}: already there; ask for it to be replaced, or move it")
        out.parent.mkdir(parents=True, exist_ok=True)
        for left in (part, old):  # of an export that was killed
            shutil.rmtree(left, ignore_errors=True)
        part.mkdir()
        try:
            yield part
            if out.exists():
                out.rename(old)
            part.rename(out)
        except BaseException:
            if old.exists() and not out.exists():
                old.rename(out)
            shutil.rmtree(part, ignore_errors=True)
            raise
        shutil.rmtree(old, ignore_errors=True)


def sizes_of(folder: Path) -> dict[str, int]:
    """Bytes of each file of `folder`, and of each package in it as a whole."""
    return {
        path.name: sum(file.stat().st_size for file in (path, *path.rglob("*")) if file.is_file())
        for path in sorted(folder.iterdir())
    }
