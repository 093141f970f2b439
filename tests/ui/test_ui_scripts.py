"""The page's scripts without a browser: what they work out, tested in node by tests/ui/node."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from optional import leave_out, needs_node

pytestmark = [needs_node, pytest.mark.slow]

REPOSITORY = Path(__file__).parents[2]
TESTS = sorted((Path(__file__).parent / "node").glob("*.test.js"))


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scripts, their tests and texts, where node takes them for the modules that they are."""
    root = tmp_path_factory.mktemp("scripts")
    for folder in (
        "photosearch/ui/static",
        "photosearch/ui/texts",
        "photosearch/ui/messages",
        "assets/places/local",
        "tests/ui/node",
    ):
        shutil.copytree(REPOSITORY / folder, root / folder)
    (root / "package.json").write_text('{"type": "module"}', encoding="utf-8")
    return root


@pytest.mark.parametrize("file", TESTS, ids=lambda file: file.name)
def test_in_node(copied: Path, file: Path) -> None:
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True)
    if int(version.stdout.removeprefix("v").split(".")[0]) < 18:
        leave_out("node 18 or newer")
    done = subprocess.run(
        ["node", "--test", "--test-reporter=tap", str(file.relative_to(REPOSITORY))],
        cwd=copied, capture_output=True, text=True, encoding="utf-8", timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "\n# pass 0\n" not in done.stdout
