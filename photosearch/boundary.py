"""The outermost part of the command line: what ends a command unexpectedly is told in one line.

The traceback goes to the log. Output that nobody reads any more, as behind `head`, ends the command
silently, and output that cannot be written ends it with the reason.
"""

from __future__ import annotations

import errno
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from photosearch.errors import UsageError
from photosearch.logs import NAME, Log, threads_logged
from photosearch.settings import library_folder, read
from photosearch.unexpected import raised_in, told

_log = logging.getLogger(__name__)
# These write to standard output and standard error, and to nothing else.
_WRITERS = (
    *("click.utils", "photosearch.commands.output", "tqdm.std", "tqdm.utils"),
    *("mcp.server.stdio", "anyio._backends._asyncio"),
)


class Guard:
    """The log of this run, once it is known where it is to be."""

    def __init__(self) -> None:
        self.log: Log | None = None
        self._spared = False

    def start_log(
        self,
        verbose: int = 0,
        file: Path | None = None,
        library: str | os.PathLike[str] | None = None,
        form: str | None = None,
    ) -> None:
        """Write to `file`, or else to where the settings of the library say, in the format `form`.

        Raises `UsageError` when `file` is named and cannot be written.
        """
        if file is not None:
            try:
                with open(file, "ab"):
                    pass
            except OSError as error:
                raise UsageError(
                    f"--log-file {file}: cannot be written ({error.strerror}); name another file"
                ) from None
        self.log = Log(
            verbose,
            lambda: _files(file, library, spared=self._spared),
            sys.stderr,
            lambda: _is_json(form, library),
        )
        self.log.start()

    def spare_library(self) -> None:
        """Write no log into the library folder, which is not to be changed.

        To be called before anything is logged.
        """
        self._spared = True

    def tell(self, error: Exception) -> None:
        """One line on standard error of what nobody expected, and the traceback to the log."""
        if self.log is None:
            self.start_log()
        assert self.log is not None
        _log.error("the command ended unexpectedly", exc_info=error, extra={"told": True})
        _say(told(error, self.log.path))


@contextmanager
def guarded() -> Iterator[Guard]:
    """Raises nothing but `SystemExit`, and `KeyboardInterrupt`."""
    _open_streams()
    guard = Guard()
    try:
        with threads_logged(_log):
            try:
                yield guard
                sys.stdout.flush()
            except SystemExit:
                sys.stdout.flush()
                raise
    except Exception as error:
        unwritten = _of_output(error)
        if unwritten is None:
            guard.tell(error)
        elif unwritten.errno != errno.EPIPE:
            _say(f"standard output cannot be written ({unwritten.strerror})")
        _drop(sys.stdout)
        sys.exit(1)
    finally:
        if guard.log is not None:
            guard.log.stop()


def _is_json(given: str | None, library: str | os.PathLike[str] | None) -> bool:
    with suppress(Exception):  # as in `_files`
        return (given or read(library).log_format) == "json"
    return False


def _files(
    given: Path | None, library: str | os.PathLike[str] | None, *, spared: bool
) -> Iterator[Path]:
    """Where the log may be, the best first."""
    if given is not None:
        yield given
        return
    # What is wrong with the settings is told by the command that needs them, and what is told now
    # may be that very fault.
    with suppress(Exception):
        named = read(library).log_file
        if named is not None:
            yield named
    with suppress(Exception):
        folder = library_folder(library)
        # It is not made for a log, for then there would seem to be a library.
        if folder.is_dir() and not spared:
            yield folder / NAME
    import platformdirs

    yield platformdirs.user_log_path("photosearch", appauthor=False) / NAME


def _of_output(error: Exception) -> OSError | None:
    """What was raised by writing to standard output, or standard error."""
    if isinstance(error, ExceptionGroup):
        # What serves assistants writes from a task of its own.
        inner = [_of_output(each) for each in error.exceptions]
        return inner[0] if all(inner) else None
    if not isinstance(error, OSError) or error.filename is not None:
        return None
    return error if raised_in(error) in (*_WRITERS, __name__) else None


def _say(text: str) -> None:
    try:
        print(f"Error: {text}.", file=sys.stderr, flush=True)
    except (OSError, ValueError):
        _drop(sys.stderr)  # the exit code tells


def _open_streams() -> None:
    """Where a standard stream is closed, the next file that is opened would take its place."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            # For as long as the program runs.
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115


def _drop(stream: TextIO) -> None:
    """What is left to be written of it is not tried again when Python ends."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
