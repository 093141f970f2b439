"""What users are told of an error that nobody expected, and of which the log has the traceback."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

_TOO_MANY = (errno.EMFILE, errno.ENFILE)


def told(error: BaseException, log: Path | None) -> str:
    """A sentence without its stop, on what to do; `log` is the file, None where there is none."""
    if is_too_many(error):
        return (
            f"too many files are open at once{_most_files()}; allow more, as with "
            "`ulimit -n 1024`, and start it again"
        )
    if isinstance(error, FileNotFoundError) and raised_in(error) == "tempfile":
        return "there is no folder for temporary files; make room in /tmp, or set TMPDIR"
    kind = type(error).__name__
    if log is None:
        return (
            f"photosearch failed unexpectedly ({kind}), and no log can be written; please "
            "run it again with --log-file PATH, and report it with that file"
        )
    return (
        f"photosearch failed unexpectedly ({kind}); please report it to its developers, "
        f"with the end of the log: {log}"
    )


def raised_in(error: BaseException) -> str | None:
    """The module that raised it."""
    trace, module = error.__traceback__, None
    while trace is not None:
        module = trace.tb_frame.f_globals.get("__name__")
        trace = trace.tb_next
    return module


def is_too_many(error: BaseException) -> bool:
    """Whether it, or what led to it, is that no more files can be opened."""
    return any(map(_is_too_many, _causes(error)))


def _is_too_many(error: BaseException) -> bool:
    if isinstance(error, OSError):
        return error.errno in _TOO_MANY
    # A library that cannot be loaded for that has no number.
    return isinstance(error, ImportError) and os.strerror(errno.EMFILE) in str(error)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _most_files() -> str:
    try:
        import resource
    except ImportError:
        return ""
    return f" (here at most {resource.getrlimit(resource.RLIMIT_NOFILE)[0]})"
