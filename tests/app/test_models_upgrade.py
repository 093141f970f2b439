"""A photosearch that is installed, and upgraded to another model."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest
from forked import Forked
from model_changes import four_pictures
from shell import REPOSITORY

import index as index_package
import photosearch
from photosearch.encoders import DEFAULT_MODEL, Bundle

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def no_model_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PHOTOSEARCH_MODEL", raising=False)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return four_pictures(tmp_path / "photos")


class Site:
    """An installed photosearch of which the bundled model can be replaced, as an upgrade does."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._running: Forked | None = None
        for package in (photosearch, index_package):
            source = Path(str(package.__file__)).parent
            shutil.copytree(
                source, folder / source.name, ignore=shutil.ignore_patterns("__pycache__", "assets")
            )
        words = Path("assets", "words")
        shutil.copytree(REPOSITORY / words, folder / "photosearch" / words)

    def bundle(self, source: Path) -> None:
        place = self.folder / "photosearch" / "assets" / "models" / DEFAULT_MODEL
        if place.exists():
            shutil.rmtree(place)
        shutil.copytree(source, place)

    def __call__(self, library: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {
            "PYTHONPATH": str(self.folder),
            "PHOTOSEARCH_LIBRARY": str(library),
            "PHOTOSEARCH_WORKERS": "1",
        }
        if sys.platform == "linux":
            done = self._forked(environment).run(arguments, self.folder, environment)
            texts = done.stdout.decode(), done.stderr.decode()
            return subprocess.CompletedProcess(done.args, done.returncode, *texts)
        return subprocess.run(
            [sys.executable, "-m", "photosearch", *arguments],
            capture_output=True,
            text=True,
            env=environment,
            cwd=self.folder,
            timeout=300,
        )

    def _forked(self, environment: Mapping[str, str]) -> Forked:
        if self._running is None:
            self._running = Forked(environment)
        return self._running

    def close(self) -> None:
        if self._running is not None:
            self._running.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with closing(Site(tmp_path_factory.mktemp("site"))) as made:
        yield made


def test_an_upgrade_that_brings_another_model(
    site: Site, tmp_path: Path, tiny_bundle: Path, colours: Path, photos: Path
) -> None:
    library = tmp_path / "library"
    site.bundle(tiny_bundle)
    assert site(library, "index", photos).returncode == 0
    before = site(library, "search", "red").stdout

    site.bundle(colours)
    again = site(library, "search", "red")
    assert (again.returncode, again.stdout) == (0, before)
    status = site(library, "status").stdout
    assert f"Model     {Bundle.open(tiny_bundle).id}" in status
    assert f"Next      {Bundle.open(colours).id}, which has encoded 0 so far" in status

    done = site(library, "index")
    assert f"Searches now use {Bundle.open(colours).id}, in place of" in done.stdout, done.stderr
    found = site(library, "search", "red").stdout.splitlines()
    assert found[0].endswith("red.png")
    assert len(found) == 4
    listed = json.loads(site(library, "models", "list", "--json").stdout)["models"]
    assert [(each["name"], each["kind"], each["active"]) for each in listed] == [
        ("colours", "bundled", True),
        ("tiny", "installed", False),
    ]


def test_showing_and_removing_at_the_command_line(
    site: Site, tmp_path: Path, tiny_bundle: Path, colours: Path, photos: Path
) -> None:
    library = tmp_path / "library"
    site.bundle(tiny_bundle)
    looked = site(library, "models", "show", "tiny").stdout
    assert "Licence  Apache-2.0" in looked
    assert "Random weights, for tests." in looked
    assert not library.exists()
    site(library, "index", photos)
    site(library, "models", "use", "--later", colours)
    refused = site(library, "models", "rm", "colours")
    assert (refused.returncode, "is to answer" in refused.stderr) == (2, True)
    site(library, "models", "use", "tiny")
    removed = site(library, "models", "rm", "colours").stdout
    assert removed.startswith(f"Removed {Bundle.open(colours).id};"), removed
    assert removed.endswith(" MB of disk space are free again.\n")


def test_vectors_whose_model_is_nowhere_are_told_and_replaced(
    site: Site, tmp_path: Path, tiny_bundle: Path, colours: Path, photos: Path
) -> None:
    library = tmp_path / "library"
    site.bundle(tiny_bundle)
    site(library, "index", photos)
    shutil.rmtree(library / "models")
    site.bundle(colours)
    old = Bundle.open(tiny_bundle).id

    lost = site(library, "search", "red")
    assert lost.returncode == 1
    assert f"the photos were encoded by {old}, which is not here any more" in lost.stderr
    assert "photosearch index" in lost.stderr
    assert "Traceback" not in lost.stderr
    status = site(library, "status")
    assert "not here any more" in status.stdout, status.stderr

    assert "Searches now use colours-1-" in site(library, "index").stdout
    assert site(library, "search", "red").stdout.splitlines()[0].endswith("red.png")
