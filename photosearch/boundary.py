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

_log = logging.getLogger(__name__)
# These write to standard output and standard error, and to nothing else.
_WRITERS = ("click.utils", "photosearch.commands.output")
_TOO_MANY = (errno.EMFILE, errno.ENFILE)


class Guard:
    """The log of this run, once it is known where it is to be."""

    def __init__(self) -> None:
        self.log: Log | None = None

    def start_log(
        self,
        verbose: int = 0,
        file: Path | None = None,
        library: str | os.PathLike[str] | None = None,
    ) -> None:
        """Write to `file`, or else to where the settings of the library say.

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
        self.log = Log(verbose, lambda: _files(file, library), sys.stderr)
        self.log.start()

    def tell(self, error: Exception) -> None:
        """One line on standard error of what nobody expected, and the traceback to the log."""
        if self.log is None:
            self.start_log()
        assert self.log is not None
        _log.error("the command ended unexpectedly", exc_info=error, extra={"told": True})
        if _is_too_many(error):
            _say(
                f"too many files are open at once{_most_files()}; allow more, as with "
                "`ulimit -n 1024`, and run the command again"
            )
            return
        if isinstance(error, FileNotFoundError) and _raised_in(error) == "tempfile":
            _say("there is no folder for temporary files; make room in /tmp, or set TMPDIR")
            return
        kind = type(error).__name__
        if self.log.path is None:
            _say(
                f"photosearch failed unexpectedly ({kind}), and no log can be written; please "
                "run it again with --log-file PATH, and report it with that file"
            )
        else:
            _say(
                f"photosearch failed unexpectedly ({kind}); please report it to its developers, "
                f"with the end of the log: {self.log.path}"
            )


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
    except OSError as error:
        if not _is_output(error):
            guard.tell(error)
        elif error.errno != errno.EPIPE:
            _say(f"standard output cannot be written ({error.strerror})")
        _drop(sys.stdout)
        sys.exit(1)
    except Exception as error:
        guard.tell(error)
        _drop(sys.stdout)
        sys.exit(1)
    finally:
        if guard.log is not None:
            guard.log.stop()


def _files(given: Path | None, library: str | os.PathLike[str] | None) -> Iterator[Path]:
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
        if folder.is_dir():
            yield folder / NAME
    import platformdirs

    yield platformdirs.user_log_path("photosearch", appauthor=False) / NAME


def _is_output(error: OSError) -> bool:
    """Whether it was raised by writing to standard output, or standard error."""
    return error.filename is None and _raised_in(error) in (*_WRITERS, __name__)


def _raised_in(error: BaseException) -> str | None:
    """The module that raised it."""
    trace, module = error.__traceback__, None
    while trace is not None:
        module = trace.tb_frame.f_globals.get("__name__")
        trace = trace.tb_next
    return module


def _is_too_many(error: BaseException | None) -> bool:
    """Whether it, or what led to it, is that no more files can be opened."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _TOO_MANY:
            return True
        # A library that cannot be loaded for that has no number.
        if isinstance(error, ImportError) and os.strerror(errno.EMFILE) in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False


def _most_files() -> str:
    try:
        import resource
    except ImportError:
        return ""
    return f" (here at most {resource.getrlimit(resource.RLIMIT_NOFILE)[0]})"


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
