"""Downloading a model: from a hub on this machine, by real HTTP, to a bundle that searches."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from forked import alive
from hub_server import COMMIT, Hub, serving
from shell import forked
from tiny_openclip import DIM, write_folder

from index import InUseError
from photosearch import DownloadError, Library, UsageError
from photosearch.encoders import DEFAULT_MODEL, Bundle, BundleStore
from photosearch.pulling import download
from photosearch.pulling.download import HubFile, fetch, look_up
from photosearch.pulling.offers import OFFERS, check_licence, find_offer
from photosearch.pulling.run import Converting, Downloading, Pulled, PullEvent, pull

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).parents[2]
OFFER = find_offer("ViT-B-32")
README = "---\nlicense: mit\n---\n# Their card\n\nTrained somewhere.\n"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the hub has of a model: a tiny one with random weights, but a real one."""
    folder = write_folder(tmp_path_factory.mktemp("models") / "tiny")
    (folder / "README.md").write_text(README)
    (folder / "LICENSE").write_text("Do what you like.\n")
    return folder


@pytest.fixture
def hub(model: Path) -> Iterator[Hub]:
    with serving() as running:
        running.add(OFFER.repository, model)
        yield running


@pytest.fixture
def weights(hub: Hub) -> HubFile:
    found = look_up(OFFER.repository, OFFER.weights[0], endpoint=hub.url)
    assert found is not None
    return found


@pytest.fixture
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "_PAUSES", (0.0, 0.0))


class Command:
    """`photosearch models ...` in a process of its own, with a library, at the hub of the test."""

    def __init__(self, folder: Path, hub: Hub) -> None:
        self.library = folder / "library"
        # The modules of the pages, which other tests import, keep their process offline.
        self.environment = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith("PHOTOSEARCH_") and not key.endswith("HF_HUB_OFFLINE")
        } | {
            "PYTHONPATH": str(REPOSITORY),
            "PHOTOSEARCH_LIBRARY": str(self.library),
            "PHOTOSEARCH_WORKERS": "1",
            "HF_ENDPOINT": hub.url,
        }
        self.folder = folder
        self._started: list[subprocess.Popen[str]] = []

    def start(self, *arguments: str | Path, **environment: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "photosearch", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.folder,
            env=self.environment | environment,
        )
        self._started.append(process)
        return process

    def end(self) -> None:
        """Kill what a test that failed has left behind."""
        for process in self._started:
            if process.returncode is None:
                process.kill()
                process.communicate()

    def __call__(self, *arguments: str | Path, **environment: str) -> tuple[int, str, str]:
        if sys.platform != "linux" or "PYTHONPATH" in environment:
            process = self.start(*arguments, **environment)
            out, error = process.communicate(timeout=300)
            code = process.returncode
        else:
            result = forked().run(arguments, self.folder, self.environment | environment)
            code, out, error = result.returncode, result.stdout.decode(), result.stderr.decode()
        assert "Traceback" not in error
        return code, out, error


@pytest.fixture
def command(tmp_path: Path, hub: Hub) -> Iterator[Command]:
    found = Command(tmp_path, hub)
    yield found
    found.end()


# From the hub to a search


def _size(path: Path) -> int:
    """That of a part; 0 when its file is whole by now, and has another name."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def test_a_download_that_is_killed_goes_on_and_becomes_a_model(
    command: Command, hub: Hub, photos: Path, tmp_path: Path
) -> None:
    with hub.holding(2_000_000):
        killed = command.start("models", "pull", "vit-b-32")
        part = command.library / f"models/.downloads/ViT-B-32/{COMMIT[:16]}/model"
        while not any(_size(path) > 1_000_000 for path in part.glob("*.part")):
            assert killed.poll() is None, killed.communicate()
            time.sleep(0.02)
        killed.kill()
        killed.communicate()
    assert killed.returncode == -signal.SIGKILL

    code, out, error = command("models", "pull", "ViT-B-32")
    assert code == 0, error
    first, second = hub.ranges()
    assert first is None
    assert second is not None
    assert int(second.removeprefix("bytes=").rstrip("-")) >= 1_000_000
    assert not (command.library / "models/.downloads/ViT-B-32").exists()
    listed = json.loads(command("models", "list", "--json")[1])
    bundled, pulled = listed["models"]
    assert out.startswith(f"Added {pulled['id']}.")
    assert (pulled["name"], pulled["kind"], pulled["active"]) == ("ViT-B-32", "installed", False)
    assert (pulled["licence"], pulled["dim"]) == ("MIT", DIM)
    assert "# Their card\n\nTrained somewhere." in pulled["card"]
    assert "license: mit" not in pulled["card"]
    assert [each["name"] for each in listed["offered"] if each["here"]] == ["ViT-B-32"]
    bundle = Bundle.open(command.library / "models" / pulled["id"])
    source = bundle.manifest["provenance"]["source"]
    assert (source["repository"], source["commit"]) == (OFFER.repository, COMMIT)
    assert (bundle.folder / "LICENSE").read_text() == "Do what you like.\n"

    # It has changed nothing yet.
    assert command("index", photos)[0] == 0
    assert json.loads(command("status", "--json")[1])["model"] == bundled["id"]
    code, out, error = command("models", "use", "ViT-B-32")
    assert code == 0, error
    assert f"Searches now use {pulled['id']}" in out
    assert len(command("search", "a cat")[1].splitlines()) == 6
    asked = len(hub.asked)
    assert command("models", "pull", "ViT-B-32")[1].startswith(f"Already here: {pulled['id']}.")
    assert len(hub.asked) == asked


def test_progress_is_told_until_weights_are_refused(hub: Hub, tmp_path: Path) -> None:
    """By the trainer's own configuration of a model, as Apple's are converted."""
    offer = replace(OFFER, family="MobileCLIP-Nano")
    store = BundleStore(tmp_path / "models")
    events: list[PullEvent] = []
    with pytest.raises(DownloadError, match=r"converted .*not a model of the MobileCLIP family"):
        events.extend(pull(store, offer, endpoint=hub.url))
    loading = [event for event in events if isinstance(event, Downloading)]
    (total,) = {event.total for event in loading}
    done = [event.done for event in loading]
    assert len(set(done)) > 10
    assert done == sorted(done)
    assert done[-1] == total
    assert all(isinstance(event, Converting) for event in events[len(loading) :])
    assert len(events) > len(loading)
    # Nothing is in use of it, and nothing has to be fetched again.
    assert store.ids() == []
    asked = hub.ranges()
    with closing(pull(store, offer, endpoint=hub.url)) as again:
        assert any(isinstance(event, Converting) for event in again)
    assert hub.ranges() == asked


def test_the_conversion_ends_with_the_process_that_wants_it(command: Command) -> None:
    """It would go on writing where the next one writes."""
    process = command.start("models", "pull", "ViT-B-32")
    log = command.library / f"models/.downloads/ViT-B-32/{COMMIT[:16]}/convert.log"
    while not log.is_file():
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    time.sleep(0.1)
    found = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True)
    (child,) = map(int, found.stdout.split())
    process.kill()
    process.communicate()
    until = time.monotonic() + 60
    while alive(child):
        assert time.monotonic() < until
        time.sleep(0.02)
    assert json.loads(command("models", "list", "--json")[1])["models"][1:] == []


# One file


def test_a_connection_that_breaks_is_taken_up_where_it_was(
    hub: Hub, weights: HubFile, tmp_path: Path, quickly: None
) -> None:
    hub.cut = 1_000_000
    seen = list(fetch(weights, tmp_path / weights.name))
    assert seen == sorted(seen)
    assert seen[-1] == weights.size
    assert (tmp_path / weights.name).read_bytes() == hub.files[f"{OFFER.repository}/{weights.name}"]
    assert len(hub.ranges()) == -(-weights.size // 1_000_000)
    starts = [int((each or "bytes=0-")[6:-1]) for each in hub.ranges()]
    assert starts == sorted(set(starts))


def test_a_server_that_serves_no_parts_begins_anew(
    hub: Hub, weights: HubFile, tmp_path: Path
) -> None:
    data = hub.files[f"{OFFER.repository}/{weights.name}"]
    (tmp_path / f"{weights.name}.part").write_bytes(data[:500_000])
    hub.whole = True
    list(fetch(weights, tmp_path / weights.name))
    assert (tmp_path / weights.name).read_bytes() == data
    assert hub.ranges() == ["bytes=500000-"]


def test_a_break_for_good_keeps_what_came(
    hub: Hub, weights: HubFile, tmp_path: Path, quickly: None
) -> None:
    data = hub.files[f"{OFFER.repository}/{weights.name}"]
    part = tmp_path / f"{weights.name}.part"
    part.write_bytes(data[:1_500_000])
    hub.cut = 0
    with pytest.raises(DownloadError, match=r"broke off at 1\.5 of .*goes on from there"):
        list(fetch(weights, tmp_path / weights.name))
    assert part.read_bytes() == data[:1_500_000]
    assert not (tmp_path / weights.name).exists()


def test_a_wrong_hash_is_refused(hub: Hub, weights: HubFile, tmp_path: Path) -> None:
    hub.altered = True
    with pytest.raises(DownloadError, match="another hash"):
        list(fetch(weights, tmp_path / weights.name))
    assert list(tmp_path.iterdir()) == []


def test_a_small_file_is_checked_by_the_hash_that_git_gives_it(hub: Hub, tmp_path: Path) -> None:
    found = look_up(OFFER.repository, "README.md", endpoint=hub.url)
    assert found is not None
    list(fetch(found, tmp_path / found.name))
    assert (tmp_path / "README.md").read_text() == README
    (tmp_path / "README.md").unlink()
    hub.files[f"{OFFER.repository}/README.md"] = README.replace("some", "else").encode()
    with pytest.raises(DownloadError, match="another hash"):
        list(fetch(found, tmp_path / found.name))


def test_a_file_that_is_not_there(hub: Hub) -> None:
    assert look_up(OFFER.repository, "nothing.bin", endpoint=hub.url) is None


# What is refused


def test_without_a_network_the_model_in_use_goes_on(command: Command, photos: Path) -> None:
    command("index", photos)
    before = command("search", "a cat")
    code, _, error = command("models", "pull", "ViT-B-32", HF_ENDPOINT="http://127.0.0.1:1")
    assert code == 1
    assert "cannot be reached" in error
    assert "the model in use stays as it is" in error
    assert before[0] == 0
    assert command("search", "a cat") == before


def test_nothing_is_fetched_without_consent_or_the_trainer(
    command: Command, hub: Hub, tmp_path: Path
) -> None:
    code, _, error = command("models", "pull", "MobileCLIP2-S0")
    assert (code, "--accept-license apple-amlr" in error) == (2, True)
    code, _, error = command("models", "pull", "MobileCLIP2-S0", "--accept-license", "MIT")
    assert (code, "is apple-amlr, not MIT" in error) == (2, True)
    # A Python without PyTorch.
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['torch'] = None\n")
    paths = os.pathsep.join((str(tmp_path), str(REPOSITORY)))
    code, _, error = command("models", "pull", "ViT-B-32", PYTHONPATH=paths)
    assert code == 2
    assert "torch is not installed" in error
    assert "pip install 'photosearch[trainer]'" in error
    assert hub.asked == []


def test_a_model_that_was_not_finished_can_be_removed(hub: Hub, tmp_path: Path) -> None:
    with Library.open(tmp_path / "library") as library:
        left = library.folder / "models/.downloads/ViT-B-32/x/model"
        left.mkdir(parents=True)
        (left / "weights.part").write_bytes(bytes(5000))
        assert library.models.remove("vit-b-32").bytes >= 5000
        assert not left.exists()
        with pytest.raises(UsageError, match="no such model"):
            library.models.remove("ViT-B-32")


def test_a_failure_before_the_download_leaves_nothing(hub: Hub, tmp_path: Path) -> None:
    hub.files.clear()
    store = BundleStore(tmp_path / "models")
    with pytest.raises(DownloadError, match=r"has no open_clip_model.safetensors or open_clip_py"):
        list(pull(store, OFFER, endpoint=hub.url))
    assert list(tmp_path.iterdir()) == []


def test_two_do_not_fetch_the_same_model_at_once(hub: Hub, tmp_path: Path) -> None:
    store = BundleStore(tmp_path / "models")
    with closing(pull(store, OFFER, endpoint=hub.url)) as first:
        next(first)
        with pytest.raises(InUseError, match="is being changed by"):
            list(pull(store, OFFER, endpoint=hub.url))


def test_the_folder_of_a_bundle(tiny_bundle: Path, tmp_path: Path) -> None:
    with Library.open(tmp_path / "library") as library:
        *_, pulled = library.models.pull(str(tiny_bundle))
        assert pulled == Pulled("tiny", Bundle.open(tiny_bundle).id, fresh=True)
        assert list(library.models.pull(str(tiny_bundle))) == [replace(pulled, fresh=False)]
        assert [(model.name, model.wanted) for model in library.models.all()] == [
            (DEFAULT_MODEL, True),
            ("tiny", False),
        ]
        with pytest.raises(UsageError, match="`photosearch models pull ViT-B-16` downloads it"):
            library.models.use("vit-b-16")


# What is offered


def test_the_offers(tmp_path: Path) -> None:
    with Library.open(tmp_path / "library") as library:
        assert library.models.offers() == list(OFFERS)
    assert len({offer.name for offer in OFFERS}) == len(OFFERS)
    for offer in OFFERS:
        assert offer.research_only == (offer.licence not in ("MIT", "Apache-2.0"))
        assert offer.research_only == (offer.maker in ("Apple", "Alexander Visheratin"))
        check_licence(offer, offer.licence)
        # An id ends in a version and a hash; by them its name is found again.
        assert "-" not in offer.version
        assert offer.converted or offer.repository.partition("/")[2] in offer.name
        if offer.kind == "open_clip":
            assert offer.name == offer.repository.partition("/")[2]
    recommended = [offer.recommended for offer in OFFERS]
    assert recommended == sorted(recommended, reverse=True)
    assert all(not offer.research_only for offer in OFFERS if offer.recommended)
    assert sum(offer.kind == "open_clip" for offer in OFFERS) > 50
    assert find_offer("MobileCLIP-B-LT").weights == ("mobileclip_blt.pt",)
    assert find_offer("MobileCLIP2-L-14").weights == ("mobileclip2_l14.pt",)
    speeds = [find_offer(name).speed for name in ("ViT-B-32", "ViT-B-32-256", "ViT-B-16")]
    assert speeds == ["fast", "medium", "slow"]
    assert find_offer("ViT-gopt-16-SigLIP2-384__webli").speed == "very slow"
    with pytest.raises(UsageError, match="or ViT-B-16"):
        find_offer("vit-b-18")
    with pytest.raises(UsageError, match=r"for nothing commercial, by the licence CC-BY-NC-4\.0"):
        check_licence(find_offer("nllb-clip-base-siglip__v1"), None)


def test_the_list_shows_the_best_and_on_request_all(command: Command) -> None:
    code, out, error = command("models", "list")
    assert code == 0, error
    assert "ViT-B-16-SigLIP2__webli" in out
    assert "many languages" in out
    assert "mobileclip_s0-int8" not in out
    left = sum(not offer.recommended for offer in OFFERS)
    assert f"and {left} more, which --available lists" in out
    everything = command("models", "list", "--available")[1]
    assert all(f" {offer.name} " in everything for offer in OFFERS)
    said = command("models", "show", "mobileclip_s0-fp16")[1]
    assert "used as it is published" in said
    assert "--accept-license apple-amlr" in said
    assert "converted by the trainer" in command("models", "show", "ViT-B-16")[1]


@pytest.mark.parametrize("offer", [offer for offer in OFFERS if offer.family])
def test_what_is_said_of_the_family_is_what_its_configuration_says(offer: Any) -> None:
    from trainer.models.config import load_config

    config = load_config(offer.family)
    assert (offer.dim, offer.pixels) == (config.dim, config.image.size)
