"""A real bundle that finds pictures by colour, and files of coloured pictures to measure it on.

What it must reach on such files can be worked out by hand.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from manifest import bundle_fields
from networks import network
from onnx import TensorProto, helper
from PIL import Image
from tars import sample, write_tar

from photosearch.encoders import write_manifest
from photosearch.encoders.tokenizer import encode

DIM, CONTEXT, SIZE = 384, 8, 32
COLOURS = {
    "red": (255, 0, 0),
    "green": (0, 255, 0),
    "blue": (0, 0, 255),
    "yellow": (255, 255, 0),
    "purple": (255, 0, 255),
    "black": (0, 0, 0),
}


def _image_network() -> onnx.ModelProto:
    """The mean colour of a picture."""
    nodes = [
        helper.make_node("ReduceMean", ["image"], ["colour"], axes=[2, 3], keepdims=0),
        helper.make_node("MatMul", ["colour", "widen"], ["embedding"]),
    ]
    shape = ["n", 3, SIZE, SIZE]
    return network(nodes, "image", TensorProto.FLOAT, shape, {"widen": np.eye(3, DIM)})


def _text_network() -> onnx.ModelProto:
    """The colours named by a text; other words count for nothing."""
    table = np.zeros((49408, 3))
    for name, rgb in COLOURS.items():
        (token,) = encode(name)
        table[token] = np.array(rgb) / 127.5 - 1
    nodes = [
        helper.make_node("Gather", ["table", "tokens"], ["colours"]),
        helper.make_node("ReduceSum", ["colours", "words"], ["colour"], keepdims=0),
        helper.make_node("MatMul", ["colour", "widen"], ["embedding"]),
    ]
    weights = {"table": table, "words": np.array([1]), "widen": np.eye(3, DIM)}
    return network(nodes, "tokens", TensorProto.INT64, ["n", CONTEXT], weights)


def write_bundle(folder: Path) -> Path:
    """Write the bundle to `folder`, which must not exist."""
    image = {"interpolation": "bilinear", "mean": [0.5] * 3, "std": [0.5] * 3}
    fields = bundle_fields(
        size=SIZE, context=CONTEXT, dim=DIM, image=image, name="colours", architecture="Colour"
    )
    folder.mkdir()
    onnx.save(_image_network(), folder / "image.onnx")
    onnx.save(_text_network(), folder / "text.onnx")
    (folder / "README.md").write_text("# Colours\n", encoding="utf-8")
    write_manifest(folder, fields)
    return folder


def picture(name: str, format: str = "PNG") -> bytes:
    """The bytes of a picture all in the colour of that name."""
    data = io.BytesIO()
    Image.new("RGB", (40, 20), COLOURS[name]).save(data, format)
    return data.getvalue()


def colour_tar(path: Path, captions: Mapping[str, Sequence[str]]) -> Path:
    """A picture of each named colour with its captions."""
    members = []
    for name, texts in captions.items():
        meta = {"captions": list(texts)} if texts else {"label": name}
        members += [(f"{name}.png", picture(name)), (f"{name}.json", json.dumps(meta).encode())]
    return write_tar(path, members)


def named_tar(path: Path) -> Path:
    """A picture of each colour, of which the name is both label and caption."""
    members = []
    for name in COLOURS:
        meta = {"label": name, "source": "drawn", "captions": [name]}
        members += sample(name, picture(name), meta)
    return write_tar(path, members)


def right(*names: str) -> dict[str, list[str]]:
    """Two true captions for each colour."""
    return {name: [f"a {name} wall", f"it is {name}"] for name in names}


class BenchmarkSet:
    """A data set in clip_benchmark's form that is being written."""

    def __init__(self, parent: Path, name: str) -> None:
        self.folder = parent / f"wds_{name}"
        self.members: list[tuple[str, bytes]] = []

    def classes(self, *names: str, templates: Sequence[str] = ("a {c} wall", "it is {c}")) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "classnames.txt").write_text("\n".join(names) + "\n")
        file = self.folder / "zeroshot_classification_templates.txt"
        file.write_text("\n".join(templates) + "\n")

    def add(self, colour: str, **others: Any) -> None:
        """A picture, and beside it what `others` say: cls=1, txt="...", npy=[2, 0]."""
        key = f"s{len(self.members):07d}"
        self.members.append((f"{key}.png", picture(colour)))
        for suffix, value in others.items():
            if suffix == "npy":
                data = io.BytesIO()
                np.save(data, np.array(value))
                self.members.append((f"{key}.npy", data.getvalue()))
            else:
                self.members.append((f"{key}.{suffix}", str(value).encode()))

    def write(self, kind: str | None = None) -> Path:
        write_tar(self.folder / "test" / "0.tar", self.members)
        (self.folder / "test" / "nshards.txt").write_text("1\n")
        if kind is not None:
            (self.folder / "dataset_type.txt").write_text(f"{kind}\n")
        return self.folder
