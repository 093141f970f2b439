"""`photosearch watch`: a real process, and real files that come, change and go."""

from __future__ import annotations

import os
import queue
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from optional import needs_linux
from PIL import Image
from shell import Shell, message

from index import Catalogue, WriterLock
from index.safety import filesystem
from photosearch.watching.mounts import unwatched

pytestmark = pytest.mark.slow

LONG = 60.0


class Watch:
    """`photosearch watch` in the background, and what it prints."""

    def __init__(self, shell: Shell, *options: str | Path) -> None:
        self.process = shell.start("watch", "--quiet", "0.3", "--workers", "1", *options)
        self.lines: queue.Queue[str] = queue.Queue()
        self.printed: list[str] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(line.decode().rstrip("\n"))

    def until(self, text: str) -> str:
        """The first line from now on that holds `text`."""
        end = time.monotonic() + LONG
        while True:
            try:
                line = self.lines.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"{text!r} was not printed: {self.printed}") from None
            self.printed.append(line)
            if text in line:
                return line

    def end(self, number: int = signal.SIGINT) -> tuple[int, str]:
        self.process.send_signal(number)
        code = self.process.wait(LONG)
        assert self.process.stderr is not None
        return code, self.process.stderr.read().decode()


@pytest.fixture
def start(shell: Shell) -> Iterator[Callable[..., Watch]]:
    started: list[Watch] = []

    def begin(*options: str | Path) -> Watch:
        started.append(Watch(shell, *options))
        return started[-1]

    yield begin
    for watch in started:
        if watch.process.poll() is None:
            watch.process.kill()
        watch.process.communicate()


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)


def names(shell: Shell) -> set[str]:
    return {os.path.basename(path) for path in shell.photos()}


@pytest.mark.parametrize("options", [[], ["--poll", "--interval", "0.5"]])
def test_photos_that_come_change_and_go(
    shell: Shell, photos: Path, pictures: Path, start: Callable[..., Watch], options: list[str]
) -> None:
    for path in [*photos.iterdir()][3:]:
        path.unlink()
    watch = start(*options, photos)
    how = "Looking through" if options else "Watching"
    watch.until(f"{how} {photos}")
    watch.until("Done: 3 indexed. The library holds 3 photos.")

    # In a folder that is made now, and in one below it.
    (photos / "new" / "deep").mkdir(parents=True)
    Image.new("RGB", (90, 60), "red").save(photos / "new" / "deep" / "red.png")
    watch.until("1 indexed")
    red = shell.photos()[str(photos / "new" / "deep" / "red.png")]

    # An edited photo, and one that moves and keeps its vector.
    Image.new("RGB", (90, 60), "blue").save(photos / "new" / "deep" / "red.png")
    watch.until("1 indexed")
    blue = shell.photos()[str(photos / "new" / "deep" / "red.png")]
    assert blue != red
    (photos / "new" / "deep" / "red.png").rename(photos / "blue.png")
    watch.until("1 recognised. The library holds 4 photos.")
    assert shell.photos()[str(photos / "blue.png")] == blue

    # A whole folder goes to another name.
    shutil.copyfile(pictures / "rocket.jpg", photos / "new" / "one.jpg")
    watch.until("The library holds 5 photos.")
    (photos / "new").rename(photos / "old")
    watch.until("1 recognised. The library holds 5 photos.")
    assert str(photos / "old" / "one.jpg") in shell.photos()

    (photos / "blue.png").unlink()
    shutil.rmtree(photos / "old")
    until(lambda: len(shell.photos()) == 3)

    # What is hidden or no picture is let be.
    (photos / "@eaDir").mkdir()
    for place in ("._blue.png", ".hidden.png", "@eaDir/blue.png", "notes.txt"):
        shutil.copyfile(pictures / "coins.png", photos / place)
    (photos / "broken.jpg").write_bytes(b"no picture")
    watch.until(f"Skipped {photos / 'broken.jpg'}")
    code, errors = watch.end()
    assert (code, errors) == (0, "")
    assert len(shell.photos()) == 3
    with Catalogue.open(shell.library, readonly=True) as catalogue:
        assert catalogue.folders() == [str(photos)]


def test_a_folder_goes_and_comes_back(
    shell: Shell, photos: Path, pictures: Path, start: Callable[..., Watch]
) -> None:
    shell("index", photos)
    before = shell.photos()
    watch = start()
    watch.until("nothing new")
    photos.rename(photos.with_name("unplugged"))
    watch.until(f"{photos}: not connected; 6 photos hidden, none lost")
    assert shell.photos() == {}
    photos.with_name("unplugged").rename(photos)
    until(lambda: shell.photos() == before)
    # It is watched again.
    Image.new("RGB", (90, 60), "red").save(photos / "red.png")
    watch.until("1 indexed. The library holds 7 photos.")
    assert watch.end(signal.SIGTERM) == (0, "")


def test_links_ignore_files_and_odd_names(
    shell: Shell, photos: Path, tmp_path: Path, pictures: Path, start: Callable[..., Watch]
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (photos / "link").symlink_to(elsewhere)
    (elsewhere / "round").symlink_to(photos)
    by_link = tmp_path / "pictures by link"
    by_link.symlink_to(photos)
    photos = by_link
    watch = start(photos)
    watch.until("6 indexed")
    odd = os.fsdecode(b"100% caf\xe9\n.png")
    shutil.copyfile(pictures / "coins.png", elsewhere / odd)
    watch.until("1 recognised")
    assert str(photos / "link" / odd) in shell.photos()
    # A link that comes later is followed, too.
    other = tmp_path / "other"
    other.mkdir()
    (photos / "later").symlink_to(other)
    time.sleep(1)
    Image.new("RGB", (90, 60), "red").save(other / "red.png")
    watch.until("1 indexed")
    (photos / ".photosearchignore").write_text("coins*\nlater/\n")
    watch.until("2 gone")
    assert names(shell) & {"coins.png", "red.png"} == set()
    (photos / ".photosearchignore").unlink()
    until(lambda: len(shell.photos()) == 8)
    assert watch.end() == (0, "")


def test_another_writer_is_waited_for(
    shell: Shell, photos: Path, start: Callable[..., Watch]
) -> None:
    watch = start(photos)
    watch.until("6 indexed")
    with WriterLock(shell.library).held(wait=True):
        Image.new("RGB", (90, 60), "red").save(photos / "red.png")
        watch.until("Waiting for ")
        assert len(shell.photos()) == 6
    watch.until("1 indexed")
    # Between its runs the library is free.
    with WriterLock(shell.library).held(wait=True):
        pass
    assert watch.end() == (0, "")


def test_nothing_to_watch(shell: Shell, tmp_path: Path) -> None:
    assert "name a FOLDER to watch" in message(shell("watch"), 2)
    assert "no such folder" in message(shell("watch", tmp_path / "nowhere"), 2)
    assert not shell.library.exists()


def test_where_the_system_cannot_tell_folders_are_looked_through(
    shell: Shell, photos: Path
) -> None:
    """As when all inotify watches of the user are taken; the limit is of this process."""
    code = (
        "import errno, sys\n"
        "from watchdog.observers.api import BaseObserver\n"
        "def schedule(*arguments, **options):\n"
        "    raise OSError(errno.ENOSPC, 'inotify watch limit reached')\n"
        "BaseObserver.schedule = schedule\n"
        "from photosearch.cli import main\n"
        "main(['watch', '--interval', '0.5', '--quiet', '0', '--workers', '1', sys.argv[1]])\n"
    )
    command = [*shell.command()[:1], "-c", code, str(photos)]
    shell("index", photos)
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, env=shell.environment, cwd=shell.folder
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline().endswith(b"(inotify watch limit reached)\n")
        assert b"nothing new" in process.stdout.readline()
        (photos / "coins.png").unlink()
        until(lambda: len(shell.photos()) == 5)
    finally:
        process.terminate()
        process.communicate()


MOUNTINFO = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
40 22 0:35 / /mnt/nas\\040of\\040ada rw shared:20 - cifs //nas/photos rw,vers=3.1
41 22 0:36 / /home/ada/Pictures/phone rw - fuse.sshfs phone: rw
42 22 8:17 / /home/ada/Pictures/stick rw - fuseblk /dev/sdb1 rw
43 22 0:40 / /mnt/old rw - nfs4 nas:/old rw
44 22 8:18 / /mnt/old rw - ext4 /dev/sdc1 rw
"""


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        ("/mnt/nas of ada", {"/mnt/nas of ada": "cifs"}),
        ("/mnt/nas of ada/2024", {"/mnt/nas of ada/2024": "cifs"}),
        ("/home/ada/Pictures", {"/home/ada/Pictures/phone": "fuse.sshfs"}),
        ("/home/ada/Pictures/stick", {}),
        ("/mnt/old/2024", {}),
        ("/mnt/nas", {}),
    ],
)
@needs_linux("reads its list of mounts")
def test_network_drives_are_known_by_their_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str, expected: dict[str, str]
) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTINFO)
    monkeypatch.setattr(filesystem, "MOUNTS", mounts)
    assert unwatched(folder, folder) == expected
