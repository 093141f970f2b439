"""What is left of work that was killed, or of photos that were forgotten."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from index import WriterLock
from photosearch import Library
from photosearch.encoders import Bundle
from photosearch.encoders.store import BundleStore
from photosearch.serving.shrinking import Shrinkers
from photosearch.sharing.folder import save_stream
from photosearch.sharing.order import Order
from photosearch.sharing.wanted import Wanted, shared


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
    # By our clock, which need not be that of the disk.
    os.utime(new, (time.time(), time.time()))
    store.add(tiny_bundle)
    # The other may be copied just now.
    assert sorted(path.name for path in store.folder.iterdir()) == sorted((new.name, name))


def test_what_killed_processes_were_writing_in_the_library_goes_with_the_next(
    tmp_path: Path,
) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    for folder in (tmp_path, tmp_path / "thumbnails", tmp_path / "vectors"):
        folder.mkdir(exist_ok=True)
        for number in (ended.pid, os.getpid()):
            (folder / f".recent.json.7.{number}.part").touch()
        (folder / ".mine.part").touch()
    with WriterLock(tmp_path).held():
        left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.part")}
    places = ("", "thumbnails/", "vectors/")
    mine = (f".recent.json.7.{os.getpid()}.part", ".mine.part")
    assert left == {place + name for place in places for name in mine}


def test_what_an_upgrade_could_not_delete_goes_with_the_next_run(tmp_path: Path) -> None:
    draft = tmp_path / ".catalogue.db.before-upgrade.part"
    beside = [draft.with_name(draft.name + ending) for ending in ("-journal", "-wal", "-shm")]
    for path in (draft, *beside):
        path.touch()
    with WriterLock(tmp_path).held():
        # It may be going on.
        assert all(path.exists() for path in (draft, *beside))
    draft.unlink()
    with WriterLock(tmp_path).held():
        assert not any(path.exists() for path in beside)


def test_what_killed_exports_and_shares_left_goes_with_the_next(
    picture_library: Path, tmp_path: Path
) -> None:
    """In a folder of the user's, where nothing else is touched, nor what is written just now."""
    out = tmp_path / "out"
    half = ".photosearch-0123456789abcdef.part"
    for name in (".photosearch-export-a", ".photosearch-export-b", ".photosearch-export-c"):
        (out / name).mkdir(parents=True)
        (out / name / "catalogue.db").touch()
    (out / ".photosearch-export-b" / "my photo.jpg").touch()
    for name in (half, ".photosearch-fedcba9876543210.part", ".photosearch-mine.part"):
        (out / name).touch()
    # Web albums: one is stopped, the other goes on.
    albums = (".photosearch-00000000000000aa.part", ".photosearch-00000000000000bb.part")
    for name in albums:
        (out / name / "photos").mkdir(parents=True)
        (out / name / "index.html").touch()
        for path in ("", "photos", "index.html"):
            os.utime(out / name / path, (0, 0))
    os.utime(out / albums[1] / "photos", (time.time(), time.time()))
    # By our clock, which need not be that of the disk.
    for path in {*out.iterdir()} - {out / name for name in albums}:
        os.utime(path, (time.time(), time.time()))
    for name in (".photosearch-export-a", ".photosearch-export-b", half, ".photosearch-mine.part"):
        os.utime(out / name, (0, 0))
    kept = {path.name for path in out.iterdir()} - {".photosearch-export-a", half, albums[0]}

    with Library.open(picture_library, readonly=True) as library:
        library.export(out / "library.zip")
        (photo,) = shared(library, [1])
    save_stream([b"photos"], out / "photos.zip")
    assert {path.name for path in out.iterdir()} == kept | {"library.zip", "photos.zip"}
    (out / half).touch()
    os.utime(out / half, (0, 0))
    (copy,) = Order([photo], Wanted(position=True)).written(Shrinkers(), out)
    assert not (out / half).exists()
    assert copy.read_bytes() == Path(photo.photo.path).read_bytes()
    assert (out / ".photosearch-export-b" / "my photo.jpg").exists()
