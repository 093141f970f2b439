"""What only looks the same: told as such, and stacked, after it has been compared by its pixels."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from copies_on_disk import copied, cut_short, edited, gone, told
from PIL import Image, ImageEnhance
from shell import Shell
from texts_drawn import BOARDING, BUDGET, WIFI, changed, screen

from index import Catalogue, FileStamp, Metadata, NewPhoto
from photosearch import Library, UsageError
from photosearch.encoders import open_encoder
from photosearch.looks import glance
from photosearch.search import ondisk
from photosearch.search.duplicates import Duplicates, LeftOut

pytestmark = pytest.mark.slow

# What looks the same, with the model that comes with photosearch


@pytest.fixture(scope="module")
def looking(tmp_path_factory: pytest.TempPathFactory, pictures: Path) -> tuple[Path, Path]:
    """A library, and the folder of its photos."""
    place = tmp_path_factory.mktemp("looking")
    photos = place / "photos"
    photos.mkdir()
    for name, lines in (
        ("boarding", BOARDING),
        ("wifi", WIFI),
        ("other wifi", changed(WIFI, 1, "Password: kX9-mwTq-77")),
        ("budget", BUDGET),
    ):
        screen(lines).save(photos / f"{name}.png")
    coffee = Image.open(pictures / "coffee.png").convert("RGB").resize((1800, 1200))
    coffee.save(photos / "coffee.jpg", quality=92)
    coffee.resize((900, 600)).save(photos / "coffee small.jpg", quality=80)
    copied(photos / "coffee small.jpg", photos / "coffee small again.jpg")
    ImageEnhance.Brightness(coffee).enhance(1.08).save(photos / "coffee bright.jpg", quality=70)
    coffee.crop((0, 0, 1700, 1130)).save(photos / "coffee cropped.jpg", quality=92)
    with Library.open(place / "library") as library:
        list(library.index([photos], workers=1))
    return place / "library", photos


@pytest.fixture
def near(looking: tuple[Path, Path], tmp_path: Path) -> Iterator[Library]:
    """A library of its own, of photos that are to stay as they are."""
    shutil.copytree(looking[0], tmp_path / "library")
    with Library.open(tmp_path / "library") as library:
        yield library


NEAR = ["coffee.jpg", "coffee bright.jpg", "coffee small again.jpg"]
EXACT = ["coffee small again.jpg", "coffee small.jpg"]


def test_only_what_looks_the_same_is_a_near_duplicate(near: Library) -> None:
    """And neither screenshots of which a letter differs, nor a copy that was cut."""
    boarding = near.search("type:png")[0]
    alike = {
        Path(hit.path).name: hit.score for hit in near.photos.similar(boarding.photo_id, limit=3)
    }
    assert min(score or 0 for score in alike.values()) > 0.97, "vectors do not tell them apart"
    found = list(near.photos.duplicates(near_too=True))
    groups = {each.kind: each for each in found if isinstance(each, Duplicates)}
    assert len(found) == len(groups) == 2
    assert [Path(photo.path).name for photo in groups["exact"].photos] == EXACT
    assert [Path(photo.path).name for photo in groups["near"].photos] == NEAR
    assert 0.97 <= groups["near"].similarity < 1
    with pytest.raises(UsageError, match="similarity"):
        list(near.photos.duplicates(near_too=True, similarity=0.1))


def test_near_duplicates_of_photos_that_nobody_looked_at(near: Library) -> None:
    with Catalogue.open(near.folder) as catalogue, catalogue._connection.write() as db:
        db.execute("DELETE FROM looks")
    assert told(near, near_too=True)[0] == [EXACT, NEAR]


def test_a_near_duplicate_is_looked_up_on_disk(tmp_path: Path, pictures: Path) -> None:
    happening = dict(
        zip(("coffee", "astronaut", "chelsea"), (gone, edited, cut_short), strict=True)
    )
    for name in (*happening, "coins"):
        image = Image.open(pictures / f"{name}.png").convert("RGB")
        for file, quality in (("a.jpg", 95), ("b.jpg", 75)):
            (tmp_path / "photos" / name).mkdir(parents=True, exist_ok=True)
            image.save(tmp_path / "photos" / name / file, quality=quality)
    with Library.open(tmp_path / "library") as library:
        list(library.index([tmp_path / "photos"], workers=1))
        for name, happened in happening.items():
            happened(tmp_path / "photos" / name / "a.jpg")
        found = list(library.photos.duplicates(near_too=True))
    (group,) = (each for each in found if isinstance(each, Duplicates))
    assert [Path(photo.path).parent.name for photo in group.photos] == ["coins", "coins"]
    left = {Path(each.path).parent.name: each for each in found if isinstance(each, LeftOut)}
    assert left.keys() == happening.keys()
    assert left["coffee"].reason == ondisk.GONE
    assert left["chelsea"].reason == ondisk.CHANGED


def test_nul_ended_paths_are_of_copies_only_without_near(
    looking: tuple[Path, Path], shell: Shell
) -> None:
    library, photos = looking
    shell.environment |= {"PHOTOSEARCH_LIBRARY": str(library)}
    del shell.environment["PHOTOSEARCH_MODEL"]

    def named(*options: str) -> set[str]:
        printed = shell("duplicates", "-0", *options).stdout.decode().split("\0")[:-1]
        return {str(Path(path).relative_to(photos)) for path in printed}

    assert named() == {"coffee small.jpg"}
    assert named("--near") == {"coffee small.jpg", *NEAR[1:]}
    lines = shell("duplicates", "--near").stdout.decode().splitlines()
    assert next(line for line in lines if not line.startswith("  ")) == "same bytes"
    assert any(line.startswith("look the same (0.9") for line in lines)


# Stacks in search results


@pytest.mark.parametrize(
    ("photos", "expected"),
    [
        # As alike by their vectors as they can be.
        ({"a": ("x", BOARDING), "b": ("x", WIFI), "c": ("x", BUDGET)}, ["a", "b", "c"]),
        ({"a": ("x", WIFI), "b": ("x", WIFI)}, ["ab"]),
        ({"a": ("x", WIFI), "b": ("y", WIFI)}, ["a", "b"]),
        # Made within seconds, which makes photos of one camera a burst.
        ({"a": ("x", WIFI, 0, None), "b": ("x", BUDGET, 1, None)}, ["a", "b"]),
        ({"a": ("x", WIFI, 0, "Canon"), "b": ("x", BUDGET, 1, "Canon")}, ["ab"]),
        ({"a": ("x", WIFI, 0, "Canon"), "b": ("x", BUDGET, 1, "Nikon")}, ["a", "b"]),
        ({"a": ("x", WIFI, 0, "Canon"), "b": ("x", BUDGET, 9, "Canon")}, ["a", "b"]),
        # Nobody has looked yet, so nothing is hidden.
        ({"a": ("x", None), "b": ("x", None)}, ["a", "b"]),
        # In whatever order they come.
        (
            {"a": ("x", WIFI), "b": ("x", BUDGET), "c": ("x", WIFI), "d": ("x", BUDGET)},
            ["ac", "bd"],
        ),
    ],
)
def test_stacks_hide_nothing_that_looks_different(
    tmp_path: Path,
    tiny_bundle: Path,
    photos: dict[str, tuple[object, ...]],
    expected: list[str],
) -> None:
    encoder = open_encoder(tiny_bundle)
    axes = {"x": np.eye(encoder.dim)[0], "y": np.eye(encoder.dim)[1]}
    new = []
    for name, (_, lines, *more) in photos.items():
        second, camera = more or (0, None)
        said = Metadata(f"2021-05-03T10:00:0{second}", 0, "exif", camera=camera)  # type: ignore[arg-type]
        look = None if lines is None else glance(screen(lines), 1080, 2400).packed()  # type: ignore[arg-type]
        file = (f"/{name}.jpg", FileStamp(1, 1), 4, 3, "JPEG", name.encode() * 32, said)
        new.append(NewPhoto(*file, look=look))
    with Catalogue.open(tmp_path / "library") as catalogue:
        vectors = np.stack([axes[str(axis)] for axis, *_ in photos.values()])
        catalogue.record(encoder.bundle_id, new, vectors)
    with Library.open(tmp_path / "library", model=tiny_bundle) as library:
        hits = library.search("type:jpeg", collapse=True, sort="oldest")
        stacks = [
            "".join(sorted(Path(one.path).stem for one in (hit, *hit.others))) for hit in hits
        ]
    assert sorted(stacks) == expected
