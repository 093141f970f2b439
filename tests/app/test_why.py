"""Why a photo fits a query: shares that add up, and a map that points at what was asked for."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bundled_library import index_bundled
from PIL import Image
from shell import Shell

from photosearch import Library, UsageError
from photosearch.encoders import ImageSettings, bundled_path
from photosearch.search.why import CELLS, seen_area

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, pictures: Path) -> Path:
    """A library of five photos, of which one has a cat on the left and a cup on the right."""
    place = tmp_path_factory.mktemp("why")
    (place / "photos").mkdir()
    both = Image.new("RGB", (800, 400))
    for number, name in enumerate(("chelsea.png", "coffee.png")):
        with Image.open(pictures / name) as opened:
            half = opened.convert("RGB").resize((400, 400))
        both.paste(half, (400 * number, 0))
        half.save(place / "photos" / name)
    both.save(place / "photos" / "both.png")
    for name in ("rocket.jpg", "coins.png"):
        shutil.copyfile(pictures / name, place / "photos" / name)
    return index_bundled(place)


@pytest.fixture(scope="module")
def library(place: Path) -> Iterator[Library]:
    """Each picture is encoded once: the photos with parts of them covered are always the same."""
    with Library.open(place / "library", model=bundled_path()) as library:
        encoder = library.models.encoder
        encode, known = encoder.encode_pixels, dict[bytes, np.ndarray]()

        def encode_once(pixels: np.ndarray) -> np.ndarray:
            names = [one.tobytes() for one in pixels]
            new = [number for number, name in enumerate(names) if name not in known]
            if new:
                known.update(zip([names[n] for n in new], encode(pixels[new]), strict=True))
            return np.stack([known[name] for name in names])

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(encoder, "encode_pixels", encode_once)
            yield library


def test_the_map_points_at_what_was_asked_for(library: Library, place: Path) -> None:
    for text, side in (("a cat", 0), ("a cup of coffee", 1)):
        why = library.photos.why(place / "photos" / "both.png", text)
        assert why.grid.shape == (CELLS, CELLS)
        halves = why.heat[:, : CELLS // 2].sum(), why.heat[:, CELLS // 2 :].sum()
        assert halves[side] > 2 * halves[1 - side], text
        assert why.heat.max() == 1
        assert why.area == (0, 0, 1, 1)


def test_the_shares_add_up_to_the_score_of_the_search(library: Library) -> None:
    for text in ("a cat", "2:cat cup", "cat photo:1", "cup -cat", "a cup without a cat"):
        hits = library.search(text, everything=True, limit=1)
        for hit in hits:
            why = library.photos.why(hit.photo_id, text)
            assert why.path == hit.path
            assert why.score == pytest.approx(hit.score, abs=2e-3), text
            assert sum(share.adds for share in why.terms) == pytest.approx(why.score)


def test_what_should_not_be_seen_takes_off(library: Library, place: Path) -> None:
    for name, off in (("chelsea.png", True), ("coffee.png", False)):
        _, unlike = library.photos.why(place / "photos" / name, "cup -cat").terms
        assert (unlike.term, unlike.weight, unlike.words) == ("cat", -1, ())
        assert (unlike.adds < -0.01) is off


def test_words_that_matter_cost_more_when_left_out(library: Library, place: Path) -> None:
    (share,) = library.photos.why(place / "photos" / "chelsea.png", "the cat there").terms
    falls = dict(share.words)
    assert list(falls) == ["the", "cat", "there"]
    assert falls["cat"] > 0.1 > max(falls["the"], falls["there"])


def test_says_what_is_needed(library: Library, place: Path) -> None:
    why = library.photos.why(place / "photos" / "chelsea.png", "a cat")
    hits = library.search("a cat")
    assert why.cutoff == hits.cutoff
    assert why.score > why.cutoff
    other = library.photos.why(place / "photos" / "coffee.png", "a cat")
    assert other.score < other.cutoff
    assert library.photos.why(place / "photos" / "coffee.png", "photo:1").cutoff is None


def test_filters_in_the_text_say_what_is_needed_as_in_the_search(library: Library) -> None:
    for text in ("a rocket type:png", "a cat type:gif", "a cup -cat type:jpg", "-cat"):
        assert library.photos.why(1, text).cutoff == library.search(text).cutoff, text
    assert library.search("a rocket type:png").cutoff != library.search("a rocket").cutoff


def test_nothing_is_encoded_twice(
    library: Library, place: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = library.models.encoder
    encoded: list[str | bytes] = []

    def noted(encode: Callable[[Any], Any], note: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def encode_and_note(given: Any) -> Any:
            encoded.extend(map(note, given))
            return encode(given)

        return encode_and_note

    for name, note in (("encode_texts", str), ("encode_pixels", lambda one: one.tobytes())):
        monkeypatch.setattr(encoder, name, noted(getattr(encoder, name), note))
    rocket = (pictures / "rocket.jpg").read_bytes()
    library.photos.why(place / "photos" / "both.png", "a brown cat image:1", images=[rocket])
    texts = [each for each in encoded if isinstance(each, str)]
    assert texts == ["a brown cat", "brown cat", "a cat", "a brown"]
    # The picture, it with each of 36 parts covered, or all but that, and the other one.
    assert len(encoded) - len(texts) == 1 + 2 * 36 + 1
    assert len(set(encoded)) == len(encoded)


def test_a_picture_outside_the_library(library: Library, pictures: Path) -> None:
    assert library.photos.why(pictures / "rocket.jpg", "a rocket launch").score > 0.3


def test_refusals(library: Library, place: Path) -> None:
    with pytest.raises(UsageError, match="99: no photo of the library has this id"):
        library.photos.why(99, "a cat")
    with pytest.raises(UsageError, match=r"gone\.png: there is no such picture"):
        library.photos.why(place / "gone.png", "a cat")
    with pytest.raises(UsageError, match="describes nothing that a photo could show"):
        library.photos.why(1, "type:png")
    broken = place / "broken.png"
    broken.write_bytes(b"\x89PNG nothing more")
    with pytest.raises(UsageError, match=r"broken\.png: .*name another picture"):
        library.photos.why(broken, "a cat")


def test_what_a_cropping_model_sees() -> None:
    settings = ImageSettings(32, "shortest", "center", "bicubic", (0.5,) * 3, (0.5,) * 3)
    assert seen_area(settings, 200, 100) == (0.25, 0, 0.75, 1)
    assert seen_area(settings, 100, 400) == (0, 0.375, 1, 0.625)


class TestShell:
    @pytest.fixture
    def run(self, place: Path) -> Shell:
        return Shell(place, bundled_path())

    def test_prints_shares_and_a_map(self, run: Shell) -> None:
        result = run("why", "photos/both.png", "a cat")
        assert result.returncode == 0, result.stderr
        lines = result.stdout.decode().splitlines()
        assert lines[0].endswith("photos/both.png")
        assert lines[1].endswith("is needed")
        drawn = lines[-CELLS:]
        assert {len(line) for line in drawn} == {4 + 2 * CELLS}
        assert "@@" in "".join(line[4 : 4 + CELLS] for line in drawn)

    def test_json(self, indexed: Shell) -> None:
        found = json.loads(indexed("why", "--json", "photo:1", "a cat").stdout)
        assert set(found) == {"path", "score", "cutoff", "terms", "grid", "area", "people"}
        assert np.shape(found["grid"]) == (CELLS, CELLS)
        assert found["terms"][0]["term"] == "a cat"

    def test_writes_a_picture_and_never_over_one(self, run: Shell, place: Path) -> None:
        photo = place / "photos" / "both.png"
        before = photo.read_bytes()
        out = place / "why.png"
        assert run("why", photo, "a cat", "--out", out).returncode == 0
        with Image.open(out) as drawn, Image.open(photo) as shown:
            assert drawn.size == shown.size
            light = np.asarray(drawn, float) / np.maximum(np.asarray(shown, float), 1)
        assert light[:, :400].mean() > light[:, 400:].mean() + 0.1
        for existing in (out, photo):
            refused = run("why", photo, "a cat", "--out", existing)
            assert refused.returncode == 2
            assert b"is there already" in refused.stderr
        assert photo.read_bytes() == before
        refused = run("why", photo, "a cat", "--out", "map.txt")
        assert (refused.returncode, b"is no .png or .jpg" in refused.stderr) == (2, True)
        refused = run("why", photo, "a cat", "--out", "gone/map.png")
        assert b"map.png: cannot be written" in refused.stderr
