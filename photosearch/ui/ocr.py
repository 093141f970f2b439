"""Text in photos, read in the background."""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path

from photosearch.library import Library
from photosearch.ocr.reader import check_reader
from photosearch.ocr.run import ReadingStarted, TextFailed, TextRead
from photosearch.ui.passes import BackgroundPass, End, Step, in_slices
from photosearch.ui.switches import Switches

_SWITCH = "read_text"


class _Switch:
    def __init__(self, switches: Switches) -> None:
        self._switches = switches

    def get(self) -> bool:
        return self._switches[_SWITCH]

    def set(self, on: bool) -> None:
        """Raises `UsageError` without the extra."""
        if on:
            check_reader()
        self._switches[_SWITCH] = on


def reading(library: Path, switches: Switches) -> BackgroundPass:
    """Reads what has not been read, as long as it is switched on."""
    return BackgroundPass(library, _Switch(switches), _read, _unread)


def _unread(library: Library) -> frozenset[int]:
    return library.texts.unread()


def _read(tell: Callable[[Step | End], None], library: Path) -> None:
    with Library.open(library, new=False) as opened:
        # Not to be tried anew in each slice.
        failed: set[str] = set()

        def steps() -> Generator[Step, None, None]:
            for event in opened.texts.read(without=failed):
                match event:
                    case ReadingStarted(photos):
                        step = Step(begun=photos)
                    case TextRead(photos):
                        step = Step(done=len(photos))
                    case TextFailed(path, _):
                        failed.add(path)
                        step = Step(failed=1)
                tell(step)
                yield step

        still = in_slices(opened, steps, _Switch(Switches(library)).get)
        tell(End(_unread(opened) if still else frozenset()))
