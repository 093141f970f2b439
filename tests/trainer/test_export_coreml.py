"""Core ML packages: what can be told of them where Core ML itself is not there."""

from __future__ import annotations

import dataclasses
import json
import shutil
import sys
import traceback
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from manifest import bundle_fields
from optional import module
from torch import nn
from torch.nn import functional as F

from photosearch.encoders import Bundle, ImageSettings, Tokenizer, open_encoder, write_manifest
from trainer.export import ExportError, annotate_bundle, export_bundle
from trainer.export.coreml import LEAST_COSINE, compare, write_coreml
from trainer.export.coreml_cast import casts_of_arrays
from trainer.export.samples import samples_for
from trainer.models.config import load_config
from trainer.models.family import build_image_tower
from trainer.models.folding import fold_batch_norms
from trainer.models.mct import TextRepMixer

pytestmark = pytest.mark.slow

module("coremltools")

NANO = load_config("MobileCLIP-Nano")
DIM, CONTEXT, VOCABULARY, SIZE = NANO.dim, 12, 49408, 64
FIELDS = bundle_fields(
    size=SIZE, context=CONTEXT, dim=DIM, name="nano", architecture="MobileCLIP-Nano"
)
SETTINGS = ImageSettings(**FIELDS["image"])
SPEC = "Data/com.apple.CoreML/model.mlmodel"
WEIGHTS = "Data/com.apple.CoreML/weights/weight.bin"


def text_tower() -> nn.Module:
    torch.manual_seed(2)
    return TextRepMixer(
        context_length=CONTEXT, width=32, heads=2, layers=1, output_dim=DIM, layer_scale=0.3
    )


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """The report of a bundle with packages of both towers, only to be looked at."""
    folder = tmp_path_factory.mktemp("coreml") / "bundle"
    return export_bundle(
        Plain(),
        text_tower(),
        folder,
        fields=FIELDS,
        card="# Card\n",
        embedding_storage="int8",
        coreml=True,
    )


def spec_of(package: Path):
    from coremltools.proto import Model_pb2

    return Model_pb2.Model.FromString((package / SPEC).read_bytes())


def operators(package: Path) -> list[str]:
    (function,) = spec_of(package).mlProgram.functions.values()
    (block,) = function.block_specializations.values()
    return [operation.type for operation in block.operations]


def test_inputs_and_outputs_are_those_of_apples_packages(exported):
    image = spec_of(exported.bundle.folder / "image.mlpackage").description
    assert [given.name for given in image.input] == ["image"]
    kind = image.input[0].type.imageType
    assert (kind.width, kind.height) == (SIZE, SIZE)
    assert kind.ColorSpace.Name(kind.colorSpace) == "RGB"

    text = spec_of(exported.bundle.folder / "text.mlpackage").description
    assert [given.name for given in text.input] == ["text"]
    array = text.input[0].type.multiArrayType
    assert tuple(array.shape) == (1, CONTEXT)
    assert array.ArrayDataType.Name(array.dataType) == "INT32"

    for description in (image, text):
        assert [output.name for output in description.output] == ["embedding"]
        array = description.output[0].type.multiArrayType
        assert tuple(array.shape) == (1, DIM)
        assert array.ArrayDataType.Name(array.dataType) == "FLOAT32"


def all_weights_of(tower: nn.Module, package: Path) -> None:
    """Assert that the package holds the folded tower's weights, as float16."""
    values = sum(parameter.numel() for parameter in fold_batch_norms(tower).parameters())
    size = (package / WEIGHTS).stat().st_size
    # Each array starts at a round address; small ones are in the other file.
    assert 0.99 * 2 * values < size < 1.05 * 2 * values + 20_000


def test_weights_are_float16_and_none_is_missing(exported):
    for name, tower in (("image", Plain()), ("text", text_tower())):
        all_weights_of(tower, exported.bundle.folder / f"{name}.mlpackage")


def test_scaling_and_normalisation_are_inside(exported):
    found = operators(exported.bundle.folder / "image.mlpackage")
    assert found.count("batch_norm") == 0
    before = found[: found.index("conv")]
    # 1/255, then minus the mean, over the standard deviation.
    assert [kind for kind in before if kind in ("mul", "sub", "real_div")][:3] in (
        ["mul", "sub", "mul"],
        ["mul", "sub", "real_div"],
    )


def test_the_report_says_that_nothing_was_compared_here(exported):
    found = exported.bundle.manifest["export"]
    assert found["versions"]["coremltools"]
    coreml = found["coreml"]
    sizes = {
        name: sum(
            file.stat().st_size
            for file in (exported.bundle.folder / f"{name}.mlpackage").rglob("*")
            if file.is_file()
        )
        for name in ("image", "text")
    }
    assert coreml["bytes"] == sizes
    assert exported.sizes["image.mlpackage"] == sizes["image"]
    assert min(coreml["float16_cosine"].values()) > LEAST_COSINE
    if sys.platform == "darwin":
        assert min(coreml["parity"].values()) > LEAST_COSINE
    else:
        assert coreml["parity"] is None
        assert "Not compared with PyTorch: Core ML runs only on macOS" in coreml["note"]
        assert coreml["note"] in exported.summary()


def test_the_packages_are_part_of_the_bundle_and_not_of_its_id(exported, tmp_path):
    folder = shutil.copytree(exported.bundle.folder, tmp_path / "bundle")
    listed = Bundle.open(folder).manifest["files"]
    for name in ("image", "text"):
        assert {f"{name}.mlpackage/{file}" for file in ("Manifest.json", SPEC, WEIGHTS)} <= set(
            listed
        )
    assert open_encoder(folder).encode_texts(["a dog"]).shape == (1, DIM)
    kept = annotate_bundle(folder, metrics=[{"metric": "R@10", "value": 0.5}])
    assert kept.id == exported.bundle.id
    assert set(kept.manifest["files"]) == set(listed)
    assert kept.manifest["export"] == exported.bundle.manifest["export"]
    shutil.rmtree(folder / "image.mlpackage")
    assert write_manifest(folder, FIELDS).id == exported.bundle.id


class Plain(nn.Module):
    """The least image tower with a convolution and a normalisation that can be folded."""

    def __init__(self, scale: float = 1) -> None:
        super().__init__()
        torch.manual_seed(4)
        self.conv = nn.Sequential(nn.Conv2d(3, 16, 3, stride=2, bias=False), nn.BatchNorm2d(16))
        self.head = nn.Linear(16, DIM)
        self.scale = scale

    def forward(self, x):
        return self.head(F.gelu(self.conv(x) * self.scale).mean((2, 3)) / self.scale)


def packages(folder: Path, image: nn.Module, text: nn.Module):
    folder.mkdir()
    samples = samples_for(SETTINGS, Tokenizer(CONTEXT), 8)
    return write_coreml(folder, fold_batch_norms(image), fold_batch_norms(text), samples)


def test_the_image_tower_of_mobileclip_nano_is_converted_whole(tmp_path):
    """With its TensorFlow padding."""
    torch.manual_seed(1)
    tower = build_image_tower(dataclasses.replace(NANO.image, size=SIZE), DIM)
    report = packages(tmp_path / "bundle", tower, text_tower())
    assert report.float16["image"] > LEAST_COSINE
    package = tmp_path / "bundle" / "image.mlpackage"
    assert operators(package).count("batch_norm") == 0
    all_weights_of(tower, package)


def test_the_same_towers_give_the_same_bytes(tmp_path, capfd):
    folders = [tmp_path / name for name in ("a", "b")]
    for folder in folders:
        packages(folder, Plain(), text_tower())
    files = sorted(path.relative_to(folders[0]) for path in folders[0].rglob("*") if path.is_file())
    assert len(files) == 6
    for file in files:
        first, second = ((folder / file).read_bytes() for folder in folders)
        assert first == second, file
        assert (folders[0] / file).stat().st_mode & 0o777 == 0o644
    manifest = json.loads((folders[0] / "image.mlpackage" / "Manifest.json").read_text())
    root = manifest["itemInfoEntries"][manifest["rootModelIdentifier"]]
    assert root["path"] == "com.apple.CoreML/model.mlmodel"
    assert capfd.readouterr() == ("", "")
    assert torch.backends.mha.get_fastpath_enabled()


def test_values_that_float16_cannot_hold_are_refused(tmp_path):
    with pytest.raises(ExportError, match="image tower: in float16 it gives something else"):
        packages(tmp_path / "bundle", Plain(scale=1e6), text_tower())


def test_a_tower_that_cannot_be_converted_is_named(tmp_path):
    class Unheard(nn.Module):
        def forward(self, ids):
            return torch.special.bessel_j0(F.one_hot(ids.long() % DIM, DIM).float().sum(1))

    with pytest.raises(ExportError, match=r"text\.mlpackage: coremltools cannot convert.*bessel"):
        packages(tmp_path / "bundle", Plain(), Unheard())


def test_casts_of_arrays_is_needed_and_leaves_nothing_behind():
    """Once this fails, numpy or coremltools has been mended, and the module can go."""
    import coremltools
    from coremltools.converters.mil.frontend.torch import ops

    class Shaped(nn.Module):
        def forward(self, x):
            half = x.shape[-1] // 2
            return x[..., :half] * half

    def convert():
        traced = torch.jit.trace(Shaped(), torch.ones(1, 8))
        # It names its temporary folders and what it renames; `write_coreml` keeps that quiet.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                return coremltools.convert(
                    traced, inputs=[coremltools.TensorType(shape=(1, 8))], skip_model_load=True
                )
            except TypeError as error:
                traceback.clear_frames(error.__traceback__)
                raise

    before = ops._cast
    with pytest.raises(TypeError, match="0-dimensional"):
        convert()
    with casts_of_arrays():
        spec = convert().get_spec()
    assert tuple(spec.description.output[0].type.multiArrayType.shape) == (1, 4)
    with pytest.raises(RuntimeError), casts_of_arrays():
        raise RuntimeError
    assert ops._cast is before


class TestCompare:
    """What a Mac does with Core ML's predictions, done here with PyTorch's."""

    rows = F.normalize(torch.randn(4, DIM, generator=torch.Generator().manual_seed(0)), dim=1)

    def test_rounded_embeddings_of_any_length_pass(self):
        cosine = compare(
            lambda one: 7 * one[None].astype(np.float16), self.rows.numpy(), self.rows.numpy(), "x"
        )
        assert 0.999999 < cosine <= 1

    @pytest.mark.parametrize("wrong", ["noise", "nan"])
    def test_others_are_refused(self, wrong):
        given = self.rows.numpy().copy()
        given[2] = given[1] if wrong == "noise" else np.nan
        with pytest.raises(ExportError, match=r"text\.mlpackage: Core ML gives something else"):
            compare(lambda one: one[None], given, self.rows.numpy(), "text")
