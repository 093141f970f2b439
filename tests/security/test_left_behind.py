"""What is left of work that was killed, or of photos that were forgotten."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from photosearch import Library
from photosearch.encoders import Bundle
from photosearch.encoders.store import BundleStore


def test_nothing_is_wrong_after_all_is_forgotten(
    picture_library: Path, tiny_bundle: Path, pictures: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(picture_library, tmp_path / "library"))
    with Library.open(folder, model=tiny_bundle) as library:
        assert len(library.search("a cat", everything=True)) == 6
        assert library.forget(pictures) == 6
        assert library.search("a cat").beyond == 0
    for _ in range(2):
        findings = list(Library.examine(folder, model=tiny_bundle))
        assert {one.state for one in findings} <= {"ok", "note"}, findings
        # Nor once another has searched, which may make the file of vectors anew.
        with Library.open(folder, model=tiny_bundle) as library:
            assert not library.search("a cat", everything=True)


def test_a_copy_of_a_model_that_was_killed_goes_with_the_next(
    tiny_bundle: Path, tmp_path: Path
) -> None:
    store = BundleStore(tmp_path / "models")
    name = Bundle.open(tiny_bundle).id
    old, new = (store.folder / f".{name}.{number}.part" for number in (1, 2))
    for part in (old, new):
        part.mkdir(parents=True)
        (part / "image.onnx").write_bytes(b"half")
    os.utime(old, (0, 0))
    store.add(tiny_bundle)
    # The other may be copied just now.
    assert sorted(path.name for path in store.folder.iterdir()) == sorted((new.name, name))
