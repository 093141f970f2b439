"""Decoders that hang, crash or eat memory: each costs its file, which is listed and why."""

from __future__ import annotations

from pathlib import Path

import pytest
from optional import needs_linux
from PIL import Image

from photosearch import Failed, Finished, Indexed, Library
from photosearch.indexing import limits
from photosearch.indexing.limits import Limits

pytestmark = [pytest.mark.slow, needs_linux("limits a process's memory")]

# Any interpreter started with it hangs or dies over files of these names.
HOOK = """
import os, signal, sys, time
def watch(event, arguments):
    if event == "open":
        name = os.path.basename(str(arguments[0]))
        if name == "hangs.png":
            time.sleep(600)
        elif name == "crashes.png":
            os.kill(os.getpid(), signal.SIGSEGV)
sys.addaudithook(watch)
"""


def test_each_costs_one_file_and_is_tried_again_when_asked(
    tmp_path: Path, photos: Path, tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = {str(path) for path in photos.iterdir()}
    Image.new("RGB", (9, 9)).save(photos / "hangs.png")
    Image.new("RGB", (8, 8)).save(photos / "crashes.png")
    Image.new("1", (12_000, 12_000)).save(photos / "eats.png")  # 18 KB, and 720 MB to decode
    hook = tmp_path / "hook"
    hook.mkdir()
    (hook / "sitecustomize.py").write_text(HOOK, encoding="utf-8")
    few = Limits(320 << 20)
    with monkeypatch.context() as patch:
        patch.setenv("PHOTOSEARCH_DECODE_SECONDS", "4")
        hurried = Library.open(tmp_path / "library", model=tiny_bundle)
    with hurried as library, monkeypatch.context() as patch:
        patch.setattr(limits, "limits_of_machine", lambda count: few)
        patch.setenv("PYTHONPATH", str(hook))
        events = list(library.index([photos], workers=2))
    with Library.open(tmp_path / "library", model=tiny_bundle) as library:
        assert {path for e in events if isinstance(e, Indexed) for path in e.paths} == good
        reasons = {Path(e.path).name: e.reason for e in events if isinstance(e, Failed)}
        assert reasons == {
            "hangs.png": "took longer than 4 s to decode",
            "crashes.png": "crashed the decoder",
            "eats.png": "needs more memory than there is for one file",
        }
        listed = {Path(path).name: reason for path, reason in library.status().problems}
        assert listed == reasons

        # With better decoders, and more memory. Memory may be there the next time; what hung or
        # crashed would do so again, and waits until it is asked for.
        *events, end = library.index(workers=1)
        assert isinstance(end, Finished)
        assert (end.indexed, end.problems) == (1, 2)
        *events, end = library.index(workers=1, retry=True)
        assert isinstance(end, Finished)
        assert (end.indexed, end.problems) == (2, 0)
        assert library.status().problems == []
