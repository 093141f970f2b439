"""Runs every benchmark, or those named: `python -m benchmarks [indexing] [searching]`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from benchmarks import indexing, searching

ALL = {"indexing": indexing.run, "searching": searching.run}


def main() -> int:
    names = sys.argv[1:] or list(ALL)
    unknown = [name for name in names if name not in ALL]
    if unknown:
        print(f"no benchmark {unknown[0]}; choose among {', '.join(ALL)}", file=sys.stderr)
        return 2
    for name in names:
        with tempfile.TemporaryDirectory(prefix="photosearch-bench-") as folder:
            print(f"\n{name}")
            ALL[name](Path(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
