"""The log, and how commands end that nobody expected to end: real processes, and what they say."""

from __future__ import annotations

import json
import logging
import os
import queue
import resource
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path

import pytest
from optional import needs_linux
from PIL import Image
from shell import REPOSITORY, Shell, forked

from photosearch.logs import FIELDS, NAME, Log, threads_logged
from photosearch.ui.background import BackgroundProcess

pytestmark = needs_linux("streams and limits are those of POSIX")

# A fault in the middle of a command, whose message has the name of a photo in it.
HOOK = """
import sys
NAME = "/home/ada/cat" + ".jpg"
def fail(event, arguments):
    if event == {event!r} and str(arguments[0]).endswith({name!r}):
        try:
            raise OSError(2, "not there: " + NAME, NAME)
        except OSError:
            raise ValueError(NAME)
sys.addaudithook(fail)
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, tiny_bundle: Path) -> Shell:
    """A library with a photo, and a file that is none, whose names are not for the log."""
    shell = Shell(tmp_path_factory.mktemp("made"), tiny_bundle)
    photos = shell.folder / "photos"
    photos.mkdir()
    Image.new("RGB", (40, 40), "red").save(photos / "honeymoon.png")
    (photos / "divorce.jpg").write_bytes(b"\xff\xd8\xff" + b"no picture" * 9)
    assert shell("index", photos, "--workers", "1").returncode == 0
    return shell


@pytest.fixture
def library(shell: Shell, made: Shell) -> Path:
    """A copy of that library, with its log."""
    return Path(shutil.copytree(made.library, shell.library))


def broken(
    shell: Shell, event: str = "sqlite3.connect", name: str = "catalogue.db"
) -> dict[str, str]:
    """The environment in which a catalogue, or something else, is not opened."""
    hook = shell.folder / "hook"
    hook.mkdir()
    (hook / "sitecustomize.py").write_text(HOOK.format(event=event, name=name), encoding="utf-8")
    return {"PYTHONPATH": os.pathsep.join((str(hook), str(REPOSITORY)))}


def one_line(done: subprocess.CompletedProcess[bytes], code: int = 1) -> str:
    text = done.stderr.decode()
    assert done.returncode == code, text
    assert text.startswith("Error: ")
    assert text.count("\n") == 1, text
    return text


def test_an_unexpected_error_is_one_line_and_a_traceback_in_the_log(
    shell: Shell, library: Path
) -> None:
    told = one_line(shell.fresh("status", **broken(shell)))
    log = library / NAME
    assert str(log) in told
    assert "(ValueError)" in told
    assert "report" in told
    text = log.read_text(encoding="utf-8")
    assert "ERROR" in text
    assert "in status_of" in text or "index/catalogue/connection.py" in text
    assert "FileNotFoundError: No such file or directory\nwhich led to:\n" in text
    assert text.rstrip().endswith("ValueError")
    assert "cat.jpg" not in text
    assert log.stat().st_mode & 0o777 == 0o600


def test_details_have_the_messages(shell: Shell, library: Path) -> None:
    done = shell.fresh("-vv", "status", **broken(shell))
    assert done.returncode == 1
    assert b"ValueError: /home/ada/cat.jpg" in done.stderr
    assert "ValueError: /home/ada/cat.jpg" in (library / NAME).read_text(encoding="utf-8")


def test_without_a_library_it_is_in_the_system_s_place(shell: Shell) -> None:
    state = shell.folder / "state"
    environment = broken(shell, "open", "config.toml")
    told = one_line(shell.fresh("config", XDG_STATE_HOME=str(state), **environment))
    (log,) = state.rglob(NAME)
    assert str(log) in told
    assert "in load" in log.read_text(encoding="utf-8")
    assert not shell.library.exists()


@pytest.mark.slow
def test_where_no_folder_can_be_written(shell: Shell, library: Path) -> None:
    (library / NAME).unlink()
    library.chmod(0o500)
    state = shell.folder / "state"
    environment = broken(shell)
    try:
        told = one_line(shell.fresh("status", XDG_STATE_HOME=str(state), **environment))
        (log,) = state.rglob(NAME)
        assert str(log) in told
        told = one_line(shell.fresh("status", XDG_STATE_HOME="/dev/null/x", **environment))
        assert "--log-file PATH" in told
    finally:
        library.chmod(0o700)


def test_a_named_file(shell: Shell, library: Path) -> None:
    file = shell.folder / "my.log"
    told = one_line(shell.fresh("--log-file", file, "status", **broken(shell)))
    assert str(file) in told
    assert "ValueError" in file.read_text(encoding="utf-8")
    told = one_line(shell("--log-file", "/nowhere/log", "status"), 2)
    assert "--log-file /nowhere/log: cannot be written" in told


def test_the_log_names_no_photo_and_no_search(shell: Shell, made: Shell, library: Path) -> None:
    assert shell("search", "--all", "wedding").returncode == 0
    shell("search", "--all", "wedding", "--near", "/nowhere")
    shell("show", made.folder / "photos" / "parted.jpg")
    text = (library / NAME).read_text(encoding="utf-8")
    assert "an index run begins" in text
    assert "1 indexed, 0 unchanged, 1 skipped" in text
    for name in ("honeymoon", "divorce", "wedding", "parted", str(made.folder)):
        assert name not in text
    done = shell("-vv", "index", "--retry", "--workers", "1")
    assert shell("-vv", "search", "--all", "wedding").returncode == 0
    text = (library / NAME).read_text(encoding="utf-8")
    assert "searching for 'wedding'" in text
    assert "divorce.jpg" in text
    # Where the decoder gave up, in its own process.
    assert "photosearch/indexing/decode.py" in text
    assert b"divorce.jpg" in done.stderr


def test_verbose_shows_events_and_status_keeps_its_own(shell: Shell, library: Path) -> None:
    done = shell("-v", "index", "--retry", "--workers", "1")
    assert b"INFO" in done.stderr
    assert b"an index run begins" in done.stderr
    assert b"an index run begins" not in shell("index", "--workers", "1").stderr
    done = shell("status", "--problems", "-v")
    assert done.returncode == 0
    assert b"divorce.jpg" in done.stdout
    assert done.stderr == b""


COMMANDS = [
    ("--help",),
    ("config",),
    ("status",),
    ("search", "--all", "cat"),
    ("search", "--all", "-0", "cat"),
    ("search", "--all", "--json", "cat"),
]


@pytest.mark.slow
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_output_that_cannot_be_written(
    shell: Shell, library: Path, command: tuple[str, ...], unbuffered: str
) -> None:
    environment = shell.environment | {"PYTHONUNBUFFERED": unbuffered}

    def run(to: dict[int, int | None]) -> subprocess.CompletedProcess[bytes]:
        return forked().run(command, shell.folder, environment, to=to)

    full = os.open("/dev/full", os.O_WRONLY)
    assert "standard output cannot be written (No space left on device)" in one_line(run({1: full}))
    # Nobody reads it.
    unread, written = os.pipe()
    os.close(unread)
    done = run({1: written})
    assert done.stderr == b""
    assert done.returncode in (0, 1)
    done = run({1: None})
    assert (done.returncode, done.stderr) == (0, b"")
    assert run({1: full, 2: full}).returncode == 1
    assert run({0: None, 1: None, 2: None}).returncode == 0
    for file in (full, written):
        os.close(file)


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_output_that_cannot_be_written_from_the_start(
    shell: Shell, library: Path, unbuffered: str
) -> None:
    """The same, with streams as a new Python opens them."""
    environment = shell.environment | {"PYTHONUNBUFFERED": unbuffered}

    def run(redirection: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            ["bash", "-c", f'"$@" {redirection}', "-", *shell.command("config")],
            env=environment,
            cwd=shell.folder,
            capture_output=True,
        )

    assert "standard output cannot be written (No space left on device)" in one_line(
        run("> /dev/full")
    )
    done = run("| true; exit ${PIPESTATUS[0]}")
    assert done.stderr == b""
    assert done.returncode in (0, 1)
    done = run(">&-")
    assert (done.returncode, done.stderr) == (0, b"")
    assert run("> /dev/full 2> /dev/full").returncode == 1
    assert run(">&- 2>&- <&-").returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize("most", [8, 12, 20])
def test_too_few_files(shell: Shell, library: Path, most: int) -> None:
    done = subprocess.run(
        shell.command("index", "--retry", "--workers", "2"),
        env=shell.environment,
        cwd=shell.folder,
        capture_output=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (most, most)),
    )
    assert b"Traceback" not in done.stderr
    if done.returncode:
        assert done.returncode == 1
        assert done.stderr.splitlines()[-1].startswith(b"Error: ")
    assert shell("status").returncode == 0


@pytest.mark.slow
def test_too_few_files_for_the_modules(shell: Shell, library: Path) -> None:
    told = []
    for most in (6, 7, 8):
        done = subprocess.run(
            shell.command("search", "--all", "cat"),
            env=shell.environment,
            cwd=shell.folder,
            capture_output=True,
            preexec_fn=partial(resource.setrlimit, resource.RLIMIT_NOFILE, (most, most)),
        )
        if done.returncode:
            told.append(done)
    assert told
    lines = [one_line(done, done.returncode) for done in told]
    assert any("too many files are open at once (here at most " in line for line in lines)
    assert all("ulimit -n" in line or "Too many open files" in line for line in lines)


def test_the_file_is_begun_anew_and_a_few_are_kept(tmp_path: Path) -> None:
    file = tmp_path / "log"
    for number in range(6):
        file.write_bytes(b"%d" % number * (1 << 20))
        log = Log(0, lambda: iter([file]), None)
        log.start()
        logging.getLogger("photosearch").info("event %d", number)
        log.stop()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log", "log.1", "log.2", "log.3"]
    assert "event 5" in file.read_text(encoding="utf-8")
    assert (tmp_path / "log.1").read_bytes().startswith(b"5")


def test_nothing_is_written_and_no_file_made_without_a_message(tmp_path: Path) -> None:
    log = Log(0, lambda: iter([tmp_path / "log"]), None)
    log.start()
    logging.getLogger("photosearch").debug("a detail")
    log.stop()
    assert list(tmp_path.iterdir()) == []
    assert logging.getLogger("photosearch").handlers == []


@needs_linux("has a disk that is always full")
def test_no_room_for_the_log_is_no_reason_to_fail() -> None:
    log = Log(0, lambda: iter([Path("/dev/full")]), None)
    log.start()
    logging.getLogger("photosearch").info("an event")
    log.stop()
    assert log.path == Path("/dev/full")


def test_a_thread_that_ends_unexpectedly(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "cat.jpg"

    def fail() -> None:
        raise ExceptionGroup("several", [ValueError(name), OSError(28, "full", name)])

    log = Log(0, lambda: iter([tmp_path / "log"]), sys.stderr)
    log.start()
    with threads_logged(logging.getLogger("photosearch.test")):
        thread = threading.Thread(target=fail, name="busy")
        thread.start()
        thread.join()
    log.stop()
    assert capsys.readouterr().err == (
        "Error: busy ended unexpectedly (ExceptionGroup); the log tells more.\n"
    )
    text = (tmp_path / "log").read_text(encoding="utf-8")
    assert "in fail" in text
    assert "OSError: No space left on device" in text
    assert "cat.jpg" not in text


def fail_in_background(tell: Callable[[object], None], name: str) -> None:
    tell("begun")
    raise ValueError(name)


@pytest.mark.slow
def test_a_process_that_ends_unexpectedly(tmp_path: Path) -> None:
    told: queue.Queue[object] = queue.Queue()
    log = Log(0, lambda: iter([tmp_path / "log"]), None)
    log.start()
    process = BackgroundProcess(told.put)
    process.start(fail_in_background, "cat.jpg")
    assert [told.get(timeout=120), told.get(timeout=120)] == ["begun", None]
    process.end()
    log.stop()
    text = (tmp_path / "log").read_text(encoding="utf-8")
    assert "a background process ended unexpectedly (ValueError)" in text
    assert "cat.jpg" not in text


def test_lines_of_json_have_no_more_in_them_than_others(tmp_path: Path) -> None:
    asked = []

    def as_json() -> bool:
        asked.append(1)
        return True

    file = tmp_path / "log"
    log = Log(0, lambda: iter([file]), None, as_json)
    name = "/home/ada/wed" + "ding.jpg"
    log.start()
    try:
        assert not asked
        logger = logging.getLogger("photosearch.somewhere")
        logger.info("%d photos", 3, extra={FIELDS: {"photos": 3}})
        try:
            raise ValueError(name)
        except ValueError:
            logger.exception("it failed")
        logger.debug(name)
    finally:
        log.stop()
    first, second = map(json.loads, file.read_text(encoding="utf-8").splitlines())
    assert (first["message"], first["photos"], first["level"]) == ("3 photos", 3, "INFO")
    assert datetime.fromisoformat(first["time"]).tzinfo is not None
    assert second["traceback"].endswith("ValueError")
    assert "test_logs.py" in second["traceback"]
    assert "wedding" not in file.read_text(encoding="utf-8")
    assert len(asked) == 1
