"""`python -m photosearch` does what `photosearch` does."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress


def run() -> None:
    """The command that this process was started with."""
    try:
        if _searches(sys.argv[1:]):
            # NumPy's library would start a thread for each core, and let them wait by going round.
            os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
            with suppress(OSError):  # too many files are open: what needs them will say so
                from photosearch.text_process import begin

                begin()
        from photosearch.cli import main

        main(prog_name="photosearch")
    except KeyboardInterrupt:
        # While modules are read. It is what a shell gives a program that Ctrl-C ended.
        sys.exit(130)


def _searches(arguments: Sequence[str]) -> bool:
    """Whether they are those of a search, which most likely is for a description."""
    # What options before the command are given may be called so, too; then it was of no use.
    return "search" in arguments and not {"-h", "--help"}.intersection(arguments)


# The processes that decode pictures import this file under another name.
if __name__ == "__main__":
    run()
