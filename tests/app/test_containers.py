"""The containers' files run what photosearch takes; there is no Docker here to build them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from photosearch.cli import main

PACKAGING = Path(__file__).parents[2] / "packaging"
SERVICES = yaml.safe_load((PACKAGING / "compose.yaml").read_text())["services"]
DOCKERFILE = (PACKAGING / "Dockerfile").read_text()


@pytest.mark.parametrize("name", [*SERVICES, "alone"])
def test_commands_are_understood(name: str) -> None:
    if name == "alone":
        (command,) = re.findall(r"^CMD (.*)", DOCKERFILE, re.MULTILINE)
        arguments = json.loads(command)
    else:
        arguments = SERVICES[name]["command"]
    # What is wrong before it is told as well.
    done = CliRunner().invoke(main, [*arguments, "--help"])
    assert done.exit_code == 0, done.output


def test_photos_cannot_be_changed_and_nothing_runs_as_root() -> None:
    for service in SERVICES.values():
        (photos,) = [each for each in service["volumes"] if ":/photos" in each]
        assert photos.endswith(":ro")
    assert re.search(r"^USER photosearch$", DOCKERFILE, re.MULTILINE)


def test_extras_are_there() -> None:
    (extras,) = re.findall(r"'/src\[(.*)\]'", DOCKERFILE)
    project = (PACKAGING.parent / "pyproject.toml").read_text()
    for extra in extras.split(","):
        assert re.search(rf"^{extra} = \[", project, re.MULTILINE)
