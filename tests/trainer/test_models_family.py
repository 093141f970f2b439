from __future__ import annotations

import dataclasses
import json
import socket
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from narrow_models import narrow, narrow_models
from optional import module
from torch import Tensor

from trainer.commands.models import command
from trainer.models.config import load_config, model_names, read_config
from trainer.models.family import Clip, build, build_from, build_text_tower
from trainer.models.measure import count_macs, summarise
from trainer.models.summary import summary_of
from trainer.torchvision_ops import ensure_torchvision

pytestmark = pytest.mark.slow

ensure_torchvision()
open_clip = module("open_clip")

# Parameters in millions (image, text) and GMACs of one image: arXiv 2311.17049, table 1 and
# arXiv 2508.20691, table 3.
PUBLISHED = {
    "MobileCLIP-S0": (11.4, 42.4, 2.4),
    "MobileCLIP-S1": (21.5, 63.4, 4.6),
    "MobileCLIP-S2": (35.7, 63.4, 7.8),
    "MobileCLIP-B": (86.3, 63.4, 17.0),
    "MobileCLIP2-S0": (11.4, 63.4, 2.4),
    "MobileCLIP2-S2": (35.7, 63.4, 7.8),
    "MobileCLIP2-B": (86.3, 63.4, 17.0),
    "MobileCLIP2-S3": (125, 123.6, 14.8),
    "MobileCLIP2-S4": (322, 123.6, 27.7),
    "MobileCLIP2-L-14": (304, 123.6, 77.8),
}
IN_OPEN_CLIP = sorted(PUBLISHED.keys() - {"MobileCLIP-S0"})


def captions(count: int) -> Tensor:
    ids = torch.zeros(count, 77, dtype=torch.int64)
    ids[:, 0], ids[:, 1:9], ids[:, 9] = 49406, torch.randint(1, 49406, (count, 8)), 49407
    return ids


def test_every_published_model_has_a_configuration() -> None:
    assert set(model_names()) >= PUBLISHED.keys()
    assert model_names() == sorted(model_names())


@pytest.mark.parametrize("name", PUBLISHED)
def test_size_and_cost_agree_with_the_papers(name: str) -> None:
    image, text, macs = PUBLISHED[name]
    summary = summarise(name)
    assert summary.image_parameters == pytest.approx(image * 1e6, rel=0.01)
    assert summary.text_parameters == pytest.approx(text * 1e6, rel=0.01)
    assert summary.image_macs == pytest.approx(macs * 1e9, abs=0.06e9)
    assert summary_of(name) == summary, "run `python -m trainer.models.summary`"


def test_multiply_adds_of_attention_are_counted_apart() -> None:
    # ViT-B/16: 12 layers, 196 patches and a class token, two products of width 768 each.
    assert summarise("MobileCLIP-B").image_attention_macs == 12 * 2 * 197**2 * 768
    convolution = torch.nn.Conv2d(3, 8, kernel_size=3, padding=1, groups=1)
    assert count_macs(convolution, torch.zeros(1, 3, 10, 10)) == (10 * 10 * 8 * 3 * 9, 0)
    grouped = torch.nn.Conv2d(8, 8, kernel_size=3, stride=2, groups=8)
    assert count_macs(grouped, torch.zeros(2, 8, 5, 5)) == (2 * 2 * 2 * 8 * 9, 0)


@pytest.mark.parametrize("name", IN_OPEN_CLIP)
def test_configuration_is_open_clips(name: str) -> None:
    theirs, ours = open_clip.get_model_config(name), load_config(name)
    vision, text = theirs["vision_cfg"], theirs["text_cfg"]
    assert ours.dim == theirs["embed_dim"]
    assert ours.image.tower == vision["timm_model_name"]
    assert ours.image.pool == vision["timm_pool"]
    assert ours.image.size == vision["image_size"]
    assert ours.image.drop_path == vision["timm_drop_path"]
    assert ours.text.causal is not text["no_causal_mask"]
    for field in ("context_length", "vocab_size", "width", "heads", "layers"):
        assert getattr(ours.text, field) == text[field], field


@pytest.mark.parametrize("name", IN_OPEN_CLIP)
def test_preprocessing_is_that_of_the_published_weights(name: str) -> None:
    tag = "dfndr2b" if name.startswith("MobileCLIP2") else "datacompdr"
    theirs, ours = open_clip.get_pretrained_cfg(name, tag), load_config(name).image
    assert ours.mean == theirs["mean"]
    assert ours.std == theirs["std"]
    assert ours.interpolation == theirs["interpolation"]
    assert (ours.resize, ours.crop) == (theirs["resize_mode"], "center")


def test_mobileclip_s0_is_preprocessed_like_its_generation() -> None:
    assert load_config("MobileCLIP-S0").image == dataclasses.replace(
        load_config("MobileCLIP-S1").image, tower="fastvit_mci0"
    )


@pytest.mark.parametrize("name", ["MobileCLIP-B", "MobileCLIP2-S0", "MobileCLIP2-L-14"])
def test_parameters_are_named_and_shaped_as_in_open_clip(name: str) -> None:
    fields = open_clip.get_model_config(name)
    fields.pop("custom_text")
    with torch.device("meta"):
        ours, theirs = build(name), open_clip.CustomTextCLIP(**fields)
    assert {key: value.shape for key, value in ours.state_dict().items()} == {
        key: value.shape for key, value in theirs.state_dict().items()
    }


def test_same_weights_give_the_embeddings_of_open_clip(tmp_path: Path) -> None:
    fields = open_clip.get_model_config("MobileCLIP2-S0")
    fields.pop("custom_text")
    fields["text_cfg"] = narrow(fields["text_cfg"])
    theirs = open_clip.CustomTextCLIP(**fields).eval()
    with narrow_models(tmp_path):
        ours = build("MobileCLIP2-S0").eval()
    assert ours.logit_scale.item() == pytest.approx(theirs.logit_scale.item())
    ours.load_state_dict(theirs.state_dict())
    pixels, ids = torch.rand(1, 3, 64, 64), captions(2)
    with torch.inference_mode():
        image, text, scale = ours(pixels, ids)
        their_image, their_text, their_scale = theirs(pixels, ids)
    torch.testing.assert_close(image, their_image, rtol=0, atol=1e-6)
    torch.testing.assert_close(text, their_text, rtol=0, atol=1e-6)
    torch.testing.assert_close(scale, their_scale)


def test_mobileclip_s0_embeds_photos_and_texts_without_a_network(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    torch.manual_seed(0)
    model = build("MobileCLIP-S0")
    assert model.training
    model.eval()
    pixels, ids = torch.rand(2, 3, 64, 64), captions(3)
    with torch.inference_mode():
        image, text, scale = model(pixels, ids)
        raw = model.encode_image(pixels)
    assert image.shape == (2, 512)
    assert text.shape == (3, 512)
    torch.testing.assert_close(image.norm(dim=1), torch.ones(2))
    torch.testing.assert_close(text.norm(dim=1), torch.ones(3))
    torch.testing.assert_close(raw / raw.norm(dim=1, keepdim=True), image)
    assert scale.item() == pytest.approx(1 / 0.07)


@pytest.mark.parametrize(
    ("name", "causal"),
    [("MobileCLIP-S0", False), ("MobileCLIP-S1", False), ("MobileCLIP-B", True)],
)
def test_only_causal_text_towers_ignore_padding(name: str, causal: bool) -> None:
    torch.manual_seed(0)
    layout = dataclasses.replace(load_config(name).text, layers=2, width=64)
    tower = build_text_tower(layout, 16).eval()
    padded = captions(2)
    other = padded.clone()
    other[:, 12] = 5
    with torch.inference_mode():
        same = torch.allclose(tower(padded), tower(other), rtol=0, atol=1e-6)
    assert same is causal


def test_small_configuration_reaches_both_towers() -> None:
    config = load_config("MobileCLIP-S0")
    text = dataclasses.replace(
        config.text, context_length=32, width=64, heads=4, layers=1, embed_dim=8, vocab_size=100
    )
    model = build_from(dataclasses.replace(config, dim=24, text=text)).eval()
    assert isinstance(model, Clip)
    ids = torch.zeros(2, 32, dtype=torch.int64)
    ids[:, 4] = 99
    with torch.inference_mode():
        assert model.encode_text(ids, normalize=True).shape == (2, 24)
        assert model.encode_image(torch.rand(1, 3, 64, 64)).shape == (1, 24)


def test_unknown_model_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"no model 'MobileCLIP-S9'.*MobileCLIP-S0"):
        build("MobileCLIP-S9")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"dim": None}, "dim"),
        ({"colour": "red"}, "colour"),
        ({"image": {}}, "missing 'mean'"),
        ({"text": {"tower": "mct"}}, "context_length"),
        ({"text.causal": True}, "cannot be causal"),
        ({"text.tower": "transformer", "text.embed_dim": 8}, "embed_dim applies to"),
    ],
)
def test_faulty_configuration_names_file_and_fault(
    tmp_path: Path, change: dict[str, object], complaint: str
) -> None:
    fields = dataclasses.asdict(load_config("MobileCLIP-S0"))
    del fields["name"]
    for key, value in change.items():
        *path, last = key.split(".")
        place = fields
        for step in path:
            place = place[step]
        if value is None:
            del place[last]
        else:
            place[last] = value
    file = tmp_path / "Broken.json"
    file.write_text(json.dumps(fields))
    with pytest.raises(ValueError, match=complaint) as caught:
        read_config(file)
    assert str(file) in str(caught.value)


def test_configuration_that_is_not_json_is_named(tmp_path: Path) -> None:
    file = tmp_path / "Broken.json"
    file.write_text("{")
    with pytest.raises(ValueError, match=r"Broken\.json: "):
        read_config(file)


def test_command_prints_a_row_for_each_model() -> None:
    result = CliRunner().invoke(command)
    assert result.exit_code == 0, result.output
    heading, *rows = result.output.splitlines()
    assert heading.split()[0] == "name"
    assert {row.split()[0] for row in rows} == set(model_names())
    (row,) = (row for row in rows if row.startswith("MobileCLIP-S0 "))
    assert "fastvit_mci0" in row
    assert "MCt 4L w512 h8" in row
    assert row.split()[-6:] == ["512", "256", "11.4+42.4", "2.4", "arXiv", "2311.17049"]


def test_command_prints_exact_counts_as_json() -> None:
    result = CliRunner().invoke(command, ["--json"])
    assert result.exit_code == 0, result.output
    rows = {row["name"]: row for row in json.loads(result.output)}
    assert rows.keys() == set(model_names())
    assert rows["MobileCLIP-S1"] == dataclasses.asdict(summarise("MobileCLIP-S1"))
