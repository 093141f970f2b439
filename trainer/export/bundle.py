"""From two trained towers to a model bundle.

    report = export_bundle(image_tower, text_tower, folder, fields=fields, card=render_card(...))
    report.sizes["image.onnx"], report.parity["image"]

The bundle is made in a hidden folder beside its place, opened and compared with PyTorch there, and
only then renamed, so a bundle in its place is a whole and checked one. What was measured is in its
bundle.json, under "export".
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace as replace_fields
from os import PathLike
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from photosearch.encoders import (
    Bundle,
    ImageSettings,
    Preprocess,
    TextSettings,
    open_encoder,
    open_tokenizer,
    write_manifest,
)
from photosearch.encoders.bundle import TOKENIZER
from photosearch.encoders.calibration import BACKGROUND
from photosearch.encoders.onnx import OnnxEncoder, import_onnxruntime
from trainer.export.coreml import write_coreml
from trainer.export.errors import ExportError
from trainer.export.gate import LIMIT, Recall, measure
from trainer.export.int8_image import calibration_batches, write_int8_convolutions
from trainer.export.int8_text import write_int8
from trainer.export.onnx_file import store_float16, write_onnx
from trainer.export.place import in_place, sizes_of
from trainer.export.report import Checks, ExportReport, Int8Image, Int8Report
from trainer.export.samples import Samples, samples_for
from trainer.export.tokenizer_json import open_source, write_tokenizer
from trainer.export.tower import (
    BATCHES,
    TOLERANCE,
    Tower,
    embeddings,
    largest_difference,
    mean_cosine,
    prepare,
)
from trainer.teachers.conse import normalise

Precision = Literal["float32", "float16"]


def export_bundle(
    image_tower: nn.Module,
    text_tower: nn.Module,
    out_folder: str | PathLike[str],
    *,
    fields: dict[str, Any],
    card: str,
    tokenizer: Path | None = None,
    image_storage: Precision = "float32",
    text_storage: Precision = "float32",
    embedding_storage: Literal["float32", "int8"] = "float32",
    int8_text: bool = False,
    int8_image: Sequence[Path] = (),
    gate: Sequence[Path] = (),
    coreml: bool = False,
    limit_bytes: int | None = None,
    expect_id: str | None = None,
    replace: bool = False,
) -> ExportReport:
    """Write the bundle `out_folder` and check it; the towers stay as they are.

    Args:
        image_tower: pixels (n, 3, S, S) normalised as `fields["image"]` says -> (n, dim).
        text_tower: token ids (n, L) int64 -> (n, dim).
        fields: bundle.json but for "format", "files" and "export".
        card: the text of README.md.
        tokenizer: the file tokenizer.json, for a model that has one of its own.
        image_storage, text_storage: "float16" halves the tower's weights, rounding them.
        embedding_storage: "int8" quarters the token table, with one float scale a row.
        int8_text: try 8-bit arithmetic in the text tower; kept if R@10 on the gate drops by less
            than half a point.
        int8_image: photo tars; what lies before the image tower's poolings computes in 8 bits, by
            the ranges that its activations have on them. A gate is needed.
        gate: captioned photo tars; a bundle that finds less than its towers in PyTorch, by half a
            point of R@10 or more, is refused.
        coreml: write Core ML packages too.
        limit_bytes: the most that the folder may take.
        expect_id: the id of the bundle that `fields["metrics"]` were measured on.
        replace: a bundle already at `out_folder` is replaced.

    Raises:
        ExportError: a tower cannot be exported, does not fit `fields` or the tokenizer, or differs
            from PyTorch by 1e-4 or more; the gate is not passed; the bundle is too large, or
            another than was measured; something is in the way. Nothing is left behind.
        BundleError: `fields` are not what bundle.json needs.
        PhotoTarError: a tar of the gate cannot be read.
    """
    settings, reading = _settings(fields)
    if int8_text and not gate:
        raise ExportError("an int8 text tower needs a gate: captioned photos to measure it on")
    if int8_image and not gate:
        raise ExportError("an int8 image tower needs a gate: captioned photos to measure it on")
    if int8_text and text_storage == "float16":
        raise ExportError("an int8 text tower cannot be stored in float16; choose one of the two")
    samples = samples_for(settings, open_source(reading, tokenizer, text_tower), sum(BATCHES))
    images, ids = torch.from_numpy(samples.images), torch.from_numpy(samples.ids)
    dim = fields.get("embedding_dim")
    image = prepare(image_tower, images, "image", dim, float16=image_storage == "float16")
    text = prepare(
        text_tower,
        ids,
        "text",
        dim,
        float16=text_storage == "float16",
        int8_table=embedding_storage == "int8",
    )
    with in_place(Path(out_folder), replace=replace) as folder:
        # Two rows, since PyTorch takes a batch of one for a constant.
        write_onnx(
            image.stored,
            images[:2],
            folder / "image.onnx",
            input_name="image",
            float16=image.float16,
        )
        write_onnx(
            text.stored,
            ids[:2],
            folder / "text.onnx",
            input_name="tokens",
            float16=text.float16,
            free_length=reading.padding == "longest",
        )
        if tokenizer is not None:
            write_tokenizer(tokenizer, folder / TOKENIZER)
        (folder / "README.md").write_text(card, encoding="utf-8")
        write_manifest(folder, fields)
        checks = Checks(
            _parity(folder, image, text, samples),
            {"image": image.cosine, "text": text.cosine},
        )
        if int8_image:
            checks = replace_fields(
                checks, int8_image=_shrink_image(folder, image, samples, int8_image)
            )
            write_manifest(folder, fields)
        if gate:
            recall, int8 = _through_gate(folder, image, text, samples, gate, int8_text=int8_text)
            checks = replace_fields(checks, recall=recall, int8=int8)
        if coreml:
            packages = write_coreml(folder, image.folded, text.folded, samples)
            checks = replace_fields(checks, coreml=packages)
        bundle = write_manifest(folder, fields | {"export": checks.record()})
        sizes = sizes_of(folder)
        _check_size(sizes, limit_bytes)
        if expect_id not in (None, bundle.id):
            raise ExportError(
                f"these towers make {bundle.id}, and the metrics are of {expect_id}; "
                "export without metrics, evaluate, and export again"
            )
    return ExportReport(replace_fields(bundle, folder=Path(out_folder)), sizes, checks)


def annotate_bundle(
    folder: str | PathLike[str],
    *,
    card: str | None = None,
    background: NDArray[np.float16] | None = None,
    **changes: Any,
) -> Bundle:
    """Replace the model card or fields of bundle.json of a bundle that was evaluated since.

        annotate_bundle(folder, card=render_card(...), metrics=[...])

    `background` are the vectors of the photos that `calibration` was fitted with.

    The networks stay byte for byte, and so does the bundle's id, unless `changes` touch its name,
    version or preprocessing.

    Raises:
        BundleError: there is no whole bundle in `folder`, or `changes` do not make one.
    """
    opened = Bundle.open(folder)
    with in_place(Path(folder), replace=True) as part:
        for name in opened.manifest["files"]:
            (part / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(opened.folder / name, part / name)
        if card is not None:
            (part / "README.md").write_text(card, encoding="utf-8")
        if background is not None:
            np.save(part / BACKGROUND, background)
        bundle = write_manifest(part, opened.fields | changes)
    return replace_fields(bundle, folder=Path(folder))


def _parity(folder: Path, image: Tower, text: Tower, samples: Samples) -> dict[str, float]:
    encoder = open_encoder(folder)
    parity = {
        "image": largest_difference(
            image.expected, lambda part: encoder.encode_pixels(samples.pixels[part])
        ),
        "text": largest_difference(
            text.expected, lambda part: encoder.encode_texts(samples.texts[part])
        ),
    }
    for name, difference in parity.items():
        # Written so that NaN fails too.
        if not difference < TOLERANCE:
            raise ExportError(
                f"{name}.onnx: differs from PyTorch by {difference:.1e}, and {TOLERANCE:.0e} "
                "is allowed; the tower computes something else in the exported graph"
            )
    return parity


def _shrink_image(
    folder: Path, image: Tower, samples: Samples, photos: Sequence[Path]
) -> Int8Image:
    """Put the image network in `folder` into 8 bits, as far as that goes."""
    path = folder / "image.onnx"
    before = path.stat().st_size
    prepare = Preprocess(samples.settings)
    small = folder / ".image.onnx"
    write_int8_convolutions(path, small, calibration_batches(photos, prepare))
    if image.float16:
        store_float16(small)
    small.replace(path)
    network = import_onnxruntime().InferenceSession(str(path), providers=["CPUExecutionProvider"])
    parts = [
        network.run(["embedding"], {"image": samples.images[start : start + 8]})[0]
        for start in range(0, len(samples.images), 8)
    ]
    return Int8Image(
        cosine=mean_cosine(normalise(np.concatenate(parts)), image.expected),
        size=path.stat().st_size,
        float32_size=before,
    )


def _through_gate(
    folder: Path,
    image: Tower,
    text: Tower,
    samples: Samples,
    gate: Sequence[Path],
    *,
    int8_text: bool,
) -> tuple[Recall, Int8Report | None]:
    """Measure the bundle in `folder`, and take the 8-bit text tower into it if that is as good."""
    bundle = Bundle.open(folder)
    tokenise = open_tokenizer(bundle)
    towers = image.folded, text.folded
    if not int8_text:
        recall = measure(gate, towers, tokenise, OnnxEncoder(bundle))
        _check_drop(recall)
        return recall, None
    beside = folder / ".int8"  # hidden, and so no part of the bundle
    beside.mkdir()
    ours, theirs = folder / "text.onnx", beside / "text.onnx"
    write_int8(ours, theirs)
    if (folder / TOKENIZER).is_file():
        shutil.copy2(folder / TOKENIZER, beside)
    # Its network is another than the one whose hash is listed.
    unlisted = bundle.manifest | {"files": {}}
    int8 = OnnxEncoder(replace_fields(bundle, folder=beside, manifest=unlisted))
    recall = measure(gate, towers, tokenise, OnnxEncoder(bundle), int8)
    _check_drop(recall)
    report = Int8Report(
        kept=recall.drop("int8") < LIMIT,
        cosine=mean_cosine(
            int8.encode_texts(samples.texts),
            embeddings(text.folded, torch.from_numpy(samples.ids)),
        ),
        size=theirs.stat().st_size,
        float32_size=ours.stat().st_size,
    )
    if report.kept:
        theirs.replace(ours)
    shutil.rmtree(beside)
    return recall, report


def _check_drop(recall: Recall) -> None:
    if not recall.drop("float32") < LIMIT:
        raise ExportError(
            f"the bundle finds {100 * recall.drop('float32'):.2f} points of R@10 less than its "
            f"towers in PyTorch, and less than {100 * LIMIT} is allowed; store its weights larger"
        )


def _settings(fields: dict[str, Any]) -> tuple[ImageSettings, TextSettings]:
    try:
        return ImageSettings(**fields["image"]), TextSettings(**fields["text"])
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
