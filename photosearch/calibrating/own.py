"""The calibrations that a library has fitted for its models, each in a file named by the model."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from photosearch.encoders.calibration import Calibration, numbers_of, read_numbers

_FOLDER = "calibrations"


class OwnCalibrations:
    """Those in the folder of a library; it is made when the first is written."""

    def __init__(self, library: Path) -> None:
        self._folder = library / _FOLDER
        # As read: model, and when its file was written.
        self._read: tuple[tuple[str, int], tuple[Calibration, int]] | None = None

    def of(self, bundle_id: str) -> Calibration | None:
        """That of a model; None when there is none that can be used."""
        found = self._find(bundle_id)
        return None if found is None else found[0]

    def photos(self, bundle_id: str) -> int:
        """How many photos the library had when that of the model was fitted; 0 without one."""
        found = self._find(bundle_id)
        return 0 if found is None else found[1]

    def keep(self, bundle_id: str, calibration: Calibration, photos: int) -> None:
        """Keep one. Raises `OSError` when it cannot be written."""
        path = self._path(bundle_id)
        path.parent.mkdir(exist_ok=True)
        part = path.with_name(f".{path.name}.part")
        said = numbers_of(calibration) | {"photos": photos}
        with part.open("wb") as file:
            np.savez(
                file, background=calibration.background.astype(np.float16), said=json.dumps(said)
            )
        part.replace(path)

    def remove(self, bundle_id: str) -> int:
        """Delete that of a model; the bytes of it, 0 when there is none."""
        with suppress(OSError):
            path = self._path(bundle_id)
            size = path.stat().st_size
            path.unlink()
            return size
        return 0

    def _find(self, bundle_id: str) -> tuple[Calibration, int] | None:
        path = self._path(bundle_id)
        try:
            state = bundle_id, path.stat().st_mtime_ns
            if self._read is None or self._read[0] != state:
                self._read = state, _load(path)
        # Another time it is fitted anew.
        except (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile):
            return None
        return self._read[1]

    def _path(self, bundle_id: str) -> Path:
        return self._folder / f"{bundle_id}.npz"


def _load(path: Path) -> tuple[Calibration, int]:
    with np.load(path, allow_pickle=False) as kept:
        said = json.loads(str(kept["said"]))
        return read_numbers(said, kept["background"]), int(said["photos"])
