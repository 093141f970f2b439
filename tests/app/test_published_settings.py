"""What the files of published models say, as settings of a bundle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from own_tokenizers import by_the_library, unigram, write

from photosearch.encoders import TextSettings, tokenizer_for
from photosearch.encoders.own_tokenizer import cleaned
from photosearch.errors import DownloadError
from photosearch.pulling.layouts import OpenClip, Transformers, layout_of, networks
from photosearch.pulling.onnx_graph import Graph, Value

USUAL = {
    "size": {"shortest_edge": 224},
    "crop_size": {"height": 224, "width": 224},
    "do_center_crop": True,
    "resample": 3,
    "image_mean": [0.5, 0.4, 0.3],
    "image_std": [0.2, 0.2, 0.2],
}


def transformers(folder: Path, said: dict[str, Any], **config: Any) -> Transformers:
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "preprocessor_config.json").write_text(json.dumps(said))
    return Transformers(layout_of("transformers"), folder)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {"size": 224, "resize": "shortest", "crop": "center", "interpolation": "bicubic"}),
        ({"size": 224, "crop_size": 224, "resample": 2}, {"interpolation": "bilinear"}),
        (
            {"size": {"height": 256, "width": 192}, "do_center_crop": False},
            {"size": 256, "width": 192, "resize": "squash", "crop": "none"},
        ),
        ({"do_normalize": False}, {"mean": [0.0] * 3, "std": [1.0] * 3}),
        # Values from -1 to 1 by one factor, as some write it.
        (
            {"rescale_factor": 1 / 127.5, "image_mean": [1.0] * 3, "image_std": [1.0] * 3},
            {"mean": [pytest.approx(0.5)] * 3, "std": [pytest.approx(0.5)] * 3},
        ),
    ],
)
def test_pictures_as_transformers_says(
    tmp_path: Path, changes: dict[str, Any], expected: dict[str, Any]
) -> None:
    found = transformers(tmp_path, USUAL | changes).image()
    assert {key: found[key] for key in expected} == expected


@pytest.mark.parametrize(
    "changes",
    [
        {"size": {"shortest_edge": 256}},
        {"size": {"longest_edge": 256}},
        {"do_center_crop": False},
        {"do_resize": False},
        {"do_pad": True},
        {"resample": 9},
        {"image_mean": [0.5]},
    ],
)
def test_pictures_that_photosearch_cannot_prepare(tmp_path: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(DownloadError, match=r"^preprocessor_config\.json: (wants|lacks)"):
        transformers(tmp_path, USUAL | changes).image()


def test_pictures_letterboxed_and_no_squares_as_open_clip_says(tmp_path: Path) -> None:
    (tmp_path / "visual").mkdir()
    (tmp_path / "config.json").write_text("{}")
    said = {"size": [96, 64], "mean": 0.5, "std": [0.2] * 3, "resize_mode": "longest"}
    (tmp_path / "visual/preprocess_cfg.json").write_text(json.dumps(said | {"fill_color": 7}))
    found = OpenClip(layout_of("open_clip"), tmp_path).image()
    assert (found["size"], found["width"], found["fill"]) == (96, 64, 7)
    assert (found["resize"], found["crop"], found["mean"]) == ("longest", "none", [0.5] * 3)


def test_what_the_graphs_take(tmp_path: Path) -> None:
    image = Graph(
        (Value("pixel_values", "float16", (None, None, None, None)),),
        (
            Value("last_hidden_state", "float16", (None, 50, 768)),
            Value("pooler_output", "f", (1, 8)),
        ),
        (),
    )
    ids, mask = (Value(name, "int64", (None, 64)) for name in ("input_ids", "attention_mask"))
    text = Graph((mask, ids), (Value("text_embeds", "float32", (None, 8)),), ())
    names = "onnx/vision_model_fp16.onnx", "onnx/text_model_fp16.onnx"
    assert networks(image, text, names) == {
        "image": {
            "file": "image/vision_model_fp16.onnx",
            "input": "pixel_values",
            "output": "pooler_output",
            "layout": "nchw",
        },
        "text": {
            "file": "text/text_model_fp16.onnx",
            "input": "input_ids",
            "output": "text_embeds",
            "mask": "attention_mask",
        },
    }
    odd = Graph((*text.inputs, Value("position_ids", "int64", (None, 64))), text.outputs, ())
    with pytest.raises(DownloadError, match=r"takes input_ids \(int64\), position_ids \(int64\)"):
        networks(image, odd, names)


@pytest.mark.parametrize("how", ["whitespace", "lower", "canonicalize"])
def test_texts_are_cleaned_as_open_clip_does(how: str) -> None:
    from trainer.torchvision_ops import ensure_torchvision

    ensure_torchvision()
    from open_clip.tokenizer import get_clean_fn

    theirs = get_clean_fn(how)
    for text in (
        "",
        " A_dog's  \u201cday\u201d,\tout!",
        "&amp;amp; ﬁ",
        "ÉTÉ_été…",
        "__",
        "1.5\u00a0€",
    ):
        assert cleaned(text, how) == theirs(text)


def test_a_prefix_goes_before_each_text(tmp_path: Path) -> None:
    file = write(unigram(), tmp_path)
    settings = TextSettings(9, "tokenizer.json", clean="lower", prefix="red ")
    found = tokenizer_for(settings, file)(["DOG"])
    (expected,) = by_the_library(file, ["red dog"], 9)
    np.testing.assert_array_equal(found[0, : len(expected)], expected)
    assert tokenizer_for(settings, file).lengths(["DOG"]).tolist() == [len(expected)]
