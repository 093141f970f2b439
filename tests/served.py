"""`photosearch ui`, as a process of its own or in this one, and requests to it."""

from __future__ import annotations

import gc
import http.client
import importlib
import json
import os
import re
import signal
import subprocess
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from photosearch.ui.server import Server


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Served:
    """A running server. `link` is what it told its user to open."""

    port: int
    link: str

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def ask(
        self,
        target: str,
        headers: Mapping[str, str] | None = None,
        *,
        body: bytes | None = None,
        method: str | None = None,
    ) -> Answer:
        """Request `target` exactly as it is written."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.putrequest(
                method or ("GET" if body is None else "POST"), target, skip_host=True
            )
            sent = {"Host": f"127.0.0.1:{self.port}"} | dict(headers or {})
            if body is not None:
                sent.setdefault("Content-Length", str(len(body)))
            for name, value in sent.items():
                connection.putheader(name, value)
            connection.endheaders(body)
            response = connection.getresponse()
            return Answer(
                response.status,
                {name.lower(): value for name, value in response.getheaders()},
                response.read(),
            )
        finally:
            connection.close()

    def post(self, target: str, content: Any, headers: Mapping[str, str] | None = None) -> Answer:
        sent = {"Content-Type": "application/json"} | dict(headers or {})
        return self.ask(target, sent, body=json.dumps(content).encode())


@cache
def _read_modules() -> None:
    """Those of the pages make so many objects that looking through them again and again for what
    can go, at each start and end of a server, takes longer than the rest of it.
    """
    importlib.import_module("photosearch.ui.app")
    gc.collect()
    gc.freeze()


@contextmanager
def served_here(
    library: Path, bundle: Path | None = None, port: int = 0, *, locked: bool = False
) -> Iterator[Served]:
    """For tests of the pages and their answers: a process of its own reads 4 s of modules."""
    with ExitStack() as stack:
        with _leaving_loops():
            _read_modules()
            server = stack.enter_context(
                Server.bind(library, bundle, port=port, open_to_this_machine=not locked)
            )
        yield Served(server.address.port, server.address.link)
        with _leaving_loops():
            stack.close()


@contextmanager
def _leaving_loops() -> Iterator[None]:
    """Gradio leaves event loops behind, which are found unclosed when they are collected."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        yield
        gc.collect()


@contextmanager
def served(
    library: Path,
    bundle: Path | None,
    *options: str,
    end: int = signal.SIGINT,
    **environment: str,
) -> Iterator[Served]:
    """As its user runs it, until the signal `end`, at which it ends cleanly."""
    command = [sys.executable, "-m", "photosearch", "--library", str(library)]
    if bundle is not None:
        command += ["--model", str(bundle)]
    command += ["ui", "--no-browser", "--port", "0", *options]
    if not options:
        command.append("--open-to-this-machine")
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | environment,
    )
    assert process.stdout is not None
    try:
        told = ""
        while (found := re.search(r"http://\S+?:(\d+)/\S*", told)) is None:
            line = process.stdout.readline()
            assert line, f"ended with {process.wait()}: {told}"
            told += line
        yield Served(int(found[1]), found[0])
    finally:
        process.send_signal(end)
        ended = process.wait(30)
        process.stdout.close()
    assert ended == 0
