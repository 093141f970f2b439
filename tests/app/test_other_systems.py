"""What only shows on Windows or macOS, in those parts that can be tried on any system."""

from __future__ import annotations

import errno
import struct
import subprocess
import sys
import unicodedata
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest
from optional import needs_fork
from PIL import Image

from index.safety.filesystem import _root_on_windows
from photosearch import capacity, thumbnail_files
from photosearch.commands import ending
from photosearch.desktop.instance import Instance
from photosearch.encoders import Bundle
from photosearch.encoders.preprocess import Preprocess
from photosearch.errors import LibraryError
from photosearch.indexing import workers
from photosearch.indexing.decode import Decoded
from photosearch.indexing.workers import DecodeWorkers
from photosearch.library import models
from photosearch.portable import mapping
from photosearch.portable.mapping import PathMap
from photosearch.portable.names import portable_name
from photosearch.sharing.naming import Names
from photosearch.ui import folders, reveal
from photosearch.watching import notices

NFD = unicodedata.normalize("NFD", "Été")


class TestNamesInsideZipFiles:
    @pytest.mark.parametrize(
        "name", ["IMG_2041.jpg", "Été à Rome.heic", "a & b (2).png", ".hidden.jpg", "consul.jpg"]
    )
    def test_stay_where_every_system_takes_them(self, name: str) -> None:
        assert portable_name(name) == name

    @pytest.mark.parametrize(
        ("name", "portable"),
        [
            ("12:30.jpg", "12_30.jpg"),
            (r"..\..\start.jpg", ".._.._start.jpg"),
            ('who? "me" <*>|.png', "who_ _me_ ____.png"),
            ("line\nbreak.jpg", "line_break.jpg"),
            ("aux.jpg", "aux_.jpg"),
            ("COM1", "COM1_"),
            ("nul .jpg", "nul_ .jpg"),
            ("conin$.jpg", "conin$_.jpg"),
            ("dots...", "dots___"),
            ("blank ", "blank_"),
        ],
    )
    def test_lose_what_windows_refuses(self, name: str, portable: str) -> None:
        assert portable_name(name) == portable
        assert PureWindowsPath(portable).name == portable
        assert PureWindowsPath(portable).drive == ""

    def test_are_told_apart_on_disks_that_tell_less_apart(self) -> None:
        taken = Names()
        names = [taken.free(name) for name in ("a.jpg", "A.jpg", f"{NFD}.jpg", "été.jpg")]
        assert names == ["a.jpg", "A (2).jpg", f"{NFD}.jpg", "été (2).jpg"]


class TestMaps:
    def test_of_shares(self) -> None:
        paths = [r"\\nas\photos\2023\a.jpg", r"\\nas\photos2\b.jpg"]
        chosen = PathMap.parse([r"\\NAS\Photos=/mnt/nas"], paths, "\\")
        assert [chosen(path) for path in paths] == ["/mnt/nas/2023/a.jpg", paths[1]]

    def test_of_windows_written_with_slashes(self) -> None:
        paths = [r"C:\Users\Ada\a.jpg"]
        assert PathMap.parse(["C:/Users/Ada=/home/ada"], paths, "\\")(paths[0]) == "/home/ada/a.jpg"

    def test_of_macos_whose_accents_are_letters_of_their_own(self) -> None:
        paths = [f"/Users/ada/{NFD}/{NFD}.jpg"]
        chosen = PathMap.parse(["/Users/ada/Été=/home/ada/ete"], paths, "/")
        assert chosen(paths[0]) == f"/home/ada/ete/{NFD}.jpg"
        assert chosen(f"/Users/ada/{NFD}s/a.jpg") == f"/Users/ada/{NFD}s/a.jpg"

    def test_keep_a_folder_that_is_called_like_a_drive(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(mapping.os, "sep", "\\")
        chosen = PathMap([("/photos", r"D:\Photos"), ("/", "E:\\")], "/")
        assert chosen("/photos/C:/a.jpg") == r"D:\Photos\C:\a.jpg"
        assert PureWindowsPath(chosen("/other/a.jpg")) == PureWindowsPath("E:/other/a.jpg")
        assert chosen("/photos") == r"D:\Photos"


@pytest.mark.parametrize(
    ("path", "root"),
    [
        (r"C:\Users\Ada", "C:\\"),
        ("D:\\", "D:\\"),
        (r"\\nas\photos\2023", "\\\\nas\\photos\\"),
        (r"\\?\C:\a\long\path", "C:\\"),
        (r"\\?\UNC\nas\photos\a", "\\\\nas\\photos\\"),
    ],
)
def test_the_drive_or_share_of_a_path(path: str, root: str) -> None:
    assert _root_on_windows(path) == root


def test_what_windows_tells_of_its_memory() -> None:
    told = struct.pack("=IIQQ", 64, 37, 32 << 30, 20 << 30).ljust(64, b"\0")
    assert capacity._told_by_windows(told) == 32 << 30
    assert capacity._told_by_windows(bytes(64)) == capacity._ASSUMED


def test_explorer_marks_names_with_blanks_and_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reveal.sys, "platform", "win32")
    ran: list[object] = []
    monkeypatch.setattr(reveal.shutil, "which", lambda name: name)
    monkeypatch.setattr(
        reveal.subprocess,
        "run",
        lambda command, **_: ran.append(command) or subprocess.CompletedProcess(command, 1),
    )
    reveal.reveal(r"C:\My photos\Rome, 2023.jpg")
    assert ran == [r'explorer /select,"C:\My photos\Rome, 2023.jpg"']


def test_all_drives_of_windows_are_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders.sys, "platform", "win32")
    drives = [PureWindowsPath(str(place)) for place in folders._drives("ada")]
    assert PureWindowsPath("D:/") in drives
    assert all(place.root and place.drive for place in drives)
    monkeypatch.setattr(folders.sys, "platform", "darwin")
    assert PurePosixPath("/Volumes") in [PurePosixPath(place) for place in folders._drives("ada")]


def test_a_model_is_named_by_a_path_with_either_slash(monkeypatch: pytest.MonkeyPatch) -> None:
    assert models.folder_of("ViT-B-32") is None
    assert models.folder_of("bundles/mine") == Path("bundles/mine")
    monkeypatch.setattr(models.os, "sep", "\\")
    assert models.folder_of("bundles/mine") is None
    monkeypatch.setattr(models.os, "altsep", "/")
    assert models.folder_of("bundles/mine") == Path("bundles/mine")


def test_what_asks_a_command_to_end_is_there() -> None:
    names = {number.name for number in ending._ASKING}
    assert {"SIGINT", "SIGTERM"} <= names
    assert ("SIGBREAK" in names) == (sys.platform == "win32")


@pytest.mark.slow
@pytest.mark.timeout(120)  # where it fails, it waits for ever
def test_pipes_of_windows_are_of_another_class(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, colours: Path
) -> None:
    """What Windows connects processes with is no `Connection`; files are decoded all the same."""
    monkeypatch.setattr(workers, "Connection", PurePosixPath)
    Image.new("RGB", (40, 30)).save(tmp_path / "a.png")
    preprocess = Preprocess(Bundle.open(colours).image)
    with DecodeWorkers(preprocess, 1) as pool:
        found = [one for one in pool.decode([str(tmp_path / "a.png")]) if one is not None]
    assert [isinstance(one.outcome, Decoded) for one in found] == [True]


@pytest.mark.parametrize(
    ("place", "expected"),
    [("/", "/photos"), ("/a", "/photos/a"), ("/a/b", "/photos/a/b")],
)
def test_a_watched_link_to_a_whole_drive(place: str, expected: str) -> None:
    assert notices._as_watched("/photos", "/", place) == expected
    if place != "/":
        assert notices._as_watched("/photos", "/drive", f"/drive{place}") == expected


@needs_fork
def test_the_lock_of_a_window_is_one_that_the_system_frees(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file in its place would keep the window from opening after a crash."""

    def unknown(*_: object) -> None:
        raise OSError(errno.ENOSYS, "no locks here")

    monkeypatch.setattr("fcntl.flock", unknown)
    with pytest.raises(LibraryError, match="cannot be used as a library folder"):
        Instance(tmp_path).take()


def test_a_thumbnail_that_cannot_be_replaced_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(source: str, target: Path) -> None:
        raise PermissionError(13, "is open", str(target))

    monkeypatch.setattr("os.replace", refused)
    thumbnail_files.keep(tmp_path, bytes(32), b"small")
    assert thumbnail_files.place_of(tmp_path, bytes(32)).parent.is_dir()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_no_library_is_made_for_a_thumbnail(tmp_path: Path) -> None:
    thumbnail_files.keep(tmp_path / "gone", bytes(32), b"small")
    assert list(tmp_path.iterdir()) == []


# Modules that Windows has not.
POSIX = ["fcntl", "grp", "pty", "pwd", "readline", "resource", "termios"]


@pytest.mark.slow
def test_nothing_of_posix_is_needed_to_import_the_program() -> None:
    program = (
        "import pkgutil, sys, importlib\n"
        f"sys.modules.update(dict.fromkeys({POSIX}))\n"
        "import index, photosearch.commands, photosearch.indexing, photosearch.portable\n"
        "import photosearch.watching, photosearch.doctor, photosearch.bench, photosearch.desktop\n"
        "for package in (index, photosearch.commands, photosearch.indexing, photosearch.portable,\n"
        "                photosearch.watching, photosearch.doctor, photosearch.bench,\n"
        "                photosearch.desktop):\n"
        "    for found in pkgutil.walk_packages(package.__path__, package.__name__ + '.'):\n"
        "        importlib.import_module(found.name)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
