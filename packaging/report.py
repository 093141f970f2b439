"""Prints how large the built app is and how fast it starts: python packaging/report.py FOLDER."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path


def size(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())


def seconds_until_it_serves(app: Path) -> float:
    """From the start of the program to the first page, with a library of its own."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        process = subprocess.Popen(
            [
                app,
                "--library",
                f"{folder}/library",
                "ui",
                "--no-browser",
                "--port",
                "0",
                "--open-to-this-machine",
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        try:
            url = process.stdout.readline().split()[1]
            with urllib.request.urlopen(url) as page:  # noqa: S310 - the program has just told it
                page.read()
            return time.perf_counter() - started
        finally:
            process.terminate()
            process.wait()
            process.stdout.close()


if __name__ == "__main__":
    built = Path(sys.argv[1])
    program = built / ("photosearch.exe" if sys.platform == "win32" else "photosearch")
    print(f"{built}: {size(built) / 1e6:.0f} MB")
    first = seconds_until_it_serves(program)
    again = min(seconds_until_it_serves(program) for _ in range(3))
    print(f"first page {first:.1f} s after the first start, {again:.1f} s after later ones")
