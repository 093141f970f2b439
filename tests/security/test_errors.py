"""What goes wrong is told in a sentence, wherever it is met, and the log has the traceback."""

from __future__ import annotations

import asyncio
import errno
import gc
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from on_a_thread import run
from served import served_here

import photosearch
from photosearch import Library, errors
from photosearch.api import app, tools
from photosearch.boundary import guarded
from photosearch.logs import Log
from photosearch.serving.library_thread import LibraryThread
from photosearch.serving.shrinking import Shrinkers

CLASSES = [found for _, found in inspect.getmembers(errors, inspect.isclass)]


def test_every_error_has_the_one_base_and_an_exit_code() -> None:
    for error in CLASSES:
        assert issubclass(error, errors.PhotosearchError)
        assert error.exit_code == (2 if issubclass(error, errors.UsageError) else 1)


def test_the_tree_in_the_docstring_is_whole() -> None:
    drawn = (errors.__doc__ or "").split()
    assert {error.__name__ for error in CLASSES} == {word for word in drawn if "Error" in word[1:]}


def test_every_error_can_be_caught_from_outside() -> None:
    for error in CLASSES:
        assert getattr(photosearch, error.__name__) is error
        assert error.__name__ in photosearch.__all__


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "photosearch.log"
    log = Log(0, lambda: iter([path]), None)
    log.start()
    yield path
    log.stop()


def break_searches(monkeypatch: pytest.MonkeyPatch) -> None:
    def search(*_: object, **__: object) -> None:
        raise KeyError("honeymoon.jpg")

    monkeypatch.setattr(Library, "search", search)


def check_told(text: str, log: Path) -> None:
    assert (
        f"failed unexpectedly (KeyError); please report it to its developers, with the end of "
        f"the log: {log}." in text
    )
    assert "Traceback" not in text
    assert "honeymoon" not in text
    assert "in search\n" in log.read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_on_the_page(
    picture_library: Path, tiny_bundle: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served_here(picture_library, tiny_bundle) as server:
        break_searches(monkeypatch)
        answer = server.ask("/api/search?q=a+cat")
    assert answer.status == 500
    check_told(answer.json["error"], log)


def test_of_the_api(
    picture_library: Path, tiny_bundle: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_searches(monkeypatch)
    library = LibraryThread(picture_library, tiny_bundle)

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app.create_app(library), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            return await client.get("/v1/search?q=a+cat")

    answer = run(ask())
    library.close()
    assert answer.status_code == 500
    assert "failed unexpectedly (KeyError)" in answer.json()["error"]
    assert str(log) in answer.json()["error"]


def test_by_an_assistant(
    picture_library: Path, tiny_bundle: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_searches(monkeypatch)
    library = LibraryThread(picture_library, tiny_bundle)
    server = tools.create_server(library, Shrinkers())
    with pytest.raises(Exception, match="failed unexpectedly") as raised:
        run(server.call_tool("search", {"query": "a cat"}))
    library.close()
    check_told(str(raised.value), log)


def test_what_nobody_waits_for_goes_to_the_log(
    log: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    async def fail() -> None:
        raise KeyError("in a task")

    async def forget() -> None:
        task = asyncio.ensure_future(fail())
        await asyncio.wait([task])
        del task
        gc.collect()

    run(forget())
    assert "Task exception was never retrieved" in log.read_text(encoding="utf-8")
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(("number", "said"), [(errno.ENOSPC, "No space left"), (errno.EPIPE, "")])
def test_an_assistant_that_does_not_read(
    number: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What serves it raises this from tasks of its own."""
    scope: dict[str, Any] = {"__name__": "mcp.server.stdio", "OSError": OSError}
    exec(f"def write(): raise OSError({number}, 'No space left')", scope)

    def serve() -> None:
        try:
            scope["write"]()
        except OSError as error:
            raise ExceptionGroup("of tasks", [ExceptionGroup("of one", [error])]) from None

    with pytest.raises(SystemExit) as ended, guarded():
        serve()
    assert ended.value.code == 1
    shown = capsys.readouterr().err
    assert "unexpectedly" not in shown
    assert said in shown
