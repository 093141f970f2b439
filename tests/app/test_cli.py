"""The command line as a user meets it: real processes, their output and their exit codes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import fastjsonschema
import pytest
from click.testing import CliRunner
from optional import needs_linux
from PIL import Image
from shell import Shell, message

from photosearch import __version__
from photosearch.cli import main

REPOSITORY = Path(__file__).parents[2]


SCHEMA = REPOSITORY / "photosearch" / "search" / "result.schema.json"


def commands() -> Iterator[tuple[list[str], click.Command]]:
    yield [], main
    context = click.Context(main)
    for name in main.list_commands(context):
        command = main.get_command(context, name)
        assert command is not None
        assert command.name == name
        yield [name], command


def options(command: click.Command) -> Iterator[click.Option]:
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            yield parameter


# Help and documentation


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_of_every_command_names_every_option(flag: str) -> None:
    for name, command in commands():
        result = CliRunner().invoke(main, [*name, flag])
        assert result.exit_code == 0, f"{name}: {result.output}"
        text = result.stdout
        assert command.help
        assert " ".join(command.help.split()[:5]) in " ".join(text.split())
        for option in options(command):
            assert option.help, f"{name} {option.name} has no help"
            assert all(form in text for form in option.opts)
    listed = CliRunner().invoke(main, ["--help"]).stdout
    assert all(name[0] in listed for name, _ in commands() if name)


@pytest.mark.slow
def test_documented_json_keys_are_the_real_ones(indexed: Shell) -> None:
    text = (REPOSITORY / "docs" / "cli.md").read_text(encoding="utf-8")
    examples = [json.loads(part.split("```")[0]) for part in text.split("```json\n")[1:]]
    search = json.loads(indexed("search", "--json", "a cat").stdout)
    assert search.keys() == examples[0].keys()
    assert search["understood"][0].keys() == examples[0]["understood"][0].keys()
    valid = fastjsonschema.compile(json.loads(SCHEMA.read_text(encoding="utf-8")))
    valid(search)
    valid(examples[0])
    assert search["hits"][0].keys() == examples[0]["hits"][0].keys()
    status = json.loads(indexed("status", "--json").stdout)
    assert status.keys() == examples[1].keys()


@pytest.mark.slow
def test_version(shell: Shell) -> None:
    assert shell("--version").stdout.decode().split() == ["photosearch,", "version", __version__]


# What the commands do


@pytest.mark.slow
def test_filters_are_options_too(indexed: Shell, pictures: Path) -> None:

    def names(*arguments: str) -> set[str]:
        result = indexed("search", "-0", *arguments)
        return {os.path.basename(path) for path in result.stdout.decode().split("\0") if path}

    square = names("a cat is:square")
    assert square == names("a cat", "--is", "square") == names("--is", "square")
    assert square
    assert square < names("a cat")
    assert names("a cat", "--type", "jpeg") == names("type:jpg") == {"rocket.jpg"}
    assert names("a cat", "--folder", str(pictures), "--words", "chelsea") == {"chelsea.png"}
    assert names("--image", str(pictures / "coins.png"), "-n", "1") == {"coins.png"}
    assert names("a cat", "-n", "2") | names("a cat", "--offset", "2") == names("a cat")
    text = message(indexed("search", "a cat", "--rating", ">=4"), 1)
    assert "None of the 6 photos" in text


@pytest.mark.slow
def test_what_belongs_together(shell: Shell, photos: Path) -> None:
    shutil.copyfile(photos / "coins.png", photos / "copy of coins 2021-05-03.png")
    shell("index", photos)
    lines = shell("search", "--collapse", "a cat", "-n", "9").stdout.decode().splitlines()
    assert len(lines) == 6
    assert [line for line in lines if "coins" in line and line.endswith(".png  (+1)")]
    grouped = shell("search", "--group", "day", "a cat").stdout.decode().splitlines()
    assert {"2021-05-03", "without a date"} < set(grouped)
    assert len(grouped) > 7
    valid = fastjsonschema.compile(json.loads(SCHEMA.read_text(encoding="utf-8")))
    valid(json.loads(shell("search", "--json", "--collapse", "--group", "day", "a").stdout))
    similar = shell("similar", str(photos / "coins.png"), "-0", "-n", "1").stdout
    assert similar == os.fsencode(photos / "copy of coins 2021-05-03.png") + b"\0"
    spare = shell("duplicates", "-0").stdout
    assert spare == similar
    found = json.loads(shell("duplicates", "--near", "--json").stdout)["duplicates"]
    assert [photo["path"] for photo in found[0]["photos"]][1] == os.fsdecode(spare[:-1])
    assert (photos / "copy of coins 2021-05-03.png").exists()

    shell("saved", "add", "Money", "coins -cats", "--sort", "oldest")
    assert shell("saved", "list").stdout.decode() == "Money: coins -cats  (oldest first)\n"
    searches = json.loads(shell("saved", "list", "--json").stdout)["searches"]
    assert searches == [{"name": "Money", "text": "coins -cats", "sort": "oldest"}]
    assert shell("search", "--saved", "money", '"copy"', "-0").stdout == similar
    assert shell("saved", "remove", "money").returncode == 0
    assert "Money" not in message(shell("search", "--saved", "Money"), 2).split("known")[1]


def test_a_query_shows_where_it_fails(shell: Shell) -> None:
    result = shell("search", "dogs befor:2021")
    assert result.returncode == 2
    error, text, mark = result.stderr.decode().splitlines()
    assert "did you mean before:2021?" in error
    assert text[mark.index("^") :] == "befor:2021"
    assert "before" in message(shell("search", "dogs", "--before", "never"), 2)
    assert "TEXT is missing" in message(shell("search"), 2)


@pytest.mark.slow
def test_index_search_and_status(shell: Shell, photos: Path) -> None:
    result = shell.fresh("index", photos)
    assert result.returncode == 0, result.stderr
    output = result.stdout.decode()
    assert output.startswith("Indexed 6 photos in ")
    assert "0 unchanged, 0 skipped, 0 gone. The library holds 6 photos." in output
    again = shell.fresh("index", photos)
    assert b"Indexed 0 photos" in again.stdout
    assert b"6 unchanged" in again.stdout

    result = shell.fresh("search", "a cup of coffee", "-n", "4")
    assert (result.returncode, result.stderr) == (0, b"")
    lines = [line.split("  ", 1) for line in result.stdout.decode().splitlines()]
    assert len(lines) == 4
    scores = [float(score) for score, _ in lines]
    assert scores == sorted(scores, reverse=True)
    assert all(len(score.split(".")[1]) == 3 for score, _ in lines)
    assert {path for _, path in lines} <= {str(path) for path in photos.iterdir()}

    result = shell.fresh("status")
    assert result.returncode == 0
    shown = dict(line.split(maxsplit=1) for line in result.stdout.decode().splitlines())
    assert shown["Library"] == str(shell.library)
    assert shown["Model"].startswith("tiny-1-")
    assert (shown["Photos"], shown["Problems"], shown["Folder"]) == ("6", "0", str(photos))


def test_a_search_as_json(indexed: Shell) -> None:
    result = indexed("search", "a cat", "-n", "3", "--json")
    assert result.returncode == 0
    found = json.loads(result.stdout)
    assert found["query"] == "a cat"
    assert len(found["hits"]) == 3
    for hit in found["hits"]:
        with Image.open(hit["path"]) as image:
            assert (hit["width"], hit["height"]) == image.size
        assert -1 <= hit["score"] <= 1
        assert isinstance(hit["photo_id"], int)


@pytest.mark.slow
def test_problems_are_told_listed_and_no_failure(shell: Shell, photos: Path) -> None:
    (photos / "notes.jpg").write_text("Dear diary", encoding="utf-8")
    (photos / "empty\n.jpg").touch()
    result = shell("index", photos)
    assert result.returncode == 0
    assert b"2 skipped" in result.stdout
    assert f"skipped {photos}/notes.jpg: is not a picture in a known" in result.stderr.decode()
    assert "`photosearch status --problems`" in result.stdout.decode()
    listed = shell("status", "--problems").stdout.decode().splitlines()
    assert f"{photos}/empty\\n.jpg: is empty" in listed
    assert f"{photos}/notes.jpg: is not a picture in a known format, or is damaged" in listed
    assert not any("notes.jpg" in line for line in shell("status").stdout.decode().splitlines())
    status = json.loads(shell("status", "--json").stdout)
    assert {"path": f"{photos}/empty\n.jpg", "reason": "is empty", "printed": ""} in status[
        "problems"
    ]


@pytest.mark.slow
def test_names_that_no_line_can_hold(shell: Shell, photos: Path) -> None:
    names = [b"line\nbreak.png", b"caf\xe9.png", b"100% \xf0\x9f\x90\xb1.png", b"two  spaces.png"]
    paths = {os.path.join(os.fsencode(photos), name) for name in names}
    for path in paths:
        shutil.copy(photos / "chelsea.png", path)
    odd = os.path.join(os.fsencode(photos), b"\xff")
    os.mkdir(odd)
    shutil.copy(photos / "chelsea.png", os.path.join(odd, b"a.png"))
    bad = os.path.join(odd, b"\xfe.jpg")
    with open(bad, "wb"):
        pass
    paths.add(os.path.join(odd, b"a.png"))
    assert shell("index", photos, odd).returncode == 0
    result = shell("search", "-0", "a cat")
    assert result.returncode == 0
    assert result.stdout.endswith(b"\0")
    got = result.stdout.split(b"\0")[:-1]
    assert set(got) == paths | {os.fsencode(path) for path in photos.iterdir() if path.is_file()}
    assert len(got) == len(set(got))
    hits = json.loads(shell("search", "--json", "a cat").stdout)["hits"]
    assert {os.fsencode(hit["path"]) for hit in hits} == set(got)
    for arguments in (["status", "--problems"], ["status", "--json"], ["search", "a cat"]):
        result = shell(*arguments, LC_ALL="C.UTF-8")
        assert result.returncode == 0, result.stderr
    assert b"\xff" + b"/a.png\n" in result.stdout


@pytest.mark.slow
def test_the_library_is_named_by_option_variable_or_default(
    shell: Shell, photos: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other" / "place"
    assert shell("--library", other, "index", photos).returncode == 0
    assert len(shell.photos(other)) == 6
    assert not shell.library.exists()
    assert shell("search", "a cat").returncode == 1
    assert shell("search", "a cat", PHOTOSEARCH_LIBRARY=str(other)).returncode == 0
    home = tmp_path / "home"
    shell("index", photos, PHOTOSEARCH_LIBRARY="", HOME=str(home), XDG_DATA_HOME=str(home / "data"))
    assert [path.parent.name for path in home.rglob("catalogue.db")] == ["library"]


# Failures


def test_a_search_without_a_library_says_how_to_make_one(shell: Shell, photos: Path) -> None:
    for _ in range(2):
        result = shell("search", "a cat")
        assert "photosearch index FOLDER" in message(result, 1)
        assert result.stdout == b""
    assert not shell.library.exists()
    result = shell("search", "--json", "a cat")
    message(result, 1)
    found = json.loads(result.stdout)
    assert (found["query"], found["total"], found["hits"]) == ("a cat", 0, [])
    assert shell("search", "-0", "a cat").stdout == b""
    assert "photosearch index FOLDER" in message(shell("status"), 1)


def test_a_search_of_an_empty_library(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert shell("index", tmp_path / "empty").returncode == 0
    assert "photosearch index FOLDER" in message(shell("search", "a cat"), 1)


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["search", ""], "description is empty"),
        (["search", " \t"], "description is empty"),
        (["search"], "TEXT"),
        (["search", "a", "cat"], "cat"),
        (["search", "a cat", "-n", "0"], "-n"),
        (["search", "a cat", "-n", "many"], "-n"),
        (["search", "--json", "-0", "a cat"], "--json and -0"),
        (["index"], "FOLDER"),
        (["index", "nowhere"], "nowhere: there is no such folder"),
        (["index", ""], "empty"),
        (["index", "notes.txt"], "notes.txt: is neither a folder nor a picture"),
        (["index", "--workers", "0", "."], "--workers"),
        (["status", "--wrong"], "--wrong"),
        (["fly"], "fly"),
        (["--library", "notes.txt", "status"], "notes.txt"),
        (["--library", "notes.txt", "index", "."], "notes.txt"),
    ],
)
def test_wrong_usage(shell: Shell, tmp_path: Path, arguments: list[str], part: str) -> None:
    (tmp_path / "notes.txt").write_text("Dear diary", encoding="utf-8")
    assert part in message(shell(*arguments), 2)


def test_an_empty_text_with_a_library(indexed: Shell) -> None:
    assert "description is empty" in message(indexed("search", ""), 2)


@pytest.mark.slow
def test_a_known_folder_that_is_not_there_is_told_and_hidden(shell: Shell, photos: Path) -> None:
    shell("index", photos)
    away = photos.with_name("unplugged")
    photos.rename(away)
    result = shell("index")
    assert result.returncode == 0
    assert f"{photos}: not connected; 6 photos hidden, none lost" in result.stderr.decode()
    assert shell.photos() == {}
    told = shell("status").stdout.decode()
    assert f"{photos}\n          not connected; 6 photos hidden, none lost\n" in told
    assert json.loads(shell("status", "--json").stdout)["not_connected"] == {str(photos): 6}
    away.rename(photos)
    assert json.loads(shell("status", "--json").stdout)["not_connected"] == {}
    assert b"Indexed 0 photos" in shell("index").stdout
    assert len(shell.photos()) == 6


def test_a_library_that_cannot_be_made(shell: Shell, photos: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("Dear diary", encoding="utf-8")
    place = tmp_path / "notes.txt" / "library"
    text = message(shell("--library", place, "index", photos), 1)
    assert str(place) in text
    assert "another" in text  # what to do: name another place


@needs_linux("takes root's rights away")
@pytest.mark.slow
def test_a_library_that_may_only_be_read(shell: Shell, photos: Path) -> None:
    shell("index", photos)
    before = {path: path.read_bytes() for path in shell.library.rglob("*") if path.is_file()}
    places = [shell.library, *shell.library.rglob("*")]
    for path in places:
        path.chmod(0o555)
    try:
        assert b"chelsea.png" in shell("search", "a cat").stdout
        assert b"Photos    6\n" in shell("status").stdout
        (photos / "chelsea.png").unlink()
        for arguments in (("index", photos), ("index",), ("forget", photos)):
            text = message(shell(*arguments), 1)
            assert f"{shell.library}{os.sep}" in text
            assert "make the file and its folder writable, or use another library folder" in text
    finally:
        for path in places:
            path.chmod(0o755)
    after = {path: path.read_bytes() for path in shell.library.rglob("*") if path.is_file()}
    assert after == before
    assert b"1 gone" in shell("index").stdout


def test_a_library_that_is_damaged(shell: Shell, photos: Path) -> None:
    shell.library.mkdir()
    (shell.library / "catalogue.db").write_bytes(b"this is no database" * 500)
    for arguments in (["search", "a cat"], ["status"], ["index", str(photos)]):
        assert "catalogue.db" in message(shell(*arguments), 1)


def test_a_model_that_is_not_there(shell: Shell, photos: Path, tmp_path: Path) -> None:
    text = message(shell("--model", tmp_path / "nothing", "index", photos), 1)
    assert "nothing: no model bundle here" in text


def test_a_reader_that_goes_away_early(indexed: Shell) -> None:
    process = indexed.start("search", "a cat")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    errors = process.stderr.read()
    process.stderr.close()
    process.wait(timeout=300)
    assert b"Traceback" not in errors
    assert b"Exception" not in errors


@pytest.mark.slow
def test_a_search_loads_no_more_than_it_needs(indexed: Shell) -> None:
    program = (
        "import sys\n"
        "from photosearch.cli import main\n"
        "main(['search', 'a cat', '-n', '1'], standalone_mode=False)\n"
        "heavy = 'torch torchvision open_clip gradio timm trainer pillow_heif'.split()\n"
        "print([name for name in heavy if name in sys.modules])\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        env=indexed.environment,
        cwd=indexed.folder,
        timeout=300,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[-1] == b"[]"
