"""The containers' files run what photosearch takes; there is no Docker here to build them."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

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


def test_what_is_installed_is_fixed_by_hashes() -> None:
    """All that the program needs, with its extras, as the tests have it."""
    locked = (PACKAGING / "requirements.txt").read_text()
    entry = r"^([\w.-]+)==(\S+) \\\n(?:    --hash=sha256:[0-9a-f]{64}.*\n)+"
    entries = re.findall(entry, locked, re.MULTILINE)
    pins = {canonicalize_name(name): version for name, version in entries}
    assert len(pins) == len(re.findall(r"^\S+==", locked, re.MULTILINE))
    constraints = (PACKAGING.parent / "constraints.txt").read_text()
    for name, version in re.findall(r"^([\w.-]+)==(\S+)", constraints, re.MULTILINE):
        assert pins.get(canonicalize_name(name), version) == version, "run make lock"
    about = tomllib.loads((PACKAGING.parent / "pyproject.toml").read_text())
    extras = re.findall(r"--extra (\w+)", (PACKAGING.parent / "Makefile").read_text())
    optional = about["project"]["optional-dependencies"]
    wanted = [*about["project"]["dependencies"], *about["build-system"]["requires"]]
    wanted += [one for extra in extras for one in optional[extra]]
    linux = {"sys_platform": "linux", "platform_system": "Linux", "python_version": "3.12"}
    for one in map(Requirement, wanted):
        if one.marker is None or one.marker.evaluate(linux):
            assert one.specifier.contains(pins[canonicalize_name(one.name)]), one
    assert "--require-hashes" in DOCKERFILE
    assert "--no-deps --no-build-isolation" in DOCKERFILE
