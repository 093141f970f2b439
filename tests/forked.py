"""Starts `photosearch` by forking: half a second of imports is made once, not for each command.

Run as a program, this is the process that is forked. It reads the modules, then waits on its
standard input, a socket, for commands. Each becomes a process of its own that goes on as
`python -m photosearch` does, with the folder, the environment and the outputs that it is given.
"""

from __future__ import annotations

import atexit
import gc
import io
import json
import multiprocessing
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from catalogue_data import give_up_override
from unsynced import wait_for_no_disk

DECODERS_READ = ["photosearch.indexing.decode", "photosearch.serving.shrinking"]
# What one command may take, its environment included, and how long.
_BYTES, _SECONDS = 1 << 20, 300


class Forked:
    """The process that is forked. It ends with this one."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._ours.settimeout(_SECONDS)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, __file__],
                stdin=theirs,
                env=environment,
                start_new_session=True,
                # File permissions hold even when the tests are run by root.
                preexec_fn=give_up_override,
            )

    def run(
        self,
        arguments: Sequence[str | bytes | Path],
        folder: Path,
        environment: Mapping[str, str],
        *,
        to: Mapping[int, int | None] | None = None,
    ) -> subprocess.CompletedProcess[bytes]:
        """What the command writes, and its exit code.

        With `to` it opens its streams as a Python that starts does, by PYTHONUNBUFFERED too; those
        of these numbers, 0 to 2, lead to the files of those numbers, and to nowhere with None.
        """
        names = [os.fsdecode(each) for each in arguments]
        with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
            files = {1: output.fileno(), 2: errors.fileno()} | {
                number: file for number, file in (to or {}).items() if file is not None
            }
            closed = None if to is None else [number for number in to if to[number] is None]
            told = json.dumps([names, str(folder), dict(environment), [*files], closed]).encode()
            socket.send_fds(self._ours, [told], [*files.values()])
            code = int(self._ours.recv(16))
            output.seek(0)
            errors.seek(0)
            return subprocess.CompletedProcess(names, code, output.read(), errors.read())

    def close(self) -> None:
        self._ours.close()
        # One that hangs would hang for ever.
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


def clean_forks() -> Any:
    """The context whose processes are forks of one that has only read modules.

    A fork of pytest's own process has none of its threads and all of their locks, and may wait for
    one of those for ever. What that one reads is in forked_decoders.py.
    """
    return multiprocessing.get_context("forkserver")


def in_a_fork(what: Callable[..., None], *arguments: Any) -> int | None:
    """Do `what`, a function of a module, in a process of its own; its exit code."""
    process = clean_forks().Process(target=what, args=arguments)
    process.start()
    process.join(_SECONDS)
    ended = process.exitcode
    if ended is None:  # it would be taken for a process of the tests that follow
        process.kill()
        process.join()
    return ended


def decoders_by(get_context: Callable[[str], Any]) -> None:
    """Start decoding processes of this one in the context that `get_context` gives for "spawn"."""
    import photosearch.indexing.workers
    import photosearch.serving.shrinking

    for module in (photosearch.indexing.workers, photosearch.serving.shrinking):
        module.multiprocessing = SimpleNamespace(get_context=get_context)


def alive(process: int) -> bool:
    """Whether the process of that number runs."""
    with suppress(ProcessLookupError, FileNotFoundError):
        os.kill(process, 0)
        # Whoever adopted it may not have looked yet.
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    return False


def _next() -> tuple[list[str], str, dict[str, str]]:
    """Start what is asked for until nobody asks any more; returns only in what was started."""
    asker = socket.socket(fileno=0)
    while True:
        told, files, _, _ = socket.recv_fds(asker, _BYTES, 3)
        if not told:
            sys.exit()
        child = os.fork()
        if child == 0:
            asker.detach()
            arguments, folder, environment, numbers, closed = json.loads(told)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            for number, file in zip(numbers, files, strict=True):
                os.dup2(file, number)
        for file in files:
            os.close(file)
        if child == 0:
            if closed is not None:
                _open_streams(closed, unbuffered=bool(environment.get("PYTHONUNBUFFERED")))
            return arguments, folder, environment
        _, status = os.waitpid(child, 0)
        asker.send(str(os.waitstatus_to_exitcode(status)).encode())


def _open_streams(closed: Sequence[int], *, unbuffered: bool) -> None:
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        stream = None
        if number in closed:
            os.close(number)
        elif number == 0:
            stream = os.fdopen(number, closefd=False)
        else:
            file: Any = os.fdopen(number, "wb", 0 if unbuffered else -1, closefd=False)
            stream = io.TextIOWrapper(file, write_through=unbuffered)
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


def _read_modules() -> Any:
    """Those that most commands use; whether a command imports no more is tested elsewhere."""
    from multiprocessing import forkserver

    import click
    import faiss
    import sqlite_utils
    from PIL import Image

    import photosearch.cli
    from photosearch import doctor, library, sidecars
    from photosearch.encoders.onnx import import_onnxruntime
    from photosearch.encoders.tokenizer import encode
    from photosearch.indexing import pipeline, switching
    from photosearch.library import models, photos

    group = photosearch.cli.main
    context = click.Context(group)
    commands = [group.get_command(context, name) for name in group.list_commands(context)]
    encode("a cat")
    # Their decoders are forked, too, from another process, which has no more than decoders read.
    multiprocessing.set_forkserver_preload(DECODERS_READ)
    forkserver.ensure_running()
    return (
        *(faiss, sqlite_utils, Image, commands, import_onnxruntime()),
        *(doctor, library, models, photos, pipeline, sidecars, switching),
    )


def _fork_decoders() -> None:
    from multiprocessing import forkserver

    # It runs, and as it is no child of this process, this one could not look whether it does.
    forkserver._forkserver.ensure_running = lambda: None
    decoders_by(lambda _: clean_forks())


def _run() -> int:
    """Be `photosearch`; its exit code. Raises what is to end Python in another way."""
    try:
        runpy.run_module("photosearch", run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        if isinstance(ended.code, str):
            raise
        return ended.code or 0
    return 0


def _end(code: int) -> None:
    """End as Python does, but let all objects be.

    To take them to pieces, copies of what all commands share, takes longer than most commands.
    """
    threading._shutdown()
    atexit._run_exitfuncs()
    # Where that fails, Python is to say so.
    with suppress(Exception):
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
        os._exit(code)


if __name__ == "__main__":
    _read_modules()
    wait_for_no_disk()
    # Looking through what is the same in all of them would copy it into each.
    gc.freeze()
    sys.argv[1:], place, variables = _next()
    os.chdir(place)
    os.environ.clear()
    os.environ.update(variables)
    sys.path[0] = place
    _fork_decoders()
    code = _run()
    _end(code)
    sys.exit(code)
