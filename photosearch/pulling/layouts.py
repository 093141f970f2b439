"""How models are published as ONNX: which files there are, and what they say of the model.

Two layouts are known: that of OpenCLIP's models exported for immich, and that of transformers.js.
What is read from their files becomes the sections "image", "text" and "networks" of bundle.json.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from photosearch.encoders.bundle import CLIP_BPE, TOKENIZER
from photosearch.encoders.tokenizer import is_clips
from photosearch.errors import DownloadError
from photosearch.pulling.onnx_graph import Graph, Value

_CONTEXT = 77
_SIGLIP_CONTEXT = 64
# By the numbers of Pillow, which preprocessor_config.json has.
_RESAMPLING = ("nearest", "lanczos", "bilinear", "bicubic", "box", "hamming")
_MASK = "attention_mask"
# Of several outputs the one that is meant to be compared, the best name first.
_OUTPUTS = ("embedding", "image_embeds", "text_embeds", "sentence_embedding", "pooler_output")


@dataclass(frozen=True)
class Layout:
    """The files of a model by what they are for, each as the repository names it."""

    image: str
    text: str
    config: str
    preprocessing: str
    tokenizer: str
    tokenizer_config: str

    @property
    def settings(self) -> tuple[str, ...]:
        """All but the graphs."""
        return self.config, self.preprocessing, self.tokenizer, self.tokenizer_config


def layout_of(kind: str, variant: str = "") -> Layout:
    """That of immich's exports, for "open_clip", or of transformers.js, whose graphs have variants.

    variant: what their names end in, as "_fp16".
    """
    if kind == "open_clip":
        return Layout(
            image="visual/model.onnx",
            text="textual/model.onnx",
            config="config.json",
            preprocessing="visual/preprocess_cfg.json",
            tokenizer="textual/tokenizer.json",
            tokenizer_config="textual/tokenizer_config.json",
        )
    return Layout(
        image=f"onnx/vision_model{variant}.onnx",
        text=f"onnx/text_model{variant}.onnx",
        config="config.json",
        preprocessing="preprocessor_config.json",
        tokenizer="tokenizer.json",
        tokenizer_config="tokenizer_config.json",
    )


class Published(ABC):
    """The settings of a model, read from its files in `folder`; one class for each layout.

    Its methods raise `DownloadError` for what photosearch does not know.
    """

    def __init__(self, layout: Layout, folder: Path) -> None:
        self.layout, self.folder = layout, folder
        self.config = self._read(layout.config)
        self.preprocessing = self._read(layout.preprocessing)

    @abstractmethod
    def image(self) -> dict[str, Any]:
        """The section "image" of bundle.json."""

    @abstractmethod
    def dim(self) -> int | None:
        """How many numbers a vector has; None when it is not said."""

    @abstractmethod
    def _cleaning(self) -> str:
        """What is done to a text before it is split: `clean` of bundle.json."""

    @abstractmethod
    def _context(self) -> int:
        """Tokens of a text, where the graph leaves that open."""

    def text(self, ids: Value) -> dict[str, Any]:
        """The section "text" of bundle.json, for a graph that takes `ids`."""
        length = ids.shape[-1] or self._context()
        content = self._read(self.layout.tokenizer)
        if not isinstance(content.get("model"), dict):
            raise self._unknown(self.layout.tokenizer, 'has no "model"')
        if _is_clips(content):
            return {"context_length": length, "tokenizer": CLIP_BPE}
        clean = self._cleaning()
        return {
            "context_length": length,
            "tokenizer": TOKENIZER,
            "pad_id": self._pad_id(content),
            "padding": "max_length",
        } | ({} if clean == "none" else {"clean": clean})

    def _pad_id(self, content: Mapping[str, Any]) -> int:
        token = self._read(self.layout.tokenizer_config, needed=False).get("pad_token")
        name = token.get("content") if isinstance(token, dict) else token
        for added in content.get("added_tokens", ()):
            if added["content"] == name:
                return int(added["id"])
        vocabulary = content["model"].get("vocab", {})
        if isinstance(vocabulary, dict) and name in vocabulary:
            return int(vocabulary[name])
        if isinstance(vocabulary, list) and name in (words := [word for word, _ in vocabulary]):
            return words.index(name)
        said = (content.get("padding") or {}).get("pad_id")
        if isinstance(said, int):
            return said
        raise self._unknown(self.layout.tokenizer_config, "names no token to pad texts with")

    def _read(self, name: str, *, needed: bool = True) -> dict[str, Any]:
        try:
            found = json.loads((self.folder / name).read_text(encoding="utf-8"))
        except FileNotFoundError:
            if needed:
                raise
            return {}
        except (ValueError, RecursionError) as error:
            raise self._unknown(name, f"is not valid JSON ({error})") from None
        if not isinstance(found, dict):
            raise self._unknown(name, "is no JSON object")
        return found

    def _unknown(self, name: str, what: str) -> DownloadError:
        return DownloadError(
            f"{name}: {what}; what is published has changed, and a newer photosearch may know how"
        )


class OpenClip(Published):
    """As immich's export writes it: by open_clip's own names for everything."""

    def image(self) -> dict[str, Any]:
        said = self.preprocessing
        try:
            height, width = _sides(said["size"])
            mode = said.get("resize_mode") or "shortest"
            bilinear = said.get("interpolation") == "bilinear"
            fields = {
                "size": height,
                "resize": mode,
                "crop": "center" if mode == "shortest" else "none",
                "interpolation": "bilinear" if bilinear else "bicubic",
                "mean": _three(said["mean"]),
                "std": _three(said["std"]),
            }
        except (KeyError, TypeError, ValueError) as error:
            raise self._unknown(self.layout.preprocessing, f"lacks what is needed ({error})") from (
                None
            )
        if mode not in ("shortest", "squash", "longest") or said.get("mode", "RGB") != "RGB":
            raise self._unknown(
                self.layout.preprocessing,
                f"wants {said.get('mode', 'RGB')} pictures, resized as {mode!r}",
            )
        if height != width:
            fields["width"] = width
            if mode == "shortest":  # open_clip resizes to these by that alone
                fields["interpolation"] = "bicubic"
        if mode == "longest" and said.get("fill_color"):
            fields["fill"] = int(said["fill_color"])
        return fields

    def dim(self) -> int | None:
        return _whole(self.config.get("embed_dim"))

    def _cleaning(self) -> str:
        options = self._text.get("tokenizer_kwargs") or {}
        if (odd := {*options} - {"clean"}) or self._text.get("tokenizer_mode"):
            raise self._unknown(self.layout.config, f"wants texts split by {sorted(odd)}")
        return str(options.get("clean", "whitespace"))

    def _context(self) -> int:
        return _whole(self._text.get("context_length")) or _CONTEXT

    @property
    def _text(self) -> dict[str, Any]:
        found = self.config.get("text_cfg")
        return found if isinstance(found, dict) else {}


class Transformers(Published):
    """As transformers.js wants it: by the names of the library transformers."""

    def image(self) -> dict[str, Any]:
        said = self.preprocessing
        try:
            return self._image(said)
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise self._unknown(self.layout.preprocessing, f"lacks what is needed ({error})") from (
                None
            )

    def _image(self, said: Mapping[str, Any]) -> dict[str, Any]:
        size, crops = said["size"], bool(said.get("do_center_crop"))
        if said.get("do_pad") or not said.get("do_resize", True):
            raise self._unknown(self.layout.preprocessing, "wants pictures that are not resized")
        short = size.get("shortest_edge") if isinstance(size, dict) else size if crops else None
        if short is not None:
            height, width = _sides(said.get("crop_size") or short)
            if not crops or {short} != {height, width}:
                raise self._unknown(
                    self.layout.preprocessing,
                    f"wants the short side of {short} pixels cut to {height} x {width}",
                )
            resize, crop = "shortest", "center"
        else:
            height, width = _sides(size)
            if crops and _sides(said["crop_size"]) != (height, width):
                raise self._unknown(self.layout.preprocessing, "wants cuts of squashed pictures")
            resize, crop = "squash", "none"
        # Ours are of values from 0 to 1; they make others of the values from 0 to 255.
        scale = 255 * (float(said.get("rescale_factor", 1 / 255)) if _on(said, "rescale") else 1)
        scale = 1.0 if abs(scale - 1) < 1e-6 else scale
        normal = _on(said, "normalize")
        mean, std = (
            _three(said[key]) if normal else [value] * 3
            for key, value in (("image_mean", 0.0), ("image_std", 1.0))
        )
        fields: dict[str, Any] = {
            "size": height,
            "resize": resize,
            "crop": crop,
            "interpolation": _RESAMPLING[said.get("resample", 3)],
            "mean": [value / scale for value in mean],
            "std": [value / scale for value in std],
        }
        return fields if height == width else fields | {"width": width}

    def dim(self) -> int | None:
        return _whole(self.config.get("projection_dim"))

    def _cleaning(self) -> str:
        # What the library does beside its file, in Python, for these alone.
        return "canonicalize" if self._is_siglip else "none"

    def _context(self) -> int:
        text = self.config.get("text_config")
        said = _whole((text or {}).get("max_position_embeddings"))
        return said or (_SIGLIP_CONTEXT if self._is_siglip else _CONTEXT)

    @property
    def _is_siglip(self) -> bool:
        return str(self.config.get("model_type", "")).startswith("siglip")


def networks(image: Graph, text: Graph, files: tuple[str, str]) -> dict[str, Any]:
    """The section "networks" of bundle.json, of graphs in files of these names.

    Raises `DownloadError` when one takes or gives what photosearch does not know.
    """
    pictures, ids = _only(image, files[0], ("float32", "float16", "uint8")), ids_of(text, files[1])
    layout = "nhwc" if pictures.type == "uint8" else "nchw"
    seen = _network("image", image, files[0], pictures) | {"layout": layout}
    read = _network("text", text, files[1], ids)
    if any(value.name == _MASK for value in text.inputs):
        read["mask"] = _MASK
    return {"image": seen, "text": read}


def _network(tower: str, graph: Graph, file: str, taken: Value) -> dict[str, Any]:
    named = {
        "file": f"{tower}/{PurePosixPath(file).name}",
        "input": taken.name,
        "output": _output(graph, file).name,
    }
    return named | ({"together": taken.shape[0]} if taken.shape[0] else {})


def ids_of(text: Graph, file: str) -> Value:
    """The input that takes the ids of tokens. Raises `DownloadError`."""
    rest = tuple(value for value in text.inputs if value.name != _MASK)
    return _only(Graph(rest, text.outputs, text.elsewhere), file, ("int32", "int64"))


def dim_of(graph: Graph, file: str) -> int | None:
    """How many numbers the vectors of a graph have; None when it leaves that open."""
    return _output(graph, file).shape[-1]


def _only(graph: Graph, file: str, types: tuple[str, ...]) -> Value:
    if len(graph.inputs) != 1 or graph.inputs[0].type not in types or not graph.inputs[0].shape:
        taken = ", ".join(f"{value.name} ({value.type})" for value in graph.inputs)
        raise DownloadError(f"{file}: takes {taken}, and photosearch knows no such network")
    return graph.inputs[0]


def _output(graph: Graph, file: str) -> Value:
    rows = [value for value in graph.outputs if len(value.shape) == 2]
    for name in _OUTPUTS:
        for value in rows:
            if value.name == name:
                return value
    if not rows:
        raise DownloadError(f"{file}: gives no vectors, so photos and texts cannot be compared")
    return rows[0]


def _is_clips(content: Mapping[str, Any]) -> bool:
    """Whether tokenizer.json holds the vocabulary that comes with photosearch."""
    merges = content["model"].get("merges")
    if not isinstance(merges, list):
        return False
    # Written as a text, or as its two parts.
    return is_clips([one if isinstance(one, str) else " ".join(one) for one in merges])


def _sides(size: Any) -> tuple[int, int]:
    """Height and width."""
    if isinstance(size, dict):
        return int(size["height"]), int(size["width"])
    if isinstance(size, list):
        return int(size[0]), int(size[-1])
    return int(size), int(size)


def _three(values: Any) -> list[float]:
    if isinstance(values, int | float):
        return [float(values)] * 3
    red, green, blue = values
    return [float(red), float(green), float(blue)]


def _on(said: Mapping[str, Any], step: str) -> bool:
    return bool(said.get(f"do_{step}", True))


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and value > 0 else None
