"""Decoded photos gathered into batches, which are recorded; also when the run is to end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence

from photosearch.indexing.decode import Decoded
from photosearch.indexing.encoding import count_squares
from photosearch.indexing.events import Event
from photosearch.indexing.pace import Pace
from photosearch.indexing.workers import Result, Trouble

Ready = Sequence[tuple[str, Decoded]]


class StoppedError(Exception):
    """A run was asked to end; what was decoded until then is recorded."""


def check(stop: threading.Event | None) -> None:
    """Raise `StoppedError` when `stop` is set. Called wherever a run may end: between two steps."""
    if stop is not None and stop.is_set():
        raise StoppedError


def gather(
    results: Iterable[Result | None],
    pace: Pace,
    *,
    record: Callable[[Ready], Event],
    fail: Callable[[str, Trouble], Event | None],
    stop: threading.Event | None,
) -> Iterator[Event]:
    """Call `record` with each batch and `fail` with each trouble of `results`; what they report.

    However this ends, closed or by Ctrl-C or `stop`, all that is decoded is recorded.
    """
    ready: list[tuple[str, Decoded]] = []
    pace.start()
    try:
        for result in results:
            if result is None:
                pass
            elif isinstance(result.outcome, Decoded):
                ready.append((result.path, result.outcome))
            elif isinstance(result.outcome, Trouble):
                # What ends the run may have ended the decoder, too.
                check(stop)
                event = fail(result.path, result.outcome)
                if event is not None:
                    yield event
            squares = count_squares([photo for _, photo in ready])
            if pace.is_due(squares):
                with pace.recording(squares):
                    event = record(ready)
                ready = []
                yield event
            check(stop)
    except GeneratorExit:
        if ready:
            record(ready)
        raise
    except (KeyboardInterrupt, StoppedError):
        if ready:
            yield record(ready)
        raise
    if ready:
        yield record(ready)
