"""Towers to bundle, through PyTorch's exporter and ONNX Runtime, on towers of a few neurons."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from manifest import bundle_fields
from PIL import Image
from torch import nn
from torch.nn import functional as F

from photosearch.encoders import Bundle, Preprocess, Tokenizer, open_encoder
from photosearch.errors import BundleError
from trainer.export import ExportError, annotate_bundle, export_bundle
from trainer.export.onnx_file import write_onnx
from trainer.export.storage import QuantizedEmbedding
from trainer.models.mct import TextRepMixer

pytestmark = pytest.mark.slow

CONTEXT, DIM, SIZE, VOCABULARY, WIDTH = 12, 24, 32, 49408, 16
CARD = "# A card\n\nOf towers with random weights: ünïcödé.\n"
TEXTS = ["a dog on a beach", "", "sunset", "two children playing in the snow " * 5, "Zürich"]


def image_tower() -> nn.Module:
    torch.manual_seed(1)
    tower = nn.Sequential(
        nn.Conv2d(3, 24, 3, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(24),
        nn.GELU(),
        nn.Conv2d(24, 48, 3, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(48),
        nn.GELU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(48, DIM),
    )
    for part in tower:
        if isinstance(part, nn.BatchNorm2d):
            nn.init.uniform_(part.running_mean, -0.3, 0.3)
            nn.init.uniform_(part.running_var, 0.5, 2)
    return tower


def text_tower() -> nn.Module:
    torch.manual_seed(2)
    return TextRepMixer(
        context_length=CONTEXT, width=WIDTH, heads=2, layers=1, output_dim=DIM, layer_scale=0.3
    )


def fields(**changes: Any) -> dict[str, Any]:
    return bundle_fields(
        size=SIZE, context=CONTEXT, dim=DIM, provenance={"weights": "random"}, **changes
    )


def export(folder: Path, image: nn.Module | None = None, text: nn.Module | None = None, **options):
    options = {"fields": fields(), "card": CARD} | options
    return export_bundle(image or image_tower(), text or text_tower(), folder, **options)


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """The report of an export with every weight as it is, only to be looked at."""
    return export(tmp_path_factory.mktemp("plain") / "bundle")


@pytest.fixture(scope="module")
def small_towers():
    return image_tower(), text_tower()


@pytest.fixture(scope="module")
def small(tmp_path_factory, small_towers):
    """The same towers, stored as small as can be."""
    storage = {"image_storage": "float16", "text_storage": "float16", "embedding_storage": "int8"}
    return export(tmp_path_factory.mktemp("small") / "bundle", *small_towers, **storage)


@pytest.fixture
def copied(plain, tmp_path):
    """A bundle that a test may replace."""
    return shutil.copytree(plain.bundle.folder, tmp_path / "bundle")


def contents(folder: Path) -> dict[str, bytes]:
    """Everything in `folder`, hidden files included."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def unit(rows: torch.Tensor) -> np.ndarray:
    return F.normalize(rows, dim=1).numpy()


class TestPlain:
    def test_the_bundle_gives_what_the_trained_towers_give(self, plain, pictures):
        encoder = open_encoder(plain.bundle.folder)
        images = [Image.open(path) for path in sorted(pictures.iterdir())]
        settings = Preprocess(plain.bundle.image)
        pixels = settings.normalise(np.stack([settings.pixels(image) for image in images]))
        with torch.inference_mode():
            photos = unit(image_tower().eval()(torch.from_numpy(pixels)))
            texts = unit(text_tower().eval()(torch.from_numpy(Tokenizer(CONTEXT)(TEXTS))))
        np.testing.assert_allclose(encoder.encode_images(images), photos, rtol=0, atol=1e-5)
        np.testing.assert_allclose(encoder.encode_texts(TEXTS), texts, rtol=0, atol=1e-5)

    def test_the_report_is_of_what_lies_there(self, plain):
        folder = plain.bundle.folder
        on_disk = contents(folder)
        assert set(on_disk) == {"README.md", "bundle.json", "image.onnx", "text.onnx"}
        assert plain.sizes == {name: len(data) for name, data in on_disk.items()}
        assert plain.total_bytes == sum(map(len, on_disk.values()))
        assert Bundle.open(folder).id == plain.bundle.id
        assert on_disk["README.md"].decode() == CARD
        manifest = json.loads(on_disk["bundle.json"])
        assert {key: manifest[key] for key in fields()} == fields()
        assert 0 <= plain.parity["image"] < 1e-5
        assert 0 <= plain.parity["text"] < 1e-5
        assert plain.storage_cosine == {
            "image": pytest.approx(1, abs=1e-6),
            "text": pytest.approx(1, abs=1e-6),
        }
        assert plain.bundle.id in plain.summary()

    def test_normalisations_are_folded(self, plain):
        model = onnx.load(plain.bundle.folder / "image.onnx")
        assert "BatchNormalization" not in {node.op_type for node in model.graph.node}

    def test_the_files_tell_nothing_of_the_machine(self, plain):
        for name in ("image.onnx", "text.onnx"):
            data = (plain.bundle.folder / name).read_bytes()
            assert str(Path(torch.__file__).parent).encode() not in data
            assert str(Path(__file__).parents[1]).encode() not in data
            assert b".py" not in data

    def test_the_same_towers_give_the_same_bytes(self, plain, tmp_path, capfd, monkeypatch):
        # In tests what has been exported is taken from memory otherwise.
        monkeypatch.setattr("trainer.export.bundle.write_onnx", write_onnx)
        again = export(tmp_path / "again")
        assert again.bundle.id == plain.bundle.id
        assert contents(again.bundle.folder) == contents(plain.bundle.folder)
        assert capfd.readouterr() == ("", "")
        assert torch.backends.mha.get_fastpath_enabled()


class TestSmall:
    def test_the_token_table_takes_a_quarter(self, plain, small):
        saved = plain.sizes["text.onnx"] - small.sizes["text.onnx"]
        scales = 4 * VOCABULARY
        assert saved > 3 * VOCABULARY * WIDTH - scales
        table = initializers(small, "text.onnx")[onnx.TensorProto.INT8]
        assert [tuple(tensor.dims) for tensor in table] == [(VOCABULARY, WIDTH)]

    def test_large_weights_are_float16_and_the_rest_float32(self, small):
        kinds = initializers(small, "image.onnx")
        sizes = {kind: [int(np.prod(t.dims)) for t in tensors] for kind, tensors in kinds.items()}
        assert sizes[onnx.TensorProto.FLOAT16]
        assert min(sizes[onnx.TensorProto.FLOAT16]) >= 1024
        assert max(sizes[onnx.TensorProto.FLOAT]) < 1024

    def test_it_is_exactly_the_towers_with_those_weights(self, small):
        # From the unfolded text tower: no norm stands next to the token table.
        tower = text_tower().eval()
        tower.token_embedding = QuantizedEmbedding(tower.token_embedding)
        ids = torch.from_numpy(Tokenizer(CONTEXT)(TEXTS))
        with torch.inference_mode():
            expected = unit(tower(ids))
            original = unit(text_tower().eval()(ids))
        ours = open_encoder(small.bundle.folder).encode_texts(TEXTS)
        # The float16 weights of this tower, on top, are worth less than the int8 table.
        assert np.abs(ours - expected).max() < np.abs(original - expected).max()
        assert small.parity["text"] < 1e-5
        assert small.parity["image"] < 1e-5

    def test_the_price_is_reported(self, plain, small, pictures):
        for tower in ("image", "text"):
            assert 0.99 < small.storage_cosine[tower] < plain.storage_cosine[tower]
        images = [Image.open(path) for path in sorted(pictures.iterdir())]
        ours, full = (open_encoder(each.bundle.folder) for each in (small, plain))
        moved = np.abs(ours.encode_images(images) - full.encode_images(images)).max()
        assert 1e-6 < moved < 1e-2

    @pytest.mark.usefixtures("small")
    def test_the_towers_themselves_stay_as_they_were(self, small_towers):
        for tower, fresh in zip(small_towers, (image_tower(), text_tower()), strict=True):
            assert tower.training
            assert all(parameter.requires_grad for parameter in tower.parameters())
            after, before = tower.state_dict(), fresh.state_dict()
            assert list(after) == list(before)
            assert all(torch.equal(after[key], before[key]) for key in before)

    def test_other_weights_are_another_bundle(self, plain, small):
        assert small.bundle.id != plain.bundle.id


def initializers(report, name: str) -> dict[int, list[onnx.TensorProto]]:
    """The stored tensors of a file by their type."""
    kinds: dict[int, list[onnx.TensorProto]] = {}
    for tensor in onnx.load(report.bundle.folder / name).graph.initializer:
        kinds.setdefault(tensor.data_type, []).append(tensor)
    return kinds


class Bag(nn.Module):
    """The least text tower, for tests that are not about it."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.table = nn.Embedding(VOCABULARY, DIM)

    def forward(self, ids):
        return self.table(ids).mean(1)


class Differs(nn.Module):
    """Computes something else while it is exported, as code that asks where it runs may."""

    def __init__(self) -> None:
        super().__init__()
        self.tower = image_tower()

    def forward(self, x):
        y = self.tower(x)
        return y + 0.1 if torch.compiler.is_exporting() else y


class FixesBatch(nn.Module):
    """Writes the batch size of the example into the graph."""

    def __init__(self) -> None:
        super().__init__()
        self.tower = image_tower()

    def forward(self, x):
        return self.tower(x) + torch.zeros(int(x.shape[0]), DIM) * len(range(x.shape[0]))


class Dead(nn.Module):
    def forward(self, x):
        return x.mean((1, 2, 3))[:, None].repeat(1, DIM) * float("nan")


class TestRefused:
    @pytest.mark.parametrize(
        ("tower", "options", "message"),
        [
            (Differs, {}, r"image\.onnx: differs from PyTorch by .*1e-04 is allowed"),
            (FixesBatch, {}, r"image\.onnx: PyTorch cannot export this tower: .*constant \(2\)"),
            (Dead, {}, "image tower: "),
            (image_tower, {"limit_bytes": 10_000}, r"4\.\d MB, and 0\.0 MB is allowed.*text\.onnx"),
            (
                image_tower,
                {"expect_id": "tiny-0-0123456789ab"},
                "make tiny-1-[0-9a-f]{12}, and the metrics are of tiny-0-0123456789ab",
            ),
            (
                image_tower,
                {"fields": fields(embedding_dim=99)},
                r"image tower: gives \(36, 24\).*embedding_dim is 99",
            ),
            (
                image_tower,
                {"fields": fields(text={})},
                "bundle fields: .*context_length",
            ),
        ],
    )
    def test_and_nothing_is_left_behind(self, tmp_path, tower, options, message):
        with pytest.raises(ExportError, match=message):
            export(tmp_path / "bundle", tower(), Bag(), **options)
        assert list(tmp_path.iterdir()) == []

    def test_fields_of_no_bundle(self, tmp_path):
        with pytest.raises(BundleError, match="logit_scale"):
            export(tmp_path / "bundle", None, Bag(), fields=fields(logit_scale=0))
        assert list(tmp_path.iterdir()) == []

    def test_int8_without_a_table(self, tmp_path):
        class NoTable(nn.Module):
            def forward(self, ids):
                return F.one_hot(ids.sum(1) % DIM, DIM).float()

        with pytest.raises(ExportError, match="text tower: has no token table"):
            export(tmp_path / "bundle", None, NoTable(), embedding_storage="int8")


class TestPlace:
    def test_a_bundle_in_the_way_is_kept_unless_asked(self, copied):
        before = contents(copied)
        with pytest.raises(ExportError, match="already there"):
            export(copied)
        assert contents(copied) == before
        export(copied, None, Bag(), card="# Another\n", replace=True)
        assert contents(copied)["README.md"] == b"# Another\n"
        assert [path.name for path in copied.parent.iterdir()] == ["bundle"]

    def test_a_failed_replacement_keeps_the_old_one(self, copied):
        before = contents(copied)
        with pytest.raises(ExportError, match="cannot export"):
            export(copied, FixesBatch(), replace=True)
        assert contents(copied) == before
        assert [path.name for path in copied.parent.iterdir()] == ["bundle"]

    def test_a_folder_of_other_things_is_never_replaced(self, tmp_path):
        (tmp_path / "photos").mkdir()
        (tmp_path / "photos" / "holiday.jpg").write_bytes(b"precious")
        with pytest.raises(ExportError, match="something else than a bundle"):
            export(tmp_path / "photos", replace=True)
        assert contents(tmp_path / "photos") == {"holiday.jpg": b"precious"}

    def test_a_killed_export_is_cleaned_up_after(self, copied):
        """Killed between its two renames, it leaves the old bundle aside and a half made one."""
        before = contents(copied)
        copied.rename(copied.with_name(".bundle.old"))
        copied.with_name(".bundle.part").mkdir()
        (copied.with_name(".bundle.part") / "image.onnx").write_bytes(b"half")
        with pytest.raises(ExportError, match="already there"):
            export(copied)
        assert contents(copied) == before
        annotate_bundle(copied, card="# Again\n")
        assert [path.name for path in copied.parent.iterdir()] == ["bundle"]


class TestAnnotate:
    def test_adds_what_was_measured_and_keeps_the_networks(self, copied):
        before = contents(copied)
        metrics = [{"metric": "R@10", "value": 0.5}]
        bundle = annotate_bundle(copied, card="# Measured\n", metrics=metrics)
        after = contents(copied)
        assert bundle.folder == copied
        assert bundle.id == Bundle.open(copied).id
        assert bundle.manifest["metrics"] == metrics
        assert bundle.manifest["provenance"] == {"weights": "random"}
        assert after["README.md"] == b"# Measured\n"
        assert after["image.onnx"] == before["image.onnx"]
        assert after["text.onnx"] == before["text.onnx"]

    def test_a_refused_change_changes_nothing(self, copied):
        before = contents(copied)
        with pytest.raises(BundleError, match="metrics"):
            annotate_bundle(copied, metrics="good")
        assert contents(copied) == before
