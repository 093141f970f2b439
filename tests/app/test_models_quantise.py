"""A model with its weights in 8 bits: kept where it finds the same, refused where not."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
from click.testing import CliRunner
from onnx import numpy_helper
from PIL import Image

from photosearch import BundleError, Library, UsageError
from photosearch.cli import main
from photosearch.encoders import Bundle, open_encoder, write_manifest
from photosearch.quantising import graphs, run
from photosearch.quantising.agreement import same_first

pytestmark = pytest.mark.slow

PHOTOS = 110


@pytest.fixture(scope="module", autouse=True)
def equally_quick() -> Iterator[None]:
    """So small networks take no time that can be compared."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "times_quicker", lambda one, other: (one(), other(), 1.0)[2])
        yield


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of photos that differ."""
    folder = tmp_path_factory.mktemp("many")
    dice = np.random.default_rng(1)
    for number in range(PHOTOS):
        cells = dice.integers(0, 256, (4, 4, 3), dtype=np.uint8)
        Image.fromarray(cells).resize((64, 64)).save(folder / f"{number:03}.png")
    return folder


@pytest.fixture(scope="module")
def place(many: Path, tiny_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of these photos that has the tiny model."""
    folder = tmp_path_factory.mktemp("library")
    with Library.open(folder) as library:
        list(library.models.add(tiny_bundle))
        library.models.use("tiny")
        list(library.index([many]))
    return folder


@pytest.fixture(scope="module")
def said(place: Path) -> str:
    """What `photosearch models quantise` says, once it has made the model."""
    result = CliRunner().invoke(main, ["--library", str(place), "models", "quantise", "tiny"])
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture(scope="module")
def outlier(place: Path, tiny_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same function, of which some numbers are a thousand times as large on the way."""
    spoilt = tmp_path_factory.mktemp("outlier") / "bundle"
    shutil.copytree(tiny_bundle, spoilt)
    model = onnx.load(spoilt / "text.onnx")
    weights = {each.name: each for each in model.graph.initializer}
    table, project = (numpy_helper.to_array(weights[name]).copy() for name in ("table", "project"))
    width = table.shape[1]
    table[:, ::4] *= 1000
    project.reshape(-1, width, project.shape[1])[:, ::4] /= 1000
    weights["table"].CopyFrom(numpy_helper.from_array(table, "table"))
    weights["project"].CopyFrom(numpy_helper.from_array(project, "project"))
    onnx.save(model, spoilt / "text.onnx")
    write_manifest(spoilt, Bundle.open(tiny_bundle).fields | {"name": "outlier"})
    with Library.open(place) as library:
        list(library.models.add(spoilt))
    return spoilt


def folder_of(library: Path, name: str) -> Path:
    (found,) = library.glob(f"models/{name}-1-*")
    return found


def test_it_is_smaller_and_finds_the_same(place: Path, said: str, tiny_bundle: Path) -> None:
    assert "Made tiny-8bit-1-" in said
    assert "`photosearch models use tiny-8bit` switches to it." in said
    before, after = Bundle.open(tiny_bundle), Bundle.open(folder_of(place, "tiny-8bit"))
    assert after.size("text") < before.size("text") / 3
    assert after.manifest["provenance"]["quantised"]["of"] == before.id
    assert (after.manifest["licence"], after.dim) == (before.manifest["licence"], before.dim)
    assert (after.card() or "").endswith((before.card() or "").rstrip() + "\n")
    texts = ["a dog on a beach", "snow", "two people in a red car"]
    cosines = open_encoder(before.folder).encode_texts(texts) * open_encoder(
        after.folder
    ).encode_texts(texts)
    assert cosines.sum(1).min() > 0.99
    Bundle.open(folder_of(place, "tiny"))  # as it was, by its hashes


def test_searches_go_on_by_it(place: Path, said: str, many: Path) -> None:
    with Library.open(place) as library:
        library.models.use("tiny-8bit")
        list(library.index([many]))
        assert [each.name for each in library.models.all() if each.active] == ["tiny-8bit"]
        assert len(library.search("a dog", limit=5)) == 5
        library.models.use("tiny")


def test_a_vector_does_not_depend_on_what_is_encoded_with_it(place: Path, said: str) -> None:
    encoder = open_encoder(folder_of(place, "tiny-8bit"))
    texts = ["a dog", "loud loud loud loud loud loud", "snow"]
    alone = np.concatenate([encoder.encode_texts([text]) for text in texts])
    np.testing.assert_array_equal(encoder.encode_texts(texts), alone)


def test_a_network_that_finds_something_else_stays(place: Path, outlier: Path) -> None:
    with Library.open(place) as library:
        events = list(library.models.quantise("outlier"))
    tried = [each for each in events if isinstance(each, run.Tried) and each.tower == "text"]
    assert [each.method for each in tried] == ["dynamic", "blocks"]
    for each in tried:
        assert each.agreement is not None
        assert (each.good, each.agreement.same < 0.9) == (False, True)
    after = Bundle.open(folder_of(place, "outlier-8bit"))
    assert (after.folder / "text" / "model.onnx").read_bytes() == (
        outlier / "text.onnx"
    ).read_bytes()


def test_nothing_is_left_where_neither_network_gains(
    place: Path, outlier: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "times_quicker", lambda *_: 0.5)
    before = sorted(path.name for path in (place / "models").iterdir())
    result = CliRunner().invoke(main, ["--library", str(place), "models", "quantise", "outlier"])
    assert (result.exit_code, "outlier-1-" in result.output) == (1, True)
    assert ": stays as it is: with their weights in 8 bits neither network is" in result.output
    assert sorted(path.name for path in (place / "models").iterdir()) == before


def test_why_it_cannot_be_written_is_said_where_the_system_says_nothing(
    place: Path, outlier: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> bool:
        raise OSError("the file grows too large")

    monkeypatch.setattr(graphs.Writer, "write", fails)
    result = CliRunner().invoke(main, ["--library", str(place), "models", "quantise", "outlier"])
    assert (result.exit_code, "None" in result.output) == (1, False)
    assert "cannot be written (the file grows too large); make room" in result.output


def test_a_network_of_convolutions_stays(tmp_path: Path, tiny_bundle: Path) -> None:
    model = onnx.load(tiny_bundle / "image.onnx")
    del model.graph.node[-1]
    model.graph.node[-1].output[0] = "embedding"
    onnx.save(model, tmp_path / "image.onnx")
    target = tmp_path / "made" / "model.onnx"
    target.parent.mkdir()
    with graphs.Writer() as writer:
        assert not writer.write(tmp_path / "image.onnx", target, "dynamic")
        (tmp_path / "image.onnx").write_bytes(b"no network")
        with pytest.raises(BundleError, match=r"image\.onnx: cannot be made 8 bits: .*; the model"):
            writer.write(tmp_path / "image.onnx", target, "blocks")


def test_what_it_takes_is_said(
    place: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with (
        Library.open(tmp_path / "empty") as library,
        pytest.raises(UsageError, match=r"100 at least, and 0 can be read; add some"),
    ):
        library.models.quantise("mobileclip-small")
    monkeypatch.setattr(graphs, "_NEEDED", ("onnx", "no_such_package"))
    result = CliRunner().invoke(main, ["--library", str(place), "models", "quantise", "tiny"])
    assert result.exit_code == 2
    assert "no_such_package, which is not installed; run `pip install" in result.output


def test_how_much_of_what_is_found_first_is_the_same() -> None:
    photos = np.eye(20, dtype=np.float32)
    text = np.linspace(1, 0, 20, dtype=np.float32)[None]
    assert same_first(photos, text, photos, text) == 1.0
    assert same_first(photos, text, photos, text[:, ::-1]) == 0.0
    moved = text.copy()
    moved[0, [9, 10]] = moved[0, [10, 9]]
    assert same_first(photos, text, photos, moved) == pytest.approx(0.9)
