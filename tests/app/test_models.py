"""Changing the model: searches go on, by the old one until the new one has encoded all photos."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from click.testing import CliRunner
from colour_bundle import picture
from model_changes import COLOURS, encode, names, restore, run, switches
from PIL import Image
from waiting import waits_for_ever

from index import Catalogue, CatalogueError
from photosearch import (
    BundleError,
    Failed,
    Finished,
    Kept,
    Library,
    Rebuilding,
    Reencoded,
    Switched,
    UsageError,
)
from photosearch.cli import main
from photosearch.encoders import DEFAULT_MODEL, Bundle

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def no_model_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PHOTOSEARCH_MODEL", raising=False)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PHOTOSEARCH_MODEL", raising=False)
        return encode(tmp_path_factory.mktemp("encoded"))


@pytest.fixture
def photos(place: Path) -> Path:
    return restore(place)


@pytest.fixture
def library(photos: Path) -> Iterator[Library]:
    with Library.open(photos.with_name("library")) as opened:
        yield opened


def test_the_bundled_model_is_used_until_another_is_chosen(library: Library) -> None:
    (model,) = library.models.all()
    assert (model.name, model.kind, model.encoded) == (DEFAULT_MODEL, "bundled", 4)
    assert model.active
    assert model.wanted
    assert model.licence == "Apache-2.0"
    assert model.dim == library.models.encoder.dim
    assert library.status().model == model.id
    assert library.status().next_model is None


def test_the_old_model_answers_until_the_new_one_has_encoded_all(
    library: Library, colours: Path
) -> None:
    before = names(library)
    old = library.models.encoder.bundle_id
    chosen = library.models.use(colours)
    assert (chosen.kind, chosen.active, chosen.wanted, chosen.encoded) == (
        "installed",
        False,
        True,
        0,
    )
    assert library.models.encoder.bundle_id == old
    seen = []
    with closing(library.index(workers=1)) as events:
        for event in events:
            seen.append(event)
            if not switches(seen):
                assert library.models.encoder.bundle_id == old
                assert names(library) == before
                assert library.status().next_model in (chosen.id, None)
    assert Rebuilding(chosen.id, 4) in seen
    assert {
        Path(path).stem for each in seen if isinstance(each, Reencoded) for path in each.paths
    } == set(COLOURS)
    assert seen[-2] == Switched(chosen.id, old)
    assert isinstance(seen[-1], Finished)
    assert library.models.encoder.bundle_id == chosen.id
    for colour in ("red", "green", "blue"):
        assert names(library, colour)[0] == colour
    assert [(model.id, model.active) for model in library.models.all()] == [
        (old, False),
        (chosen.id, True),
    ]


def test_it_lasts_and_other_open_libraries_follow(library: Library, colours: Path) -> None:
    with Library.open(library.folder) as other:
        old = other.search("red", everything=True)
        library.models.use(colours)
        run(library)
        assert [hit.score for hit in other.search("red", everything=True)] != [
            hit.score for hit in old
        ]
        assert other.models.encoder.bundle_id == library.models.encoder.bundle_id
    with Library.open(library.folder, readonly=True) as again:
        assert again.models.encoder.bundle_id.startswith("colours-1-")
        assert names(again)[0] == "red"


def test_the_copy_is_used_not_the_folder_that_was_named(
    library: Library, colours: Path, tmp_path: Path
) -> None:
    named = Path(shutil.copytree(colours, tmp_path / "downloads"))
    library.models.use(named)
    shutil.rmtree(named)
    assert switches(run(library))
    assert names(library)[0] == "red"


def test_going_back_encodes_only_what_is_new(
    library: Library, colours: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = library.models.encoder.bundle_id
    library.models.use(colours)
    run(library)
    (photos / "yellow.png").write_bytes(picture("yellow"))
    assert switches(run(library)) == []
    back = library.models.use(DEFAULT_MODEL)
    assert not back.active
    assert Rebuilding(old, 1) in (events := run(library))
    assert switches(events)
    # With nothing to encode it answers at once.
    assert library.models.use("colours").active
    assert names(library)[0] == "red"


def test_photos_that_are_new_meanwhile_are_found_at_once(
    library: Library, colours: Path, photos: Path
) -> None:
    library.models.use(colours)
    (photos / "yellow.png").write_bytes(picture("yellow"))
    with closing(library.index([photos], workers=1)) as events:
        for event in events:
            if isinstance(event, Rebuilding):
                break
        assert event.total == 5
        assert set(names(library)) == {*COLOURS, "yellow"}
        assert library.models.encoder.bundle_id.startswith(f"{DEFAULT_MODEL}-")
    assert switches(run(library))
    assert names(library, "yellow")[0] == "yellow"


def test_all_folders_take_part_though_one_is_named(
    library: Library, colours: Path, photos: Path, tmp_path: Path
) -> None:
    other = tmp_path / "more"
    other.mkdir()
    (other / "yellow.png").write_bytes(picture("yellow"))
    library.models.use(colours)
    assert switches(run(library, other))
    assert set(names(library)) == {*COLOURS, "yellow"}


def test_a_drive_that_is_away_does_not_hold_the_change_up(
    library: Library, colours: Path, photos: Path, tmp_path: Path
) -> None:
    drive = tmp_path / "drive"
    drive.mkdir()
    (drive / "yellow.png").write_bytes(picture("yellow"))
    run(library, drive)
    drive.rename(tmp_path / "unplugged")
    library.models.use(colours)
    assert switches(run(library))
    assert set(names(library)) == set(COLOURS)
    (tmp_path / "unplugged").rename(drive)
    run(library)
    assert names(library, "yellow")[0] == "yellow"


def test_copies_are_encoded_once_and_companions_stay(
    library: Library, colours: Path, photos: Path
) -> None:
    shutil.copy(photos / "red.png", photos / "copy.png")
    run(library)
    ids = {hit.path: hit.photo_id for hit in library.search("red", everything=True)}
    library.models.use(colours)
    assert Rebuilding(library.models.all()[1].id, 4) in run(library)
    assert {hit.path: hit.photo_id for hit in library.search("red", everything=True)} == ids
    assert set(names(library)[:2]) == {"red", "copy"}


def test_a_photo_that_is_damaged_since_does_not_hold_the_change_up(
    library: Library, colours: Path, photos: Path
) -> None:
    (photos / "red.png").write_bytes(b"no picture any more")
    library.models.use(colours)
    events = run(library)
    assert any(isinstance(event, Failed) for event in events)
    assert switches(events)
    assert set(names(library)) == {"green", "blue", "black"}


def test_photos_that_cannot_be_reached_hold_the_change_up(
    library: Library, colours: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root may read anything, so a link into a loop stands for what cannot be opened just now."""
    library.models.use(colours)
    red = photos / "red.png"
    with closing(library.index(workers=1)) as events:
        seen = []
        for event in events:
            seen.append(event)
            if isinstance(event, Rebuilding):
                red.rename(photos / "red.away")
                red.symlink_to(red)
    assert switches(seen) == []
    assert any(isinstance(event, Kept) and event.unread == 1 for event in seen)
    assert library.models.encoder.bundle_id.startswith(f"{DEFAULT_MODEL}-")
    assert "red" in names(library)
    assert library.models.use("colours", at_once=True).active
    assert set(names(library)) == {"green", "blue", "black"}
    red.unlink()
    (photos / "red.away").rename(red)
    run(library)
    assert names(library)[0] == "red"


def test_what_was_encoded_is_kept_when_the_run_ends_early(
    library: Library, colours: Path, photos: Path
) -> None:
    for side in range(40):
        Image.new("RGB", (21 + side, 77), "blue").save(photos / f"{side}.png")
    run(library)
    library.models.use(colours)
    with closing(library.index(workers=1)) as events:
        for event in events:
            if isinstance(event, Reencoded):
                break
    done = library.status().next_encoded
    assert 0 < done < 44
    assert library.models.encoder.bundle_id.startswith(f"{DEFAULT_MODEL}-")
    assert len(library.search("red", limit=100, everything=True)) == 44
    assert Rebuilding(library.models.all()[1].id, 44 - done) in run(library)
    assert names(library)[0] == "red"


def test_a_named_model_leaves_the_choice_alone(library: Library, colours: Path) -> None:
    with Library.open(library.folder, model=colours) as other:
        run(other)
        assert names(other)[0] == "red"
        assert [(each.kind, each.active) for each in other.models.all()] == [
            ("bundled", False),
            ("named", True),
        ]
    assert library.models.encoder.bundle_id.startswith(f"{DEFAULT_MODEL}-")
    listed = {each.kind: each.encoded for each in library.models.all()}
    assert listed == {"bundled": 4, "gone": 4}


def test_a_choice_before_the_first_photo(tmp_path: Path, colours: Path, photos: Path) -> None:
    with Library.open(tmp_path / "library") as library:
        assert library.models.use(colours).active
        events = run(library, photos)
        assert not any(isinstance(event, Rebuilding) for event in events)
        assert names(library)[0] == "red"
        assert library.models.all()[0].encoded == 0


@pytest.mark.parametrize("name", ["", "nothing", "colour/nothing"])
def test_a_model_that_is_not_there_changes_nothing(library: Library, name: str) -> None:
    before = library.status()
    with pytest.raises((UsageError, BundleError), match=name or "no such model"):
        library.models.use(name)
    assert library.status() == before


def test_a_damaged_bundle_is_not_taken(library: Library, colours: Path, tmp_path: Path) -> None:
    damaged = Path(shutil.copytree(colours, tmp_path / "damaged"))
    network = bytearray((damaged / "image.onnx").read_bytes())
    network[100] ^= 1
    (damaged / "image.onnx").write_bytes(network)
    before = library.status()
    with pytest.raises(BundleError, match=r"image\.onnx: is damaged"):
        library.models.use(damaged)
    assert library.status() == before
    assert not any(path.name.startswith(".") for path in (library.folder / "models").iterdir())


def test_a_choice_whose_bundle_was_deleted(library: Library, colours: Path) -> None:
    old = library.models.encoder.bundle_id
    chosen = library.models.use(colours)
    shutil.rmtree(library.folder / "models" / chosen.id)
    assert library.models.encoder.bundle_id == old  # it answers all the same
    with pytest.raises(BundleError, match=f"models use {DEFAULT_MODEL}"):
        run(library)
    assert library.models.use(DEFAULT_MODEL).active
    assert switches(run(library)) == []


def test_the_card_and_the_licence_are_there_to_be_shown(library: Library, colours: Path) -> None:
    library.models.use(colours)
    bundled, installed = library.models.all()
    assert installed == library.models.get("colours")
    assert (installed.licence, installed.card) == ("Apache-2.0", "# Colours\n")
    assert bundled.card is not None
    assert "## Known weaknesses" in bundled.card


def recorded(folder: Path, bundle_id: str) -> int:
    with suppress(CatalogueError), Catalogue.open(folder, readonly=True) as catalogue:
        return catalogue.counts().embeddings.get(bundle_id, 0)
    return 0


def test_a_change_that_is_killed_half_way(
    library: Library, colours: Path, photos: Path, tmp_path: Path
) -> None:
    Image.new("RGB", (50, 50), "yellow").save(photos / "wait.png")
    run(library)
    before = library.search("red", everything=True)
    place = str(library.folder)
    process = subprocess.Popen(
        [sys.executable, "-m", "photosearch", "--library", place, "models", "use", str(colours)],
        env=os.environ | waits_for_ever(tmp_path / "hook"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    new = Bundle.open(colours).id
    while recorded(library.folder, new) < 4:
        assert process.poll() is None, "the run has ended"
        time.sleep(0.05)
    process.kill()
    assert process.wait(timeout=60) == -signal.SIGKILL

    assert library.search("red", everything=True) == before
    status = library.status()
    assert (status.next_model, status.next_encoded) == (new, 4)
    assert Rebuilding(new, 1) in (events := run(library))
    assert switches(events)
    assert names(library)[0] == "red"


def test_a_model_that_answers_already_is_finished_when_it_is_chosen(
    library: Library, colours: Path
) -> None:
    """As after --now, or where it answers for want of another and a run was killed."""
    model = library.models.use(colours, at_once=True)
    assert (model.active, library.models.waiting(model.id)) == (True, len(COLOURS))
    arguments = ["--library", str(library.folder), "models", "use", model.id]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    assert "Encoding all photos by" in result.output
    assert library.models.waiting(model.id) == 0
    assert "Searches now use" in CliRunner().invoke(main, arguments).output
