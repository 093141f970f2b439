"""`photosearch write-sidecars`: files beside photos, whole or not at all, and never the photos."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import photo_metadata as make
import pytest
from optional import needs_fork, needs_linux
from photo_metadata import bag, exif, jpeg, xmp
from PIL import Image
from shell import REPOSITORY, Shell, message

from photosearch.sidecars.files import Beside, LeftAloneError, sidecar_of, write

pytestmark = pytest.mark.slow

SIDECAR = xmp("<!-- mine -->" + bag("dc:subject", "sea", "Rome"), 'xmp:Rating="2"')


def picture(red: int, **options: object) -> bytes:
    return jpeg(Image.new("RGB", (48, 32), (red, 30, 200)), **options)


def state(folder: Path) -> dict[str, tuple[str, int]]:
    """Of each file its bytes and its time of change."""
    return {
        str(path.relative_to(folder)): (
            hashlib.sha256(path.read_bytes()).hexdigest(),
            path.stat().st_mtime_ns,
        )
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    (folder / "below").mkdir(parents=True)
    make.write(folder / "a.jpg", picture(1))
    make.write(folder / "a.jpg.xmp", SIDECAR)
    # Stars and no keywords of its own.
    make.write(folder / "b.jpg", picture(2, exif=exif({0x4746: 3})))
    make.write(folder / "below" / "c.jpg", picture(3))
    make.write(folder / "below" / "c.xmp", SIDECAR)
    return folder


def test_what_is_written_is_read_again(shell: Shell, photos: Path) -> None:
    shell("index", photos)
    shell("rate", photos / "a.jpg", photos / "b.jpg", "--stars", "5")
    marks = ("--add", "Places|\u00dcbersee", "--remove", "sea")
    shell("tag", photos / "b.jpg", photos / "below" / "c.jpg", *marks)
    before = state(photos)

    dry = shell("write-sidecars", "--all", "--dry-run").stdout.decode().splitlines()
    assert dry == [
        f"{photos / 'a.jpg.xmp'} (changed): 5 stars",
        f"{photos / 'b.jpg.xmp'} (new): 5 stars; "
        "keywords Places, \u00dcbersee, Places|\u00dcbersee",
        f"{photos / 'below' / 'c.xmp'} (changed): "
        "keywords Rome, Places, \u00dcbersee, Places|\u00dcbersee",
        "Would make 1 sidecar and change 2; 0 said so already.",
    ]
    assert state(photos) == before

    done = shell("write-sidecars", photos)
    assert (done.returncode, done.stdout.decode()) == (
        0,
        "Made 1 sidecar, changed 2; 0 said so already.\n",
    )
    after = state(photos)
    made = {"b.jpg.xmp", "a.jpg.xmp~", os.path.join("below", "c.xmp~")}
    assert after.keys() == before.keys() | made
    for name in ("a.jpg", "b.jpg", os.path.join("below", "c.jpg")):
        assert after[name] == before[name]
    assert after["a.jpg.xmp~"] == before["a.jpg.xmp"]
    assert b"<!-- mine -->" in (photos / "a.jpg.xmp").read_bytes()

    told = [json.loads(shell("show", photos / name, "--json").stdout)["metadata"]
            for name in ("a.jpg", "b.jpg", "below/c.jpg")]  # fmt: skip
    shell("index", photos)
    for name, known in zip(("a.jpg", "b.jpg", "below/c.jpg"), told, strict=True):
        shell("rate", photos / name, "--clear")
        shell("tag", photos / name, "--clear")
        again = json.loads(shell("show", photos / name, "--json").stdout)["metadata"]
        assert again["rating"] == known["rating"]
        assert {*again["keywords"]} == {*known["keywords"]}


def test_again_nothing_is_written(shell: Shell, photos: Path) -> None:
    shell("index", photos)
    shell("rate", photos / "a.jpg", "--stars", "5")
    shell("write-sidecars", photos / "a.jpg")
    before = state(photos)
    done = shell("write-sidecars", "--all", "--json")
    (said,) = json.loads(done.stdout)["sidecars"]
    assert (said["action"], said["path"]) == ("same", str(photos / "a.jpg.xmp"))
    assert state(photos) == before
    shell("rate", photos / "a.jpg", "--stars", "4")
    shell("write-sidecars", "--all")
    # What was there before anything was written is kept, and not what was written since.
    assert (photos / "a.jpg.xmp~").read_bytes() == SIDECAR

    done = shell("write-sidecars", photos / "below")
    assert done.stdout == b"None of these photos has a rating or keywords of yours.\n"
    assert "index its folder first" in message(shell("write-sidecars", photos / "none"), 2)


@needs_linux("has links")
def test_what_cannot_be_written_is_told_and_left(shell: Shell, photos: Path) -> None:
    elsewhere = shell.folder / "elsewhere"
    elsewhere.mkdir()
    make.write(elsewhere / "d.jpg", picture(4))
    make.write(elsewhere / "e.xmp", SIDECAR)
    (photos / "out").symlink_to(elsewhere)
    make.write(photos / "e.jpg", picture(5))
    (photos / "e.jpg.xmp").symlink_to(elsewhere / "e.xmp")
    make.write(photos / "f.jpg", picture(6))
    make.write(photos / "f.jpg.xmp", b"<x:xmpmeta")
    shut = photos / "shut"
    shut.mkdir()
    make.write(shut / "g.jpg", picture(7))
    shell("index", photos)
    names = ["a.jpg", "b.jpg", "out/d.jpg", "e.jpg", "f.jpg", "shut/g.jpg"]
    shell("rate", *(photos / name for name in names), "--stars", "5")
    make.write(photos / "b.jpg", picture(8))
    before = state(photos) | state(elsewhere)
    shut.chmod(0o500)
    result = shell.fresh("write-sidecars", "--all")
    shut.chmod(0o700)

    told = message(result, 1)
    for name, reason in (
        ("b.jpg", "its file has changed"),
        ("out/d.jpg", "a link leads out of the folders of the library"),
        ("e.jpg", "e.jpg.xmp is a link, or no file"),
        ("f.jpg", "f.jpg.xmp is damaged"),
        ("shut/g.jpg", "it cannot be written (Permission denied)"),
    ):
        assert f"{photos / name}: {reason}" in told
    assert result.stdout == (
        b"Made 0 sidecars, changed 1; 0 said so already; 5 could not be written.\n"
    )
    after = state(photos) | state(elsewhere)
    assert after.keys() == before.keys() | {"a.jpg.xmp~"}
    assert {name for name in before if after[name] != before[name]} == {"a.jpg.xmp"}


# Which file it is


@pytest.mark.parametrize(
    ("names", "photo", "naming", "expected"),
    [
        (("a.jpg",), "a.jpg", "full", "a.jpg.xmp"),
        (("a.jpg",), "a.jpg", "stem", "a.xmp"),
        (("a.jpg", "a.xmp"), "a.jpg", "full", "a.xmp"),
        (("A.JPG", "a.XMP"), "A.JPG", "full", "a.XMP"),
        (("a.jpg", "a.xmp", "a.jpg.xmp"), "a.jpg", "stem", "a.jpg.xmp"),
        # What describes a RAW describes the JPEG that it belongs to.
        (("a.jpg", "a.cr2", "a.xmp"), "a.jpg", "full", "a.xmp"),
        (("a.jpg", "a.cr2", "a.cr2.xmp"), "a.jpg", "full", "a.cr2.xmp"),
        # And what describes two pictures is left alone.
        (("a.jpg", "a.png", "a.xmp"), "a.jpg", "full", "a.jpg.xmp"),
        (("a.jpg", "a.png", "a.xmp"), "a.jpg", "stem", None),
        (("a.jpg", "a.png"), "a.jpg", "stem", None),
        (("b.jpg",), "a.jpg", "full", None),
    ],
)
def test_which_sidecar(
    tmp_path: Path, names: tuple[str, ...], photo: str, naming: str, expected: str | None
) -> None:
    for name in names:
        (tmp_path / name).write_bytes(b"")
    if expected is None:
        with pytest.raises(LeftAloneError):
            sidecar_of(str(tmp_path / photo), naming, [str(tmp_path)])  # type: ignore[arg-type]
    else:
        found = sidecar_of(str(tmp_path / photo), naming, [str(tmp_path)])  # type: ignore[arg-type]
        assert found.path == str(tmp_path / expected)
        assert found.content == (b"" if expected in names else None)


# One step


def test_what_another_program_wrote_meanwhile_stays(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg.xmp"
    path.write_bytes(b"theirs")
    for content in (b"before", None):
        with pytest.raises(LeftAloneError, match="meanwhile"):
            write(Beside(str(path), content), b"ours")
        assert path.read_bytes() == b"theirs"
    assert {*os.listdir(tmp_path)} <= {"a.jpg.xmp", "a.jpg.xmp~"}


# Of what is done with files each step is the last one, in a process of its own.
KILLED = """
import os, signal, sys
from photosearch.sidecars.files import Beside, write
path, before = sys.argv[1], b"before" * 999
def stepping(name, last):
    done = getattr(os, name)
    def step(*given, **options):
        global steps
        steps += 1
        if steps == last:
            os.kill(os.getpid(), signal.SIGKILL)
        return done(*given, **options)
    setattr(os, name, step)
for old in (before, None):
    for last in range(1, 30):
        for name in (path, path + "~"):
            if os.path.exists(name):
                os.unlink(name)
        if old:
            open(path, "wb").write(old)
        child = os.fork()
        if not child:
            steps = 0
            for name in ("open", "fsync", "link", "replace", "unlink", "close"):
                stepping(name, last)
            write(Beside(path, old), b"after" * 999)
            os._exit(0)
        killed = os.waitpid(child, 0)[1]
        now = open(path, "rb").read() if os.path.exists(path) else None
        assert now in (old, b"after" * 999), (last, now)
        kept = open(path + "~", "rb").read() if os.path.exists(path + "~") else before
        assert kept == before
        if not killed:
            print(last, now == b"after" * 999, os.listdir(os.path.dirname(path)))
            break
"""


def test_what_a_killed_run_left_goes_with_the_next(shell: Shell, photos: Path) -> None:
    shell("index", photos)
    shell("rate", photos / "a.jpg", photos / "b.jpg", "--stars", "5")
    assert shell("write-sidecars", "--all").returncode == 0
    before = state(photos)
    # Killed between the two names of one, and in the middle of another.
    half = photos / ".photosearch-0123456789abcdef.xmp.part"
    os.link(photos / "b.jpg.xmp", photos / ".photosearch-00000000000000aa.xmp.part")
    half.write_bytes(b"<half")
    assert shell("write-sidecars", "--all", "--dry-run").returncode == 0
    assert half.exists()
    # What has a user's name stays, and what lies where nothing is written.
    mine = (".b.jpg.xmp.part", ".photosearch-mine.xmp.part", ".photosearch-0123456789abcdef.part")
    for path in (*mine, "below/.photosearch-0123456789abcdef.xmp.part"):
        (photos / path).write_text("mine")
    assert shell("write-sidecars", "--all").returncode == 0
    left = {path.name for path in photos.iterdir() if path.name.startswith(".")}
    assert left == set(mine)
    assert (photos / "below" / ".photosearch-0123456789abcdef.xmp.part").exists()
    after = state(photos)
    assert {name: after[name] for name in before} == before


@needs_fork
def test_a_kill_leaves_the_old_one_or_the_new_one(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED, tmp_path / "a.jpg.xmp"],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    assert int(first.split()[0]) > 5
    # What was half written is used up.
    assert "True" in first
    assert ".part" not in first
    assert second.endswith("True ['a.jpg.xmp']")


# As on a full disk: the write fails in the middle.
WITHOUT_ROOM = """
import resource, signal, sys
from photosearch.sidecars.files import Beside, LeftAloneError, write
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
for content in (b"before", None):
    try:
        write(Beside(sys.argv[1] + ("" if content else ".new"), content), b"after" * 999)
    except LeftAloneError as error:
        print(error)
"""


@needs_linux("fills disks its way")
def test_without_room_nothing_is_changed(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg.xmp"
    path.write_bytes(b"before")
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_ROOM, path],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        timeout=60,
    )
    assert done.stdout == "it cannot be written (File too large)\n" * 2, done.stderr
    assert path.read_bytes() == b"before"
    assert os.listdir(tmp_path) == ["a.jpg.xmp"]
