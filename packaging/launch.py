"""What the packaged app runs: `photosearch`, and its window when nothing else is asked for."""

from __future__ import annotations

import multiprocessing
import sys

if __name__ == "__main__":
    # The processes that decode pictures are this program again, with other arguments.
    multiprocessing.freeze_support()
    from photosearch.__main__ import run

    if len(sys.argv) == 1:
        sys.argv.append("desktop")
    run()
