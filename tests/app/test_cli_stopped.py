"""Index runs at the command line that are interrupted, killed, or not alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from PIL import Image
from shell import Shell, message
from waiting import waits_for_ever

from index import CatalogueError
from photosearch.encoders import DEFAULT_MODEL

pytestmark = pytest.mark.slow


@pytest.fixture
def waiting(shell: Shell, tmp_path: Path, pictures: Path) -> tuple[Path, dict[str, str]]:
    """Twenty-one pictures, and the environment in which the last of them never ends."""
    folder = tmp_path / "many"
    folder.mkdir()
    with Image.open(pictures / "chelsea.png") as image:
        cat = image.convert("RGB")
    for number in range(20):
        cat.crop((number, 0, number + 100, 100)).save(folder / f"{number:02}.png")
    cat.save(folder / "wait.png")
    return folder, waits_for_ever(tmp_path / "hook")


def until_recorded(shell: Shell, process: subprocess.Popen[bytes], number: int) -> None:
    """Wait until the run has recorded so many photos; it must not end before."""
    for _ in range(6000):
        assert process.poll() is None, process.communicate()
        # While the run is still making it, there is no catalogue to read.
        with suppress(CatalogueError):
            if len(shell.photos()) >= number and (shell.library / "catalogue.db").is_file():
                return
        time.sleep(0.05)
    raise AssertionError(f"{len(shell.photos())} of {number} photos were recorded")


def equals_a_whole_run(shell: Shell, folder: Path) -> None:
    whole = shell.folder / "whole"
    assert shell("--library", whole, "index", folder).returncode == 0
    assert len(shell.photos(whole)) == 21
    assert shell.photos() == shell.photos(whole)
    ours = json.loads(shell("search", "a cat", "-n", "21", "--json").stdout)["hits"]
    theirs = json.loads(shell("--library", whole, "search", "a cat", "-n", "21", "--json").stdout)
    assert [hit["score"] for hit in ours] == [hit["score"] for hit in theirs["hits"]]


def alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def until_gone(group: int) -> None:
    for _ in range(600):
        if not alive(group):
            return
        time.sleep(0.05)
    raise AssertionError("a decoding process outlives the run")


@pytest.mark.parametrize(
    ("recorded", "signals"),
    [
        # To the whole group, as the system sends it to a service.
        (0, [signal.SIGTERM]),
        (1, [signal.SIGTERM]),
        # As some launchers pass it on, beside the terminal.
        (1, [signal.SIGINT, signal.SIGINT]),
        (20, [signal.SIGINT]),
    ],
)
def test_an_interrupted_run_keeps_what_is_done(
    shell: Shell, waiting: tuple[Path, dict[str, str]], recorded: int, signals: list[int]
) -> None:
    folder, environment = waiting
    process = shell.start("index", "--workers", "2", folder, **environment)
    until_recorded(shell, process, recorded)
    for number in signals:
        os.killpg(process.pid, number)
    output, errors = process.communicate(timeout=300)
    assert process.returncode == 130, errors
    assert b"Traceback" not in errors
    assert b"Exception" not in errors
    assert b"skipped" not in errors
    held = len(shell.photos())
    assert recorded <= held < 21
    what = "1 photo" if held == 1 else f"{held} photos"
    assert f"Stopped. The library holds {what}; run the same command again".encode() in errors
    assert output == b""
    until_gone(process.pid)
    again = shell("index", folder)
    assert again.returncode == 0
    assert f"Indexed {21 - held} photo".encode() in again.stdout
    assert f"{held} unchanged, 0 skipped".encode() in again.stdout
    if recorded == 20:
        equals_a_whole_run(shell, folder)


def test_a_killed_run_is_completed_by_the_next(
    shell: Shell, waiting: tuple[Path, dict[str, str]]
) -> None:
    folder, environment = waiting
    process = shell.start("index", "--workers", "2", folder, **environment)
    until_recorded(shell, process, 16)
    process.kill()
    process.communicate(timeout=300)
    assert process.returncode == -signal.SIGKILL
    kept = len(shell.photos())
    assert kept >= 16
    assert shell("search", "a cat", **environment).returncode == 0
    until_gone(process.pid)
    again = shell("index", folder)
    assert again.returncode == 0
    assert f"Indexed {21 - kept} photo".encode() in again.stdout
    assert f"{kept} unchanged".encode() in again.stdout
    equals_a_whole_run(shell, folder)


def test_two_index_runs_on_one_library(shell: Shell, waiting: tuple[Path, dict[str, str]]) -> None:
    folder, environment = waiting
    first = shell.start("index", "--workers", "1", folder, **environment)
    until_recorded(shell, first, 20)
    holder = f"photosearch index --workers 1 {folder}` (process {first.pid} on "
    assert holder in message(shell("index", folder), 1)
    assert holder in message(shell("forget", folder), 1)
    chosen = shell("models", "use", DEFAULT_MODEL, PHOTOSEARCH_MODEL="")
    assert holder in message(chosen, 1)
    assert shell("search", "a cat").returncode == 0
    assert b"Photos    20\n" in shell("status").stdout

    second = shell.start("index", "--wait", folder)
    assert second.stderr is not None
    assert f"(process {first.pid} on ".encode() in second.stderr.readline()
    assert second.poll() is None
    os.killpg(first.pid, signal.SIGKILL)
    first.communicate()
    output, errors = second.communicate(timeout=300)
    assert second.returncode == 0, errors
    assert b"Indexed 1 photo in" in output
    assert b"20 unchanged" in output
    equals_a_whole_run(shell, folder)


def test_ctrl_c_while_modules_are_read_is_told_by_the_exit_code_alone(tmp_path: Path) -> None:
    code = """
import sys
from photosearch.__main__ import run


class Stopped:
    def find_spec(self, name, *_):
        if name == "photosearch.cli":
            raise KeyboardInterrupt


sys.meta_path.insert(0, Stopped())
sys.argv = ["photosearch", "search", "a dog"]
run()
"""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, cwd=tmp_path, timeout=300)
    assert (done.returncode, done.stderr) == (130, b"")
