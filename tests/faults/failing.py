"""Runs of `photosearch` in which one call to the system fails, or ends the process.

Run as a program, this is what such runs are forked from: half a second of imports is made once.
"""

from __future__ import annotations

import ctypes
import errno
import gc
import importlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

KINDS = ("open", "write", "sync", "rename", "mkdir", "unlink", "truncate")
# What ends the process, in place of an error.
KILL = 0
# A disk that has run full stays so.
LASTING = (errno.ENOSPC,)
ERRORS: dict[str, tuple[int, ...]] = {
    "open": (errno.EACCES, errno.EMFILE),
    "write": (errno.ENOSPC, errno.EIO, KILL),
    "sync": (errno.EIO,),
    "rename": (errno.EACCES, KILL),
    "mkdir": (errno.ENOSPC, KILL),
    "unlink": (errno.EACCES, KILL),
    "truncate": (errno.EIO, KILL),
}
SOURCE = Path(__file__).with_name("faults.c")
REPOSITORY = Path(__file__).parents[2]
IN_MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
_SECONDS = 120


@dataclass(frozen=True)
class Fault:
    """The `number`-th call of a kind, from 1, fails with `error`."""

    kind: str
    number: int
    error: int

    def __str__(self) -> str:
        how = "kills" if self.error == KILL else errno.errorcode[self.error]
        return f"{self.kind} {self.number}: {how}"


@dataclass(frozen=True)
class Ended:
    """How a run ended: its exit code, negative for a signal, and how many calls of each kind it
    made; and what it wrote."""

    code: int
    calls: Mapping[str, int]
    output: str
    errors: str


def compiled(folder: Path) -> Path | None:
    """The library that makes calls fail, or None where none can be made."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if sys.platform != "linux" or compiler is None:
        return None
    made = folder / "faults.so"
    command = [compiler, "-shared", "-fPIC", "-O1", "-o", str(made), str(SOURCE), "-ldl"]
    result = subprocess.run(command, capture_output=True)
    return made if result.returncode == 0 else None


class FailingRuns:
    """Runs of `photosearch`, or of functions, each a process of its own. Use as a context manager.

    Only calls about files below `box` fail, a folder in `work`. `library` is from `compiled`.
    """

    def __init__(self, library: Path, work: Path) -> None:
        self.box = box = work / "box"
        self._output, self._errors = work / "output", work / "errors"
        environment = {
            key: value for key, value in os.environ.items() if not key.startswith("PHOTOSEARCH_")
        } | {
            "LD_PRELOAD": str(library),
            "PYTHONPATH": os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "tests")]),
            "PHOTOSEARCH_LIBRARY": str(box / "library"),
            "TMPDIR": str(box / "tmp"),
            # A fork has only the thread that made it.
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
        }
        self._server = subprocess.Popen(
            [sys.executable, __file__, str(library), str(box)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            text=True,
            start_new_session=True,
        )

    def __enter__(self) -> FailingRuns:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._server.stdin is not None
        self._server.stdin.close()
        self._server.wait()
        assert self._server.stdout is not None
        self._server.stdout.close()

    def run(self, what: Sequence[str], fault: Fault | None = None) -> Ended:
        """Arguments of `photosearch`, or of a function that is named "module:function"."""
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        failing = [KINDS.index(fault.kind), fault.number, fault.error] if fault else None
        asked = [list(map(str, what)), failing, str(self._output), str(self._errors)]
        self._server.stdin.write(json.dumps(asked) + "\n")
        self._server.stdin.flush()
        code, calls = json.loads(self._server.stdout.readline())
        said = (path.read_text(errors="replace") for path in (self._output, self._errors))
        return Ended(code, dict(zip(KINDS, calls, strict=True)), *said)


def _become(arm: Callable[[], None], what: Sequence[str], output: str, errors: str) -> None:
    """Do what is asked for, in this process, which is new."""
    os.setsid()
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    for stream, path in enumerate((os.devnull, output, errors)):
        number = os.open(path, flags if stream else os.O_RDONLY, 0o600)
        os.dup2(number, stream)
        os.close(number)
    from index import CatalogueError
    from photosearch.errors import PhotosearchError

    # What hangs is told by how it ended.
    signal.alarm(_SECONDS)
    code = 1
    try:
        if ":" in what[0]:
            module, function = what[0].split(":")
            call = getattr(importlib.import_module(module), function)
            arm()
            call(*what[1:])
            code = 0
        else:
            from photosearch.cli import main

            arm()
            main(list(what))
    except SystemExit as ended:
        code = int(ended.code or 0)
    except (CatalogueError, PhotosearchError) as error:
        print(error, file=sys.stderr)
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        with suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _serve(library: str, box: str) -> None:
    shim: Any = ctypes.CDLL(library)
    shim.shared_counts.restype = ctypes.POINTER(ctypes.c_long * len(KINDS))
    counts = shim.shared_counts().contents
    for line in sys.stdin:
        what, failing, output, errors = json.loads(line)
        for number in range(len(KINDS)):
            counts[number] = 0
        kind, number, error = failing or (0, 0, 0)

        def arm(kind: int = kind, number: int = number, error: int = error) -> None:
            shim.arm(box.encode(), kind, ctypes.c_long(number), error, error in LASTING)

        child = os.fork()
        if not child:
            os.chdir(box)
            _become(arm, what, output, errors)
        _, status = os.waitpid(child, 0)
        # What it had started is not to write any more.
        with suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
        print(json.dumps([os.waitstatus_to_exitcode(status), list(counts)]), flush=True)


def _read_modules() -> None:
    """Those that most runs use."""
    for name in (
        *("faiss", "onnxruntime", "sqlite_utils", "tqdm", "PIL.Image", "numpy"),
        *("photosearch.library", "photosearch.commands.index", "photosearch.commands.forget"),
        *("photosearch.indexing.switching", "photosearch.portable", "photosearch.doctor"),
    ):
        importlib.import_module(name)
    from photosearch.encoders.tokenizer import encode

    encode("a cat")


if __name__ == "__main__":
    # Decoding processes read this file too, under another name.
    _read_modules()
    gc.freeze()
    _serve(sys.argv[1], sys.argv[2])
