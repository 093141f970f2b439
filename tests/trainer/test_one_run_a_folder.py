"""One command at a time in a folder: held by real processes, and free when they are killed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from reinforce_data import contents, write_photos
from workshop import refused, run

from trainer.export.place import in_place

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
HOLDER = (
    "import sys, pathlib\n"
    "from trainer.lock import locked\n"
    "with locked(pathlib.Path(sys.argv[1]), beside=sys.argv[2] == 'beside'):\n"
    "    print('held', flush=True)\n"
    "    sys.stdin.read()\n"
)


class Holder:
    """A process that is at work in a folder until it is killed or told to end."""

    def __init__(self, folder: Path, where: str = "inside") -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(folder), where],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == b"held\n"

    def kill(self) -> None:
        self.process.kill()
        self.end()

    def end(self) -> None:
        self.process.communicate()


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("busy")
    holder = Holder(folder)
    yield folder
    holder.end()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Stands for any input: the folder is asked for before one is read."""
    path = tmp_path / "input"
    path.write_bytes(b"")
    return path


@pytest.mark.parametrize("command", ["corpus", "teach", "heads"])
def test_a_second_one_is_refused(command: str, busy: Path, file: Path, tmp_path: Path) -> None:
    options = {
        "corpus": [],
        "teach": ["--classifier", file, "--cache", tmp_path],
        "heads": ["--classifier", file, "--calibration", file, "--cache", tmp_path],
    }[command]
    given = ["--captioned", file, "--class-names", file, *options, "--out", busy]
    refused(run(command, *given), 1, f"{busy}: another run is at work here; wait for it")


@pytest.mark.parametrize("command", ["finetune", "personal"])
def test_a_second_one_of_many_steps_is_refused(
    command: str, busy: Path, file: Path, tiny_bundle: Path
) -> None:
    options = [file] if command == "finetune" else [tiny_bundle, "--teacher", tiny_bundle]
    refused(run(command, *options, "--out", busy), 1, f"{busy}: another run is at work here")


def test_reinforcing_goes_on_when_another_one_was_killed(tiny_bundle: Path, tmp_path: Path) -> None:
    tar, out = write_photos(tmp_path / "a.tar", 2), tmp_path / "set"
    holder = Holder(out)
    partly = out / ".a.tar.part"
    partly.write_bytes(b"what the other one has so far")
    command = ["reinforce", tar, "--teacher", f"bundle:{tiny_bundle}", "--out", out, "--quiet"]
    refused(run(*command), 1, f"{out}: another run is at work here; wait for it")
    assert partly.read_bytes() == b"what the other one has so far"
    holder.kill()
    result = run(*command)
    assert result.exit_code == 0, result.output
    assert set(contents(out)) == {"a.tar", "a.manifest.json", "README.md", "dataset.json"}


def test_a_bundle_is_made_by_one_at_a_time(tmp_path: Path) -> None:
    out = tmp_path / "bundle"
    holder = Holder(out, "beside")
    with pytest.raises(ValueError, match="bundle: another run"), in_place(out, replace=False):
        pass
    holder.kill()
    with in_place(out, replace=False) as part:
        (part / "README.md").write_text("made")
    assert contents(tmp_path) == {"bundle/README.md": b"made"}
