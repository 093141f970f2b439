"""Runs `photosearch` as a user does: real processes, their output and their exit codes."""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

from catalogue_data import give_up_override
from forked import Forked

from index import Catalogue

REPOSITORY = Path(__file__).parents[1]


@cache
def forked() -> Forked:
    """The process that `photosearch` is forked from."""
    started = Forked(os.environ | {"PYTHONPATH": str(REPOSITORY)})
    atexit.register(started.close)
    return started


class Shell:
    """Runs `photosearch` from a folder of its own, with a library of its own."""

    def __init__(self, folder: Path, bundle: Path) -> None:
        self.folder = folder
        self.library = folder / "library"
        self.environment = {
            key: value for key, value in os.environ.items() if not key.startswith("PHOTOSEARCH_")
        } | {
            "PYTHONPATH": str(REPOSITORY),
            "PHOTOSEARCH_LIBRARY": str(self.library),
            "PHOTOSEARCH_MODEL": str(bundle),
            # Each takes longer to start than to decode what tests have, on as many cores as may be.
            "PHOTOSEARCH_WORKERS": "1",
        }

    def command(self, *arguments: str | bytes | Path) -> list[str | bytes | Path]:
        return [sys.executable, "-m", "photosearch", *arguments]

    def __call__(
        self, *arguments: str | bytes | Path, **environment: str
    ) -> subprocess.CompletedProcess[bytes]:
        # Other variables may be such as Python or a module reads when it starts.
        ours = all(name.startswith("PHOTOSEARCH_") for name in environment)
        if sys.platform != "linux" or not ours:
            return self.fresh(*arguments, **environment)
        return forked().run(arguments, self.folder, self.environment | environment)

    def fresh(
        self, *arguments: str | bytes | Path, **environment: str
    ) -> subprocess.CompletedProcess[bytes]:
        """The same in a Python that has imported nothing yet."""
        return subprocess.run(
            self.command(*arguments),
            capture_output=True,
            cwd=self.folder,
            env=self.environment | environment,
            timeout=300,
            # File permissions hold even when the tests are run by root.
            preexec_fn=give_up_override if sys.platform == "linux" else None,
        )

    def start(self, *arguments: str | Path, **environment: str) -> subprocess.Popen[bytes]:
        """In a process group of its own, as a terminal does, and listening to Ctrl-C."""
        return subprocess.Popen(
            self.command(*arguments),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self.folder,
            env=self.environment | environment,
            start_new_session=True,
        )

    def photos(self, library: Path | None = None) -> dict[str, bytes]:
        """What is recorded: the vector of each path."""
        folder = library or self.library
        if not (folder / "catalogue.db").is_file():
            return {}
        with Catalogue.open(folder, readonly=True) as catalogue:
            vectors = {}
            for bundle_id in catalogue.counts().embeddings:
                ids, rows = catalogue.embeddings(bundle_id)
                known = catalogue.photos([int(photo_id) for photo_id in ids])
                vectors |= {p.path: row.tobytes() for p, row in zip(known, rows, strict=True)}
            return vectors


def message(result: subprocess.CompletedProcess[bytes], code: int) -> str:
    """What a failed command says on standard error; there is no traceback."""
    text = result.stderr.decode()
    assert result.returncode == code, text
    assert text
    assert "Traceback" not in text
    return text
