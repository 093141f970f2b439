"""Faces in photos, looked for in the background."""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path

from photosearch.faces.run import FacesFailed, FacesFound, FacesGrouped, FacesStarted
from photosearch.library import Library
from photosearch.settings import read
from photosearch.ui.passes import BackgroundPass, End, Step, in_slices

# People are worth showing before all photos were looked at: faces are grouped whenever so many have
# come, and a fifth of those that there were.
_WORTH = 200


class _Switch:
    """The setting `faces` of the library, which the command line has as well."""

    def __init__(self, library: Path) -> None:
        self._folder = library

    def get(self) -> bool:
        return read(self._folder).faces

    def set(self, on: bool) -> None:
        with Library.open_to_read(self._folder) as library:
            library.faces.switch(on)


def finding_faces(library: Path) -> BackgroundPass:
    """Looks where nobody has, as long as the setting says so."""
    return BackgroundPass(library, _Switch(library), _find, unseen)


def unseen(library: Library) -> frozenset[int]:
    """Where nobody has looked for faces, by number."""
    return library.faces.unseen()


def _find(tell: Callable[[Step | End], None], library: Path) -> None:
    with Library.open(library, new=False) as opened:
        found = 0
        # Not to be tried anew in each slice.
        failed: set[str] = set()

        def steps() -> Generator[Step, None, None]:
            nonlocal found
            for event in opened.faces.find(without=failed):
                match event:
                    case FacesStarted(photos):
                        step = Step(begun=photos)
                    case FacesFound(photos):
                        found += sum(faces for _, faces in photos)
                        step = Step(done=len(photos))
                    case FacesFailed(path, _):
                        failed.add(path)
                        step = Step(failed=1)
                    case FacesGrouped():
                        step = Step()
                tell(step)
                yield step

        def group() -> None:
            nonlocal found
            if found >= max(_WORTH, opened.faces.counts()[1] // 5):
                found = 0
                opened.faces.group()

        still = in_slices(opened, steps, _Switch(library).get, group)
        tell(End(unseen(opened) if still else frozenset()))
