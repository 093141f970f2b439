"""Models on their way: through a proxy, not at all offline, onto a full disk, and from a stick."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hub_server import Hub, serving
from test_models_pull import Command
from tiny_published import publish

from photosearch import DownloadError, Library
from photosearch.encoders import Bundle
from photosearch.errors import BundleError
from photosearch.pulling import run
from photosearch.pulling.offers import find_offer
from photosearch.pulling.run import Downloading, Pulled

pytestmark = pytest.mark.slow

OFFER = find_offer("ViT-B-32__openai")


@pytest.fixture
def hub(tmp_path: Path, tiny_bundle: Path) -> Iterator[Hub]:
    with serving() as running:
        running.add(OFFER.repository, publish(tiny_bundle, tmp_path / "published"))
        yield running


@pytest.fixture
def command(tmp_path: Path, hub: Hub) -> Iterator[Command]:
    found = Command(tmp_path, hub)
    yield found
    found.end()


def test_through_a_proxy(command: Command, hub: Hub) -> None:
    code, out, error = command(
        "models",
        "pull",
        OFFER.name,
        HF_ENDPOINT="http://models.invalid",
        HTTP_PROXY=hub.url,
        NO_PROXY="",
        no_proxy="",
    )
    assert code == 0, error
    assert out.startswith(f"Added {OFFER.name}-1-")
    assert "models.invalid" in hub.proxied


def test_offline_nothing_is_asked(command: Command, hub: Hub) -> None:
    code, _, error = command("models", "pull", OFFER.name, HF_HUB_OFFLINE="1")
    assert (code, "since HF_HUB_OFFLINE forbids it" in error) == (2, True)
    code, _, error = command("models", "pull", OFFER.name, PHOTOSEARCH_OFFLINE="yes")
    assert (code, "since the setting `offline`" in error) == (2, True)
    assert hub.asked == []


def test_the_disk_is_looked_at_first(
    hub: Hub, tmp_path: Path, tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With room for the vectors, too: those of a thousand photos take two megabytes."""
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    disk = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(run.shutil, "disk_usage", lambda _: disk._replace(free=4_000_000))
    size = sum(len(data) for name, data in hub.files.items() if name.startswith(OFFER.repository))
    assert size < 4_000_000
    with Library.open(tmp_path / "library") as library:
        monkeypatch.setattr(library.models, "_photos", lambda: 1_000_000)
        with pytest.raises(DownloadError, match=r"needs \d{4} MB of disk space .* 4 MB are free"):
            list(library.models.pull(OFFER.name))
        with pytest.raises(DownloadError, match=r"needs \d{3} MB of disk space .* 4 MB are free"):
            list(library.models.add(tiny_bundle))
        assert hub.ranges() == []
        assert [model.kind for model in library.models.all()] == ["bundled"]


def test_from_a_stick(command: Command, tiny_bundle: Path, colours: Path, tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    (stick / "DCIM").mkdir(parents=True)
    shutil.copytree(tiny_bundle, stick / "tiny")
    code, out, error = command("models", "add", stick)
    assert code == 0, error
    bundle_id = Bundle.open(tiny_bundle).id
    assert out.startswith(f"Added {bundle_id}.")
    assert command("models", "add", stick / "tiny")[1].startswith(f"Already here: {bundle_id}.")
    listed = json.loads(command("models", "list", "--json")[1])["models"]
    assert [(one["name"], one["wanted"]) for one in listed][1:] == [("tiny", False)]

    with Library.open(tmp_path / "other") as library:
        *loading, pulled = library.models.add(stick)
        assert pulled == Pulled("tiny", bundle_id, fresh=True)
        done = [each.done for each in loading if isinstance(each, Downloading)]
        assert done == sorted(done)
        assert done[-1] == loading[0].total
        shutil.copytree(colours, stick / "colours")
        with pytest.raises(BundleError, match=r"holds several models \(colours, tiny\)"):
            list(library.models.add(stick))
        with pytest.raises(BundleError, match="no model bundle here"):
            list(library.models.add(stick / "DCIM"))
