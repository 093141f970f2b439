"""The log of a program: what happened, and the tracebacks of what went wrong.

Modules write to `logging.getLogger(__name__)`. Messages of the level INFO and above name no photo,
no folder and no text that was searched for; those are for DEBUG, which `-vv` asks for. As the
message of an exception may have such a name in it, below that level its traceback is written
without. What a message is about may be given besides, as fields by the name `FIELDS` of its
`extra`; in JSON they are keys of their own.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from traceback import format_exception, format_tb
from types import TracebackType
from typing import Any, TextIO, TypeAlias

NAME = "photosearch.log"
FIELDS = "photosearch_fields"
# Bytes after which a new file is begun, and how many old ones are kept.
_MOST, _KEPT = 1 << 20, 3
# Ours, that of the servers, which tells what an answer failed of, and those that what goes wrong in
# tasks and threads is left to.
_LOGGERS = ("photosearch", "index", "uvicorn", "asyncio", "concurrent.futures")
_FORM = "%(asctime)s %(levelname)s %(process)d %(name)s: %(message)s"
_ERROR: TypeAlias = tuple[type[BaseException], BaseException, TracebackType | None]


class _Formatter(logging.Formatter):
    """With tracebacks, of which the exceptions' messages are left out unless `detailed`."""

    def __init__(self, *, detailed: bool) -> None:
        super().__init__(_FORM)
        self._detailed = detailed

    def format(self, record: logging.LogRecord) -> str:
        record.exc_text = None  # as another formatter has left it
        try:
            return super().format(record)
        finally:
            record.exc_text = None

    def formatException(self, ei: Any) -> str:  # noqa: N802
        error = ei[1]
        if error is None:
            return ""
        text = "".join(format_exception(error)) if self._detailed else "\n".join(_bare(error))
        return text.rstrip()


class _Json(_Formatter):
    """An object of JSON in each line, in ASCII: for programs that gather logs."""

    def format(self, record: logging.LogRecord) -> str:
        told: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "process": record.process,
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, FIELDS, {}),
        }
        if record.exc_info:
            told["traceback"] = self.formatException(record.exc_info)
        return json.dumps(told)


class _Chosen(logging.Formatter):
    """One of the two, chosen when the first line is written: most runs write none."""

    def __init__(self, as_json: Callable[[], bool], *, detailed: bool) -> None:
        super().__init__()
        self._as_json, self._detailed = as_json, detailed
        self._formatter: logging.Formatter | None = None

    def format(self, record: logging.LogRecord) -> str:
        if self._formatter is None:
            kind = _Json if self._as_json() else _Formatter
            self._formatter = kind(detailed=self._detailed)
        return self._formatter.format(record)


class _OneLine(logging.Formatter):
    """What a user is told: no traceback."""

    def format(self, record: logging.LogRecord) -> str:
        kind = f" ({record.exc_info[0].__name__})" if record.exc_info and record.exc_info[0] else ""
        first, *_ = record.getMessage().splitlines() or [""]
        return f"Error: {first}{kind}; the log tells more."


class _Lazy(logging.Handler):
    """The file, opened at the first message: most searches have none."""

    def __init__(self, candidates: Callable[[], Iterator[Path]]) -> None:
        super().__init__()
        self._candidates = candidates
        self._file: logging.Handler | None = None
        self.path: Path | None = None

    def emit(self, record: logging.LogRecord) -> None:
        try:
            if self._file is None:
                self._file, self.path = self._opened()
            self._file.handle(record)
        except Exception:
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """A log that cannot be written is no reason to fail, nor to print a traceback."""

    def close(self) -> None:
        if self._file is not None:
            # What the disk has no room for is not written now, either.
            with suppress(OSError):
                self._file.close()
        super().close()

    def _opened(self) -> tuple[logging.Handler, Path | None]:
        from logging.handlers import RotatingFileHandler

        class Rotating(RotatingFileHandler):
            def _open(self) -> Any:
                # With -vv it has the names of photos in it: nobody else is to read it.
                return open(
                    self.baseFilename,
                    self.mode,
                    encoding="utf-8",
                    errors="backslashreplace",
                    opener=lambda path, flags: os.open(path, flags, 0o600),
                )

            def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
                """As above; such as on a full disk."""

        for path in self._candidates():
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                file = Rotating(path, maxBytes=_MOST, backupCount=_KEPT)
            except OSError:
                continue
            file.setFormatter(self.formatter)
            return file, path
        return logging.NullHandler(), None


class Log:
    """The log of one run of a program, from `start` to `stop`."""

    def __init__(
        self,
        verbose: int,
        candidates: Callable[[], Iterator[Path]],
        errors: TextIO | None,
        as_json: Callable[[], bool] = lambda: False,
    ) -> None:
        """`verbose` is 0, 1 or 2; the first of the `candidates` that can be written is the file.

        `as_json` is asked once, when there is something to write.
        """
        level = logging.DEBUG if verbose > 1 else logging.INFO
        self._file = _Lazy(candidates)
        chosen = _Chosen(as_json, detailed=verbose > 1)
        self._file.setFormatter(chosen)
        self._handlers: list[logging.Handler] = [self._file]
        if errors is not None:
            told = logging.StreamHandler(errors)
            told.setLevel(level if verbose else logging.ERROR)
            told.setFormatter(chosen if verbose else _OneLine())
            if not verbose:
                # The command itself tells of what ends it.
                told.addFilter(lambda record: not getattr(record, "told", False))
            self._handlers.append(told)
        self._level = level
        self._before: list[tuple[logging.Logger, int, bool]] = []

    @property
    def path(self) -> Path | None:
        """The file that was written; None while nothing was, or when none can be."""
        return self._file.path

    def start(self) -> None:
        for name in _LOGGERS:
            logger = logging.getLogger(name)
            self._before.append((logger, logger.level, logger.propagate))
            logger.setLevel(self._level)
            logger.propagate = False
            for handler in self._handlers:
                logger.addHandler(handler)

    def stop(self) -> None:
        for logger, level, propagate in self._before:
            for handler in self._handlers:
                logger.removeHandler(handler)
            logger.setLevel(level)
            logger.propagate = propagate
        self._before = []
        for handler in self._handlers:
            handler.close()


def current_file() -> Path | None:
    """Where the log of this program is; None where nothing was written, or none can be."""
    handlers = logging.getLogger(_LOGGERS[0]).handlers
    paths = (one.path for one in handlers if isinstance(one, _Lazy))
    return next((path for path in paths if path is not None), None)


@contextmanager
def threads_logged(logger: logging.Logger) -> Iterator[None]:
    """What ends a thread meanwhile goes to the log, not to the terminal as a traceback.

    So does what is raised where nobody can take it, as when an object is put away.
    """
    import sys
    import threading

    before, before_ignored = threading.excepthook, sys.unraisablehook

    def hook(ended: threading.ExceptHookArgs) -> None:
        name = "a thread" if ended.thread is None else ended.thread.name
        if ended.exc_value is not None:
            told: _ERROR = (ended.exc_type, ended.exc_value, ended.exc_traceback)
            logger.error("%s ended unexpectedly", name, exc_info=told)

    def ignored(left: sys.UnraisableHookArgs) -> None:
        if left.exc_value is not None:
            raised: _ERROR = (left.exc_type, left.exc_value, left.exc_traceback)
            logger.error("an object could not be put away", exc_info=raised)

    threading.excepthook, sys.unraisablehook = hook, ignored
    try:
        yield
    finally:
        threading.excepthook, sys.unraisablehook = before, before_ignored


def _bare(error: BaseException, seen: frozenset[int] = frozenset()) -> Iterator[str]:
    """Where an exception came from, and what led to it, without the messages."""
    if id(error) in seen:
        return
    seen |= {id(error)}
    earlier = error.__cause__
    if earlier is None and not error.__suppress_context__:
        earlier = error.__context__
    if earlier is not None:
        yield from _bare(earlier, seen)
        yield "which led to:"
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _bare(inner, seen)
            yield "one of:"
    yield "".join(format_tb(error.__traceback__)).rstrip()
    # What the system calls the error; its own text may have a name in it.
    number = error.errno if isinstance(error, OSError) else None
    yield f"{type(error).__name__}: {os.strerror(number)}" if number else type(error).__name__
