"""The writer's lock among real processes: one at a time, told by name, freed by any death."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path

import pytest
from catalogue_data import child, finish
from optional import needs_kill, needs_linux

from index import CatalogueError, InUseError, WriterLock
from index.safety.lock import LOCK_NAME, NOTE_NAME

HOLD = """
import sys
from pathlib import Path
from index import WriterLock
with WriterLock(Path(sys.argv[1])).held():
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def held_elsewhere(folder: Path) -> Iterator[subprocess.Popen[str]]:
    process = child(HOLD, folder)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    try:
        yield process
    finally:
        process.communicate()


def test_another_process_is_refused_and_told_who_has_it(tmp_path: Path) -> None:
    lock = WriterLock(tmp_path)
    with held_elsewhere(tmp_path) as process:
        with pytest.raises(InUseError) as caught, lock.held():
            raise AssertionError("both have it")
        holder = caught.value.holder
        assert holder is not None
        assert (holder.pid, holder.host) == (process.pid, socket.gethostname())
        assert holder.command == f"-c {tmp_path}"
        age = datetime.now().astimezone() - datetime.fromisoformat(holder.since)
        assert -1 < age.total_seconds() < 300
        for part in (str(tmp_path), str(process.pid), holder.host, holder.command, "try again"):
            assert part in str(caught.value)
        assert "\n" not in str(caught.value)
    with lock.held():
        pass
    assert not (tmp_path / NOTE_NAME).exists()


@pytest.mark.slow
def test_waiting_ends_with_the_other_process(tmp_path: Path) -> None:
    with held_elsewhere(tmp_path) as first:
        second = child(HOLD.replace("held()", "held(wait=True)"), tmp_path)
        time.sleep(1.0)
        assert second.poll() is None
        assert first.poll() is None
    finish([second])


START_CHILD = """
    import subprocess
    print(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(99)"]).pid, flush=True)
"""


@needs_kill
def test_a_killed_holder_frees_it_though_its_children_live(tmp_path: Path) -> None:
    """Children that an index run started may outlive it for a moment."""
    parent = HOLD.replace("    sys.stdin", START_CHILD + "    sys.stdin")
    holder = child(parent, tmp_path)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    left = int(holder.stdout.readline())
    holder.kill()
    holder.wait()
    try:
        assert (tmp_path / NOTE_NAME).exists()
        assert WriterLock(tmp_path).holder() is None  # the note of a dead process names nobody
        with WriterLock(tmp_path).held():
            note = json.loads((tmp_path / NOTE_NAME).read_text(encoding="utf-8"))
            assert note["pid"] == os.getpid()
        os.kill(left, 0)
    finally:
        os.kill(left, signal.SIGKILL)
        for pipe in (holder.stdin, holder.stdout, holder.stderr):
            assert pipe is not None
            pipe.close()


def test_one_lock_may_be_taken_again_and_two_exclude_one_another(tmp_path: Path) -> None:
    lock, other = WriterLock(tmp_path), WriterLock(tmp_path)
    with lock.held():
        with lock.held(), pytest.raises(InUseError), other.held():
            pass
        with pytest.raises(InUseError), other.held():
            pass
        held = lock.holder()
        assert held is not None
        assert held.pid == os.getpid()
    with other.held():
        pass


COUNT = """
import sys
from pathlib import Path
from index import WriterLock
counter = Path(sys.argv[1]) / "counter"
for _ in range(40):
    with WriterLock(Path(sys.argv[1])).held(wait=True):
        counter.write_text(str(int(counter.read_text()) + 1))
"""


@pytest.mark.slow
def test_never_two_at_once(tmp_path: Path) -> None:
    (tmp_path / "counter").write_text("0")
    fast = COUNT.replace(
        "import WriterLock", "import WriterLock\nfrom index.safety import lock\nlock._PAUSE = 0.001"
    )
    finish([child(fast, tmp_path) for _ in range(3)])
    assert (tmp_path / "counter").read_text() == "120"


def test_a_note_that_is_damaged_or_missing_names_nobody(tmp_path: Path) -> None:
    note = tmp_path / NOTE_NAME
    with held_elsewhere(tmp_path):
        for content in (b"", b"\xff\x00", b"[]", b'{"pid": "x"}', b'{"pid": 1}'):
            note.write_bytes(content)
            with (
                pytest.raises(InUseError, match="by another process; try again"),
                WriterLock(tmp_path).held(),
            ):
                pass
        note.unlink()
        with (
            pytest.raises(InUseError, match="by another process; try again"),
            WriterLock(tmp_path).held(),
        ):
            pass


def test_a_note_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    (tmp_path / NOTE_NAME).mkdir()
    lock = WriterLock(tmp_path)
    with lock.held():
        with pytest.raises(InUseError), WriterLock(tmp_path).held():
            pass
        assert lock.holder() is None
    assert not list(tmp_path.glob(".*.part"))


def test_a_folder_that_cannot_hold_the_lock_is_named(tmp_path: Path) -> None:
    (tmp_path / LOCK_NAME).mkdir()
    message = "make the library folder writable"
    with pytest.raises(CatalogueError, match=message) as caught, WriterLock(tmp_path).held():
        pass
    assert str(tmp_path / LOCK_NAME) in str(caught.value)


def test_none_is_made_in_the_place_of_a_library_that_is_gone(tmp_path: Path) -> None:
    folder = tmp_path / "library"
    folder.mkdir()
    lock = WriterLock(folder)
    with lock.held():
        pass
    folder.rename(tmp_path / "moved")
    with (
        pytest.raises(CatalogueError, match="library: the library is not there any more"),
        lock.held(),
    ):
        pass
    assert not folder.exists()


@needs_linux("takes root's rights away")
def test_a_folder_that_may_not_be_written_is_named(tmp_path: Path) -> None:
    with ExitStack() as stack:
        tmp_path.chmod(0o555)
        stack.callback(tmp_path.chmod, 0o755)
        process = child(HOLD, tmp_path)
        _, errors = process.communicate()
    assert process.returncode == 1
    assert f"{tmp_path / LOCK_NAME}: cannot be locked (Permission denied)" in errors


def test_workshops_of_holders_that_were_killed_are_cleared_away(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "photo.jpg").touch()
    library = tmp_path / "library"
    for name in (".import-abc", ".salvage-99"):
        (library / name).mkdir(parents=True)
        (library / name / "catalogue.db").touch()
    (library / ".import-link").symlink_to(outside)
    (library / "vectors").mkdir()
    lock = WriterLock(library)
    with lock.held():
        assert {path.name for path in library.iterdir()} == {
            LOCK_NAME,
            NOTE_NAME,
            ".import-link",
            "vectors",
        }
        # Its own stays, also when the lock is taken once more.
        (library / ".import-own").mkdir()
        with lock.held():
            assert (library / ".import-own").exists()
    assert (outside / "photo.jpg").exists()


def test_files_of_vectors_that_a_killed_process_was_writing_go(tmp_path: Path) -> None:
    """Those of a process that is alive stay: a search writes them without the lock."""
    folder = tmp_path / "vectors"
    folder.mkdir()
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    drafts = {name: folder / f".m-1.faiss.{name}.part" for name in (gone.pid, os.getpid(), "x")}
    for draft in drafts.values():
        draft.write_bytes(b"half")
    with WriterLock(tmp_path).held():
        pass
    assert [name for name, draft in drafts.items() if draft.exists()] == [os.getpid(), "x"]
