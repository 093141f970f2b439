"""A program that runs `photosearch` whenever it is asked to, each time in a process of its own.

What takes longest, the imports, it does once; a process is then a fork of it, which has nothing
else in common with the others. Given the arguments as a line of JSON it prints the number of the
process, which leads a group of its own, and when that has ended how it did.
"""

from __future__ import annotations

import json
import os
import sys


def become(arguments: list[str]) -> None:
    """Be `photosearch` with these arguments, in a new process group and silently."""
    from photosearch.cli import main

    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    code = 1
    try:
        main(arguments)
    except SystemExit as ended:
        code = int(ended.code or 0)
    finally:
        os._exit(code)


if __name__ == "__main__":
    # Below the guard, for decoding processes read this file too.
    import faiss  # noqa: F401
    import onnxruntime  # noqa: F401
    import sqlite_utils  # noqa: F401
    import tqdm  # noqa: F401

    import photosearch.commands.index
    import photosearch.indexing.switching
    import photosearch.library  # noqa: F401

    for line in sys.stdin:
        pid = os.fork()
        if not pid:
            become(json.loads(line))
        print(pid, flush=True)
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)
