"""The text network in a process of its own, for a command that ends after one search.

Reading modules is most of what such a command takes, and Python reads them on one core. So a fork
that is made before there are any threads reads ONNX Runtime and the network on another.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray


class TextProcess:
    """Encodes texts by the networks of bundles, for one thread of this process.

    It is there from the start, and by the time it is asked it has loaded the default model's.
    """

    def __init__(self, process: int, requests: BinaryIO, answers: BinaryIO) -> None:
        self._process, self._requests, self._answers = process, requests, answers
        atexit.register(self._end)

    def vectors(
        self, bundle: Path, threads: int, texts: Sequence[str]
    ) -> NDArray[np.float32] | None:
        """Unit vectors (n, d) of n > 0 texts by the bundle in this folder; None where it cannot."""
        import numpy as np

        try:
            _write(self._requests, [os.fspath(bundle), threads, list(texts)])
            shape = json.loads(self._answers.readline())
            data = self._answers.read(4 * shape[0] * shape[1])
            return np.frombuffer(data, np.float32).reshape(shape)
        except (OSError, ValueError):  # it has ended, of what is told by whoever tries it here
            return None

    def _end(self) -> None:
        # Where nobody else waits for the children of those that are gone, it would stay in the
        # system's table.
        with suppress(OSError, KeyboardInterrupt):
            os.kill(self._process, signal.SIGKILL)
            os.waitpid(self._process, 0)


_begun: TextProcess | None = None


def begin() -> None:
    """Start the process, where this one can be forked and there is another core for it.

    To be called before any module is read that starts threads.
    """
    global _begun
    if sys.platform != "linux" or len(os.sched_getaffinity(0)) < 2:
        return
    opened: list[int] = []
    try:
        opened += os.pipe()
        opened += os.pipe()
        process = os.fork()
    except OSError:  # of files or processes there may be no more; the command goes on without
        for end in opened:
            os.close(end)
        return
    there, requests, answers, here = opened
    if process == 0:
        try:
            _become(there, here)
        finally:
            os._exit(0)
    os.close(there)
    os.close(here)
    _begun = TextProcess(process, os.fdopen(requests, "wb"), os.fdopen(answers, "rb"))


def begun() -> TextProcess | None:
    """The process that `begin` has started, None when it has not."""
    return _begun


def _become(requests: int, answers: int) -> None:
    """Be that process, until the other one closes its ends."""
    # Whoever reads what the command writes waits until all have closed it.
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2 and int(name) not in (requests, answers):
            with suppress(OSError):
                os.close(int(name))
    # Ctrl-C is for the other one, which closes its ends then.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with os.fdopen(requests, "rb") as asked, os.fdopen(answers, "wb") as given:
        _serve(asked, given)


def _serve(asked: BinaryIO, given: BinaryIO) -> None:
    from photosearch.encoders import default_bundle_path
    from photosearch.encoders.bundle import Bundle
    from photosearch.encoders.onnx import OnnxEncoder

    folder, encoder = "", None
    with suppress(Exception):  # the model that is asked for may be another
        ready = OnnxEncoder(Bundle.open(default_bundle_path(), verify=False))
        # Its first run prepares all later ones.
        ready.encode_texts(["a photo"])
        folder, encoder = os.fspath(default_bundle_path()), ready
    for line in asked:
        bundle, threads, texts = json.loads(line)
        if encoder is None or bundle != folder:
            encoder = OnnxEncoder(Bundle.open(bundle, verify=False), threads=threads)
            folder = bundle
        vectors = encoder.encode_texts(texts)
        _write(given, vectors.shape, vectors.tobytes())


def _write(file: BinaryIO, said: Any, data: bytes = b"") -> None:
    file.write(json.dumps(said).encode() + b"\n" + data)
    file.flush()
