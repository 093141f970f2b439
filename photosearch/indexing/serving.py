"""The life of a process that decodes pictures, and what it says of each.

Imported by the process before anything else, so it imports no more than it must.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from traceback import format_exc
from typing import TYPE_CHECKING, Literal

from photosearch.errors import PhotosearchError

if TYPE_CHECKING:
    from index import Metadata
    from photosearch.indexing.decode import Decoded
    from photosearch.indexing.own_network import OwnNetwork
    from photosearch.looks import Look

# What is wanted of a file: its pixels and all else, only its hash, only what it says of itself,
# how it looks, or a small picture.
Task = Literal["picture", "digest", "metadata", "glance", "closely", "thumbnail"]

# Seconds beside those that every file may take.
_WORTH_TELLING = 1.0


@dataclass(frozen=True)
class Trouble:
    """Why a file gave no picture; `passing` as in `DecodeError`.

    `printed` is what its decoder printed, in lines, and `trace` where the decoder gave up, for the
    log.
    """

    reason: str
    passing: bool = False
    printed: str = ""
    trace: str = ""


@dataclass(frozen=True)
class Result:
    """What became of one file: what its task asked for, or the reason why not.

    None is the look of what moves.
    """

    path: str
    outcome: Decoded | bytes | Metadata | Look | Trouble | None


# What such a process says: that it is up, which file it turns to, how many seconds more that may
# take, what became of files in the order in which they were handed to it, and why it gives up.
Message = None | str | float | list[Result] | PhotosearchError


def serve(pipe: Connection, printed: str) -> None:
    """Decode what comes until the other end is closed; first comes how.

    Pictures are encoded, too, where the folder of a bundle comes with that. What decoders print
    goes to the file at `printed`.
    """
    # Ctrl-C reaches the whole group; the parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "win32":
        signal.signal(signal.SIGBREAK, signal.SIG_IGN)
    # No matrices are multiplied here, and the threads that NumPy starts for it spin at first.
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    from photosearch.indexing.decode import (
        Decoded,
        DecodeError,
        decode,
        digest_of,
        glance_at,
        look_closely,
        prepare_decoders,
        read_metadata,
        thumbnail_of,
    )
    from photosearch.indexing.limits import limit_memory, seconds_to_read
    from photosearch.indexing.printed import Listening
    from photosearch.nice import lower_priority

    prepare_decoders()
    # What was read until now stays, and need not be looked through for garbage.
    gc.freeze()
    listening = Listening(printed)
    try:
        preprocess, limits, folder = pipe.recv()
        network = _network_of(folder)
        limit_memory(limits.memory + (0 if network is None else network.memory))
        if limits.nice:
            lower_priority()
        pipe.send(None)
    except (EOFError, OSError):
        return
    except PhotosearchError as error:
        _give_up(pipe, error)
        return
    while True:
        try:
            # Nothing more is there to do: what waits for its batch waits no longer.
            if network is not None and not pipe.poll() and not _hand_back(pipe, network):
                return
            path, task, sidecars, size = pipe.recv()
        except (EOFError, OSError):
            return
        outcome: Decoded | bytes | Metadata | Look | Trouble | None
        try:
            # Only now does its time run: until here the file waited its turn.
            pipe.send(path)
            more = seconds_to_read(path, size)
            # Most files are small, and each message takes the other end from what it is at.
            if more >= _WORTH_TELLING:
                pipe.send(more)
        except OSError:
            return
        try:
            if task == "picture":
                outcome = decode(path, preprocess, limits.max_pixels, sidecars)
            elif task == "digest":
                outcome = digest_of(path)
            elif task == "metadata":
                outcome = read_metadata(path, sidecars)
            elif task == "thumbnail":
                outcome = thumbnail_of(path, limits.max_pixels)
            elif task == "glance":
                outcome = glance_at(path, preprocess, limits.max_pixels)
            else:
                outcome = look_closely(path, limits.max_pixels)
        except DecodeError as error:
            outcome = Trouble(str(error), error.passing, listening.take(), format_exc())
        else:
            listening.take()
        if network is not None and isinstance(outcome, Decoded):
            network.add(path, outcome)
            if network.is_due and not _hand_back(pipe, network):
                return
            continue
        # Those before it come first: until all are sent, this one answers for what goes wrong.
        if network is not None and not _hand_back(pipe, network):
            return
        try:
            pipe.send([Result(path, outcome)])
        except OSError:
            return


def _network_of(folder: Path | None) -> OwnNetwork | None:
    if folder is None:
        return None
    from photosearch.indexing.own_network import OwnNetwork

    return OwnNetwork(folder)


def _hand_back(pipe: Connection, network: OwnNetwork) -> bool:
    """Encode what is decoded, and send it; False where nothing more will come of it."""
    try:
        if results := network.encoded():
            pipe.send(results)
    except PhotosearchError as error:
        _give_up(pipe, error)
        return False
    except OSError:
        return False
    return True


def _give_up(pipe: Connection, error: PhotosearchError) -> None:
    """No file is to blame, and none would fare better."""
    with suppress(OSError):
        pipe.send(error)
