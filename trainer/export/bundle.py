"""From two trained towers to a model bundle.

    report = export_bundle(image_tower, text_tower, folder, fields=fields, card=render_card(...))
    report.sizes["image.onnx"], report.parity["image"]

The bundle is made in a hidden folder beside its place, opened and compared with PyTorch there, and
only then renamed, so a bundle in its place is a whole and checked one.
"""

from __future__ import annotations

import copy
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import replace as replace_fields
from os import PathLike
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from photosearch.encoders import (
    Bundle,
    ImageSettings,
    Preprocess,
    Tokenizer,
    open_encoder,
    write_manifest,
)
from trainer.export.errors import ExportError
from trainer.export.onnx_file import write_onnx
from trainer.export.samples import sample_pixels, sample_texts
from trainer.export.storage import quantize_embeddings, round_to_float16
from trainer.models.folding import fold_batch_norms

# The largest difference of any component of two unit-norm embeddings that passes for rounding.
TOLERANCE = 1e-4
_BATCHES = (1, 3, 32)
_DERIVED = frozenset({"format", "files"})
_OURS = frozenset({"README.md", "bundle.json", "image.onnx", "text.onnx"})

Precision = Literal["float32", "float16"]


@dataclass(frozen=True)
class ExportReport:
    """What was written.

    sizes: bytes of each file; parity: for "image" and "text", the largest difference between the
    bundle and PyTorch in any component of a unit-norm embedding; storage_cosine: for each, the mean
    cosine between embeddings before and after its weights were made smaller (1 when they were not).
    """

    bundle: Bundle
    sizes: dict[str, int]
    parity: dict[str, float]
    storage_cosine: dict[str, float]

    @property
    def total_bytes(self) -> int:
        """The size of the whole folder."""
        return sum(self.sizes.values())

    def summary(self) -> str:
        """A few lines for a terminal."""
        lines = [f"{self.bundle.id}: {self.total_bytes / 1e6:.1f} MB in {self.bundle.folder}"]
        lines += [f"  {name}: {size / 1e6:.2f} MB" for name, size in self.sizes.items()]
        lines += [
            f"  {tower}: within {self.parity[tower]:.1e} of PyTorch, "
            f"storage cosine {self.storage_cosine[tower]:.6f}"
            for tower in self.parity
        ]
        return "\n".join(lines)


def export_bundle(
    image_tower: nn.Module,
    text_tower: nn.Module,
    out_folder: str | PathLike[str],
    *,
    fields: dict[str, Any],
    card: str,
    image_storage: Precision = "float32",
    text_storage: Precision = "float32",
    embedding_storage: Literal["float32", "int8"] = "float32",
    limit_bytes: int | None = None,
    expect_id: str | None = None,
    replace: bool = False,
) -> ExportReport:
    """Write the bundle `out_folder` and check it; the towers stay as they are.

    Args:
        image_tower: pixels (n, 3, S, S) normalised as `fields["image"]` says -> (n, dim).
        text_tower: token ids (n, context) int64 -> (n, dim).
        fields: bundle.json but for "format" and "files".
        card: the text of README.md.
        image_storage, text_storage: "float16" halves the tower's weights, rounding them.
        embedding_storage: "int8" quarters the token table, with one float scale a row.
        limit_bytes: the most that the folder may take.
        expect_id: the id of the bundle that `fields["metrics"]` were measured on.
        replace: a bundle already at `out_folder` is replaced.

    Raises:
        ExportError: a tower cannot be exported, does not fit `fields`, or differs from PyTorch by
            1e-4 or more; the bundle is too large, or another than was measured; something is in
            the way. Nothing is left behind.
        BundleError: `fields` are not what bundle.json needs.
    """
    image_settings, context = _settings(fields)
    pixels = sample_pixels(sum(_BATCHES), image_settings.size)
    texts = sample_texts(sum(_BATCHES))
    photos = torch.from_numpy(Preprocess(image_settings).normalise(pixels))
    ids = torch.from_numpy(Tokenizer(context)(texts))
    dim = fields.get("embedding_dim")
    image = _stored(image_tower, photos, "image", dim, float16=image_storage == "float16")
    text = _stored(
        text_tower,
        ids,
        "text",
        dim,
        float16=text_storage == "float16",
        int8=embedding_storage == "int8",
    )
    with _in_place(Path(out_folder), replace=replace) as folder:
        for name, stored, example in (("image", image, photos), ("text", text, ids)):
            write_onnx(
                stored.tower,
                example[:2],
                folder / f"{name}.onnx",
                input_name="image" if name == "image" else "tokens",
                float16=stored.float16,
            )
        (folder / "README.md").write_text(card, encoding="utf-8")
        bundle = write_manifest(folder, fields)
        sizes = {path.name: path.stat().st_size for path in sorted(folder.iterdir())}
        _check_size(sizes, limit_bytes)
        if expect_id not in (None, bundle.id):
            raise ExportError(
                f"these towers make {bundle.id}, and the metrics are of {expect_id}; "
                "export without metrics, evaluate, and export again"
            )
        encoder = open_encoder(folder)
        parity = {
            "image": _difference(image.expected, lambda part: encoder.encode_pixels(pixels[part])),
            "text": _difference(text.expected, lambda part: encoder.encode_texts(texts[part])),
        }
        for name, difference in parity.items():
            # Written so that NaN fails too.
            if not difference < TOLERANCE:
                raise ExportError(
                    f"{name}.onnx: differs from PyTorch by {difference:.1e}, and {TOLERANCE:.0e} "
                    "is allowed; the tower computes something else in the exported graph"
                )
    return ExportReport(
        replace_fields(bundle, folder=Path(out_folder)),
        sizes,
        parity,
        {"image": image.cosine, "text": text.cosine},
    )


def annotate_bundle(
    folder: str | PathLike[str], *, card: str | None = None, **changes: Any
) -> Bundle:
    """Replace the model card or fields of bundle.json of a bundle that was evaluated since.

        annotate_bundle(folder, card=render_card(...), metrics=[...])

    The networks stay byte for byte, and so does the bundle's id, unless `changes` touch its name,
    version or preprocessing.

    Raises:
        BundleError: there is no whole bundle in `folder`, or `changes` do not make one.
    """
    opened = Bundle.open(folder)
    fields = {key: opened.manifest[key] for key in opened.manifest if key not in _DERIVED}
    with _in_place(Path(folder), replace=True) as part:
        for name in opened.manifest["files"]:
            shutil.copy2(opened.folder / name, part / name)
        if card is not None:
            (part / "README.md").write_text(card, encoding="utf-8")
        bundle = write_manifest(part, fields | changes)
    return replace_fields(bundle, folder=Path(folder))


@dataclass(frozen=True)
class _Stored:
    """A tower as its file will hold it, and its unit-norm embeddings of the samples."""

    tower: nn.Module
    expected: NDArray[np.float32]
    cosine: float
    float16: bool


def _stored(
    tower: nn.Module,
    samples: Tensor,
    name: str,
    dim: int | None,
    *,
    float16: bool = False,
    int8: bool = False,
) -> _Stored:
    tower = copy.deepcopy(tower).cpu().float().eval()
    original = _embeddings(tower, samples)
    if original.shape != (len(samples), dim):
        raise ExportError(
            f"{name} tower: gives {tuple(original.shape)} for {len(samples)} inputs, "
            f'and embedding_dim is {dim}; make the towers and "embedding_dim" agree'
        )
    tower = fold_batch_norms(tower)
    folded = _embeddings(tower, samples)
    if not np.abs(folded - original).max() < TOLERANCE:
        raise ExportError(
            f"{name} tower: folding its normalisations moves embeddings by "
            f"{np.abs(folded - original).max():.1e}, and {TOLERANCE:.0e} is allowed"
        )
    if int8 and not quantize_embeddings(tower):
        raise ExportError(f"{name} tower: has no token table; leave embedding_storage at float32")
    if float16:
        round_to_float16(tower)
    expected = _embeddings(tower, samples) if int8 or float16 else folded
    # Of unit vectors; the products themselves would lose the change among float32's last digits.
    cosine = 1 - np.square(np.subtract(expected, original, dtype=np.float64)).sum(1).mean() / 2
    return _Stored(tower, expected, float(cosine), float16)


def _embeddings(tower: nn.Module, samples: Tensor) -> NDArray[np.float32]:
    with torch.inference_mode():
        parts = [F.normalize(tower(part), dim=1) for part in torch.split(samples, 16)]
    embeddings: NDArray[np.float32] = torch.cat(parts).numpy()
    return embeddings


def _difference(
    expected: NDArray[np.float32], encode: Callable[[slice], NDArray[np.float32]]
) -> float:
    """The largest over the batch sizes, each run as one batch."""
    worst, start = 0.0, 0
    for count in _BATCHES:
        part = slice(start, start + count)
        worst = max(worst, float(np.abs(encode(part) - expected[part]).max()))
        start += count
    return worst


def _settings(fields: dict[str, Any]) -> tuple[ImageSettings, int]:
    try:
        return ImageSettings(**fields["image"]), int(fields["text"]["context_length"])
    except (KeyError, TypeError, ValueError) as error:
        raise ExportError(f"bundle fields: image or text is incomplete ({error})") from error


def _check_size(sizes: dict[str, int], limit: int | None) -> None:
    total = sum(sizes.values())
    if limit is not None and total > limit:
        largest = max(sizes, key=lambda name: sizes[name])
        raise ExportError(
            f"the bundle takes {total / 1e6:.1f} MB, and {limit / 1e6:.1f} MB is allowed; most is "
            f"{largest} with {sizes[largest] / 1e6:.1f} MB: store it as float16, or its token "
            "table as int8"
        )


@contextmanager
def _in_place(out: Path, *, replace: bool) -> Iterator[Path]:
    """A new folder beside `out` that becomes `out` when the block ends well, and else goes."""
    part, old = out.with_name(f".{out.name}.part"), out.with_name(f".{out.name}.old")
    if old.exists() and not out.exists():
        old.rename(out)  # an export was killed between its two renames
    if out.exists():
        if not out.is_dir() or {path.name for path in out.iterdir()} - _OURS:
            raise ExportError(f"{out}: holds something else than a bundle; choose another folder")
        if not replace:
            raise ExportError(f"{out}: already there; ask for it to be replaced, or move it")
    out.parent.mkdir(parents=True, exist_ok=True)
    for left in (part, old):  # of an export that was killed
        shutil.rmtree(left, ignore_errors=True)
    part.mkdir()
    try:
        yield part
        if out.exists():
            out.rename(old)
        part.rename(out)
    except BaseException:
        if old.exists() and not out.exists():
            old.rename(out)
        shutil.rmtree(part, ignore_errors=True)
        raise
    shutil.rmtree(old, ignore_errors=True)
