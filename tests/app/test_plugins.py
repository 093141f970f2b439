"""What other packages add: the example that comes along, installed by pip, and broken ones."""

from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from forked import Forked
from manifest import bundle_fields
from optional import needs
from PIL import Image
from shell import REPOSITORY, Shell, message
from test_api import Served

from photosearch.api.app import create_app
from photosearch.commands.search import command as search_command
from photosearch.encoders import Bundle, write_manifest
from photosearch.formats import _DESCRIPTIONS
from photosearch.indexing.scan import _DESCRIBE
from photosearch.search.filters import FILTERS, Filters
from photosearch.search.filters.plugged import RESERVED
from photosearch.serving.library_thread import LibraryThread
from photosearch.words.language import RESERVED as NO_LANGUAGES

SUNDAY, MONDAY = "IMG_20240602_120000", "IMG_20240603_120000"


def farbfeld(width: int = 48, height: int = 32, colour: tuple[int, ...] = (65535, 0, 0)) -> bytes:
    pixels = np.full((height, width, 4), (*colour, 65535), ">u2")
    return b"farbfeld" + struct.pack(">II", width, height) + pixels.tobytes()


def package(place: Path, name: str, code: str, **groups: str) -> None:
    """Put a package of one module into `place`, as pip does; `groups` are its entry points."""
    place.mkdir(parents=True, exist_ok=True)
    (place / f"{name}.py").write_text(code, encoding="utf-8")
    info = place / f"{name}-0.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.1\n\nText\n")
    entries = "\n".join(f"[photosearch.{kind}]\n{lines}\n" for kind, lines in groups.items())
    (info / "entry_points.txt").write_text(f"[console_scripts]\nx = y:z\n\n{entries}")


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the example is installed in."""
    folder = tmp_path_factory.mktemp("example")
    # Building leaves files beside the sources.
    source = shutil.copytree(REPOSITORY / "examples" / "plugin", folder / "source")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-build-isolation"]
    command += ["--no-deps", "--no-index", "--disable-pip-version-check", "--target"]
    done = subprocess.run([*command, folder / "there", source], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder / "there"


class PluggedShell(Shell):
    """The command line where packages are installed in some more folders."""

    # A process with these packages in which all commands are imported.
    forked: Forked | None = None

    def __init__(self, folder: Path, bundle: Path, *places: Path) -> None:
        folder.mkdir(exist_ok=True)
        super().__init__(folder, bundle)
        self.environment["PYTHONPATH"] = os.pathsep.join(map(str, (REPOSITORY, *places)))

    def __call__(self, *arguments: Any, **environment: str) -> subprocess.CompletedProcess[bytes]:
        if self.forked is None or environment:
            return self.fresh(*arguments, **environment)
        return self.forked.run(arguments, self.folder, self.environment)

    def found(self, *arguments: str) -> list[str]:
        """The names of the photos that a search finds."""
        done = self("search", "-0", *arguments)
        assert done.returncode == 0, done.stderr
        return sorted(Path(path.decode()).name for path in done.stdout.split(b"\0") if path)

    def plugins(self, **environment: str) -> dict[str, Any]:
        done = self("plugins", "--json", **environment)
        assert done.returncode == 0, done.stderr
        assert not done.stderr
        told: dict[str, Any] = json.loads(done.stdout)
        return told

    def run(self, code: str) -> str:
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", code],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def there(
    tmp_path_factory: pytest.TempPathFactory, tiny_bundle: Path, example: Path
) -> Iterator[PluggedShell]:
    """A library of two farbfeld pictures, a JPEG, and a farbfeld picture that is cut short."""
    folder = tmp_path_factory.mktemp("plugged")
    photos = folder / "photos"
    photos.mkdir()
    (photos / f"{SUNDAY}.ff").write_bytes(farbfeld())
    (photos / f"{MONDAY}.FF").write_bytes(farbfeld(32, 48, (0, 65535, 0)))
    (photos / "cut.ff").write_bytes(farbfeld()[:-1])
    Image.new("RGB", (40, 40), "blue").save(photos / "IMG_20240604_120000.jpg")
    shell = PluggedShell(folder, tiny_bundle, example)
    done = shell("index", "--workers", "1", photos)
    assert done.returncode == 0, done.stderr
    if sys.platform != "linux":
        yield shell
        return
    shell.forked = Forked(shell.environment)
    yield shell
    shell.forked.close()


needs_setuptools = needs(find_spec("setuptools"), "setuptools: pip install setuptools")


@pytest.mark.slow
@needs_setuptools
def test_its_pictures_are_found(there: PluggedShell) -> None:
    assert there.found("type:farbfeld") == [f"{SUNDAY}.ff", f"{MONDAY}.FF"]
    assert there.found("type:.ff is:portrait") == [f"{MONDAY}.FF"]
    told = there("status", "--problems").stdout.decode()
    assert "cut.ff: is cut short" in told
    shown = json.loads(there("show", "--json", there.folder / "photos" / f"{SUNDAY}.ff").stdout)
    assert (shown["width"], shown["height"], shown["format"]) == (48, 32, "FARBFELD")
    # As a picture to search for, it is read in the same process.
    similar = there("similar", "-0", there.folder / "photos" / f"{SUNDAY}.ff")
    assert similar.returncode == 0
    assert len(similar.stdout.split(b"\0")) == 3


@pytest.mark.slow
@needs_setuptools
def test_its_filter_is_one_in_the_box_and_of_the_command_line(there: PluggedShell) -> None:
    assert there.found("weekday:sunday") == [f"{SUNDAY}.ff"]
    assert there.found("--weekday", "monday", "--", "-weekday:sunday") == [f"{MONDAY}.FF"]
    assert there.found("weekday:sunday weekday:monday") == [f"{SUNDAY}.ff", f"{MONDAY}.FF"]
    told = " ".join(there("search", "--help").stdout.decode().split())
    assert "Only photos taken on this day of the week. May be repeated." in told
    assert "there are monday," in message(there("search", "weekday:someday"), 2)
    assert "did you mean weekday:" in message(there("search", "weekdy:sunday"), 2)


@pytest.mark.slow
@needs_setuptools
def test_http_mcp_and_python_know_its_filter(
    there: PluggedShell, tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", there.environment["PYTHONPATH"])
    served = Served(there.library, tiny_bundle)
    try:
        by_name, by_text = (
            served.client.get("/v1/search", params=asked).json()
            for asked in ({"weekday": "sunday"}, {"q": "weekday:sunday"})
        )
        described = served.client.get("/openapi.json").json()["paths"]["/v1/search"]["get"]
    finally:
        served.stop()
    assert by_name["total"] == 1
    assert by_name["hits"] == by_text["hits"]
    (parameter,) = (each for each in described["parameters"] if each["name"] == "weekday")
    assert parameter["description"] == "Only photos taken on this day of the week."
    there.run(
        "import photosearch_example.adds\n"  # before photosearch asks for it
        "from photosearch import Filters, Library\n"
        "from photosearch.api.tools import _examples\n"
        "assert 'weekday:sunday' in _examples()\n"
        "with Library.open(readonly=True) as library:\n"
        "    (hit,) = library.search(filters=Filters(weekday='monday'))\n"
    )


@pytest.mark.slow
@needs_setuptools
def test_its_language_is_read(there: PluggedShell) -> None:
    said = there("search", "--all", "eo:hundo").stderr.decode()
    assert '"hundo" taken as "dog"' in said
    said = there("search", "--all", "--locale", "eo", "ruĝaj floroj").stderr.decode()
    assert '"ruĝaj floroj" taken as "red flower"' in said


@pytest.mark.slow
@needs_setuptools
def test_all_is_listed(there: PluggedShell) -> None:
    told = there.plugins()
    assert not told["switched_off"]
    assert {(one["package"], one["version"], one["problem"]) for one in told["plugins"]} == {
        ("photosearch-example", "1.0", "")
    }
    assert [one["adds"] for one in told["plugins"]] == [
        "format farbfeld (.ff)",
        "filter weekday: (weekday:sunday)",
        "language eo (latin)",
    ]
    examined = there("doctor").stdout.decode()
    assert "OK     plugin: photosearch-example 1.0 adds the format farbfeld (.ff)." in examined


@pytest.mark.slow
@needs_setuptools
def test_all_are_switched_off_by_the_environment(there: PluggedShell) -> None:
    off = {"PHOTOSEARCH_PLUGINS": "0"}
    told = there.plugins(**off)
    assert told["switched_off"]
    assert all(one["problem"] and not one["adds"] for one in told["plugins"])
    assert "switched off by PHOTOSEARCH_PLUGINS" in there("plugins", **off).stdout.decode()
    assert 'no filter "weekday:"' in message(there("search", "weekday:sunday", **off), 2)
    assert b"weekday" not in there("search", "--help", **off).stdout
    photo = there.folder / "photos" / f"{SUNDAY}.ff"
    other = {**off, "PHOTOSEARCH_LIBRARY": str(there.folder / "other")}
    assert "neither a folder nor a picture" in message(there("index", photo, **other), 2)


BROKEN = """
from pathlib import Path
from dataclasses import replace
from photosearch.plugins import *
from index.catalogue.conditions import Rated

def format(**changes):
    parts = dict(name="own", suffixes=frozenset({".own"}), recorded=("OWN",),
                 begins=lambda head, suffix: True, reader=__name__)
    return Format(**parts | changes)

TAKEN_NAME = format(name="png")
TAKEN_RECORD = format(recorded=("JPEG",))
TAKEN_SUFFIX = format(suffixes=frozenset({".jpg"}))
TAKEN_SIDECAR = format(suffixes=frozenset({".xmp"}))
CAPITAL = format(suffixes=frozenset({".OWN"}))
NO_BEGINNING = format(begins=None)
NO_SUFFIXES = format(suffixes=None)

def filter(**changes):
    parts = dict(name="own", read=lambda value, world: Rated(1, 5), metavar="X",
                 help=Help("A.", "B."), examples=("own:1",), guide=(Row(("own:1",), "x"),),
                 arguments=(Argument("own", "Texts"),))
    return Filter(**parts | changes)

CAMERA = filter(name="camera")
ALIAS = filter(aliases=("lens",))
LANGUAGE = filter(name="de")
OPTION = filter(name="sort")
ARGUMENT = filter(arguments=(Argument("limit", "Texts"),))
WORD = filter(name="own-er")
NO_HELP = filter(help="A.")
NO_ARGUMENTS = filter(arguments=())
LIST = filter(examples=["own:1"])

GERMAN = WordList(code="de", path=Path(__file__))
IN = WordList(code="in", path=Path(__file__))
NOT_THERE = WordList(code="eo", path=Path("/nowhere/words.txt"))
KOREAN = WordList(code="xx", path=Path(__file__), script="Hangul")
NUMBER = 5
NO_BUNDLE = Path(__file__).parent
"""
REASONS = {
    "formats": {
        "nothing": ("broken:NOTHING", "broken:NOTHING cannot be imported (AttributeError: "),
        "number": ("broken:NUMBER", "broken:NUMBER is no Format"),
        "written": ("broken-NUMBER", "'broken-NUMBER' is not written as MODULE:NAME"),
        "name": ("broken:TAKEN_NAME", "the name png is taken"),
        "record": ("broken:TAKEN_RECORD", "the recorded name JPEG is taken"),
        "suffix": ("broken:TAKEN_SUFFIX", "the suffix .jpg is taken"),
        "sidecar": ("broken:TAKEN_SIDECAR", "the suffix .xmp is taken"),
        "capital": ("broken:CAPITAL", "its suffixes have to be small"),
        "beginning": ("broken:NO_BEGINNING", "it needs `begins`"),
        "none": ("broken:NO_SUFFIXES", "its suffixes have to be small"),
    },
    "filters": {
        "module": ("nowhere:X", "nowhere:X cannot be imported (ModuleNotFoundError: No module"),
        "exit": ("ending:X", "ending:X cannot be imported (SystemExit: 7)"),
        "number": ("broken:NUMBER", "broken:NUMBER is no Filter"),
        "camera": ("broken:CAMERA", "the name camera is taken"),
        "alias": ("broken:ALIAS", "the name lens is taken"),
        "language": ("broken:LANGUAGE", "the name de is taken"),
        "option": ("broken:OPTION", "the name sort is taken"),
        "argument": ("broken:ARGUMENT", "the argument limit is taken"),
        "word": ("broken:WORD", "its names may have small letters only"),
        "help": ("broken:NO_HELP", "`help` has to be a Help"),
        "arguments": ("broken:NO_ARGUMENTS", "it needs an argument"),
        "list": ("broken:LIST", "`examples` has to be a tuple of str"),
    },
    "languages": {
        "number": ("broken:NUMBER", "broken:NUMBER is no WordList"),
        "german": ("broken:GERMAN", "the code de is taken"),
        "in": ("broken:IN", "the code in is taken"),
        "there": ("broken:NOT_THERE", "/nowhere/words.txt is not there"),
        "korean": ("broken:KOREAN", "another language is written in the script hangul"),
    },
    "models": {
        "number": ("broken:NUMBER", "broken:NUMBER is not the path of a folder"),
        "bundle": ("broken:NO_BUNDLE", "bundle.json"),
    },
}


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    place = tmp_path / "broken packages"
    groups = {
        kind: "\n".join(f"{name} = {value}" for name, (value, _) in entries.items())
        for kind, entries in REASONS.items()
    }
    package(place, "broken", BROKEN, **groups)
    (place / "ending.py").write_text("import sys; sys.exit(7)")
    return place


@pytest.mark.slow
@needs_setuptools
def test_what_is_broken_costs_only_itself(
    tmp_path: Path, tiny_bundle: Path, there: PluggedShell, example: Path, broken: Path
) -> None:
    shell = PluggedShell(tmp_path / "home", tiny_bundle, broken, example)
    shutil.copytree(there.library, shell.library)
    told = shell.plugins()["plugins"]
    assert [one["adds"] for one in told if one["package"] == "photosearch-example"] == [
        "format farbfeld (.ff)",
        "filter weekday: (weekday:sunday)",
        "language eo (latin)",
    ]
    reasons = {
        (one["kind"], one["name"]): one["problem"] for one in told if one["package"] == "broken"
    }
    expected = {(kind, name) for kind, entries in REASONS.items() for name in entries}
    assert reasons.keys() == expected
    for kind, entries in REASONS.items():
        for name, (_, reason) in entries.items():
            assert reason in reasons[kind, name], (kind, name)

    # What concerns a search is told once, by one.
    done = shell("search", "-0", "weekday:sunday type:farbfeld")
    assert done.returncode == 0
    assert done.stdout.endswith(f"{SUNDAY}.ff\0".encode())
    lines = done.stderr.decode().splitlines()
    asked = {key for key in expected if key[0] != "models"}
    assert len(set(lines)) == len(lines) == len(asked)
    said = "broken 0.1: its filter camera is not used: the name camera is taken."
    assert f"{said} See `photosearch plugins`." in lines
    assert not shell("models", "use", "--help").stderr
    assert not shell("status", PHOTOSEARCH_PLUGINS="off").stderr

    examined = shell("doctor")
    assert examined.returncode == 0, examined.stdout
    assert f"NOTE   plugin: {said}" in examined.stdout.decode()
    assert not examined.stderr


RAISING = """
from pathlib import Path
from photosearch.plugins import *
from index.catalogue.conditions import Chosen, Rated
from index.catalogue.conditions import Simple

def format(name, begins, reader=__name__):
    return Format(name=name, suffixes=frozenset({"." + name}), recorded=(name.upper(),),
                  begins=begins, reader=reader)

def fails(*_):
    raise KeyError("no\\nluck")

BEGINS = format("begins", fails)
READER = format("reader", lambda head, suffix: True)
UNINSTALLED = format("uninstalled", lambda head, suffix: True, "nowhere_at_all")
NOTHING = format("nothing", lambda head, suffix: True, "gives_nothing")

def picture(asked):
    fails()

class Sql(Simple):
    def query(self, connection):
        return "SELECT id FROM photos", []

def filter(name, read):
    return Filter(name=name, read=read, metavar="X", help=Help("A.", "B."),
                  examples=(f"{name}:1",), guide=(), arguments=(Argument(name, "Texts"),))

READ = filter("reading", fails)
SQL = filter("sql", lambda value, world: Sql())
NONE = filter("none", lambda value, world: None)
HOLDS = filter("holding", lambda value, world: Chosen("x", fails))

WORDS = WordList(code="xx", path=Path(__file__))
"""


@pytest.fixture
def raising(tmp_path: Path) -> Path:
    place = tmp_path / "raising packages"
    names = {
        "formats": ("BEGINS", "READER", "UNINSTALLED", "NOTHING"),
        "filters": ("READ", "SQL", "NONE", "HOLDS"),
        "languages": ("WORDS",),
    }
    package(
        place,
        "raising",
        RAISING,
        **{kind: "\n".join(f"{n.lower()} = raising:{n}" for n in ns) for kind, ns in names.items()},
    )
    (place / "gives_nothing.py").write_text("def picture(asked): return None")
    return place


@pytest.mark.slow
def test_what_fails_when_it_is_called_costs_only_itself(
    tmp_path: Path, tiny_bundle: Path, raising: Path
) -> None:
    shell = PluggedShell(tmp_path / "home", tiny_bundle, raising)
    photos = tmp_path / "photos"
    photos.mkdir()
    for name in ("begins", "reader", "uninstalled", "nothing"):
        (photos / f"{name}.{name}").write_bytes(b"some bytes")
    Image.new("RGB", (40, 40), "blue").save(photos / "blue.jpg")
    done = shell("index", "--workers", "1", photos)
    assert done.returncode == 0, done.stderr
    assert shell.found("type:jpeg") == ["blue.jpg"]
    problems = {
        Path(one["path"]).name: one["reason"]
        for one in json.loads(shell("status", "--json").stdout)["problems"]
    }
    failed = "cannot be read by the plugin for {} (KeyError: 'no\\nluck')"
    assert problems == {
        "begins.begins": failed.format("begins"),
        "reader.reader": failed.format("reader"),
        "uninstalled.uninstalled": "cannot be read by the plugin for uninstalled "
        "(ModuleNotFoundError: No module named 'nowhere_at_all')",
        "nothing.nothing": "cannot be read by the plugin for nothing "
        "(TypeError: it gave no Picture)",
    }
    for asked, reason in (
        ("reading:1", "raising 0.1, which brings this filter, failed (KeyError: 'no\\nluck')"),
        ("sql:1", "made no condition of index.catalogue.conditions"),
        ("none:1", "made no condition of index.catalogue.conditions"),
        ("holding:1", "holding: raising 0.1, which brings this filter, failed (KeyError"),
    ):
        assert reason in message(shell("search", asked), 2)
    said = shell("search", "--all", "xx:hundo").stderr.decode()
    assert said.count("raising 0.1: its language words is not used: ") == 1
    assert "has no colon" in said


@pytest.mark.slow
def test_a_language_with_letters_of_its_own(tmp_path: Path, tiny_bundle: Path) -> None:
    place = tmp_path / "packages"
    code = (
        "from pathlib import Path\nfrom photosearch.plugins import WordList\n"
        "HEBREW = WordList(code='he', script='hebrew', path=Path(__file__).with_suffix('.txt'))\n"
        "BULGARIAN = WordList(code='bg', script='cyrillic', path=HEBREW.path)\n"
    )
    package(place, "more", code, languages="he = more:HEBREW\nbg = more:BULGARIAN")
    (place / "more.txt").write_text("[words]\ndog: כלב куче\n", encoding="utf-8")
    shell = PluggedShell(tmp_path / "home", tiny_bundle, place)
    read = (
        "from photosearch.words.gloss import gloss\n"
        "from photosearch.words.tokens import unknown_script\n"
        "for text in ('כלב', 'куче', 'собака'):\n"
        "    print(gloss(text).language, gloss(text).texts[0][0], unknown_script(text))\n"
        "print(gloss('куче', 'bg').language)\n"
    )
    assert shell.run(read).splitlines() == ["he dog ", "bg dog ", "ru dog ", "bg"]


@pytest.mark.slow
def test_a_model_that_comes_in_a_package(
    tmp_path: Path, tiny_bundle: Path, bundle_copy: Path, pictures: Path
) -> None:
    place = tmp_path / "packages"
    fields = bundle_fields(size=64, context=16, dim=32, name="packed", provenance={"weights": "x"})
    write_manifest(bundle_copy, fields)
    code = "from pathlib import Path\nFOLDER = Path(__file__).with_name('packed')\n"
    package(place, "packing", code, models="packed = packing:FOLDER\nagain = packing:FOLDER")
    bundle = Bundle.open(bundle_copy.rename(place / "packed"))
    shell = PluggedShell(tmp_path / "home", tiny_bundle, place)
    del shell.environment["PHOTOSEARCH_MODEL"]

    def kinds() -> dict[str, str]:
        listed = json.loads(shell("models", "list", "--json").stdout)["models"]
        return {one["name"]: one["kind"] for one in listed}

    assert [one["problem"] for one in shell.plugins()["plugins"]] == [
        "",
        "the name packed is taken",
    ]
    assert kinds()["packed"] == "packaged"
    assert "goes when you uninstall that" in message(shell("models", "rm", "packed"), 2)
    assert shell("models", "use", "packed").returncode == 0
    assert kinds()["packed"] == "installed"
    assert shell("index", "--workers", "1", pictures / "rocket.jpg").returncode == 0
    # The library has a copy of its own.
    shutil.rmtree(place)
    status = json.loads(shell("status", "--json").stdout)
    assert (status["model"], status["encoded"]) == (bundle.id, 1)
    assert shell.found("--all", "a rocket") == ["rocket.jpg"]


def test_packages_are_found_where_python_finds_them(tmp_path: Path, tiny_bundle: Path) -> None:
    first, second, here = (tmp_path / name for name in ("first", "second", "here"))
    for place, adds in ((first, "a"), (second, "b"), (here, "c")):
        package(place, "Same_Name", "", formats=f"{adds} = same:X")
    package(here, "other", "", formats="other = other:X")
    (second / "plain-1.dist-info").mkdir()
    (second / "file.dist-info").write_text("")
    shell = PluggedShell(tmp_path / "here", tiny_bundle, first, second)
    read = (
        "import sys; sys.path.insert(0, '')\n"
        "from photosearch.plugins.announced import announced\n"
        "print([(one.name, one.package, one.version) for one in announced()])\n"
        "assert 'importlib.metadata' not in sys.modules\n"
    )
    # The folder in which one stands may be one of photos from anywhere.
    assert shell.run(read) == "[('a', 'Same_Name', '0.1')]\n"


@pytest.fixture
def desk(tmp_path: Path, tiny_bundle: Path) -> Iterator[LibraryThread]:
    desk = LibraryThread(tmp_path / "library", tiny_bundle)
    yield desk
    desk.close()


def test_names_that_mean_something_else_are_reserved(desk: LibraryThread) -> None:
    asked = {argument.name for one in FILTERS.values() for argument in one.arguments}
    options = {
        option.removeprefix("--")
        for parameter in search_command.params
        for option in (*parameter.opts, "--help")
        if option.startswith("--") and not (parameter.name or "").startswith("filter_")
    }
    described = create_app(desk).openapi()["paths"]
    parameters = {
        each["name"].replace("-", "_")
        for path in described.values()
        for method in path.values()
        for each in method.get("parameters", ())
    }
    attributes = {name for name in vars(Filters) if not name.startswith("_")} | {"given"}
    assert {*options, *parameters, *attributes, "photo", "image"} - asked <= RESERVED
    short = {name for one in FILTERS.values() for name in (one.name, *one.aliases) if len(name) < 4}
    assert short <= NO_LANGUAGES
    assert set(_DESCRIBE) == _DESCRIPTIONS
