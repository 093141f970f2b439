"""Captioners by specification string, so that each worker process can open its own.

open_captioner("labels")
open_captioner("detector:yolox_nano.onnx")
"""

from __future__ import annotations

from pathlib import Path

from trainer.teachers.protocol import Captioner

FORMS = (
    "coca:MODEL:TAG",
    "coca:MODEL:FILE:TAG",
    "coca:hf-hub:OWNER/NAME",
    "coca:local-dir:FOLDER",
    "labels",
    "classifier:CLASSNAMES.json:A.tflite,B.tflite",
    "detector:FILE.onnx",
    "bank:TEXTS.txt:FOLDER",
)


def open_captioner(spec: str, device: str | None = None) -> Captioner:
    """The captioner that `spec` describes, loaded; on `device`, where it is computed by PyTorch.

    `coca` takes what `trainer.models.pretrained` does; `labels` reads the label in each photo's
    metadata; `classifier` takes a JSON list of class names and TFLite classifiers; `detector` a
    YOLOX network trained on COCO; `bank` a file of texts, of which the bundle in FOLDER chooses.

    Raises `ValueError` when `spec` has another form, or what it names cannot be had.
    """
    kind, _, rest = spec.partition(":")
    if kind == "coca" and rest:
        from trainer.captioners.coca import CocaCaptioner
        from trainer.models.pretrained import split_spec

        model, weights, like = split_spec(rest)
        return CocaCaptioner(model, weights, like=like, device=device)
    if kind == "classifier":
        names, _, files = rest.partition(":")
        if names and files:
            from trainer.captioners.classifier import ClassifierCaptioner

            return ClassifierCaptioner(Path(names), [Path(file) for file in files.split(",")])
    if kind == "detector" and rest:
        from trainer.captioners.detector import DetectorCaptioner

        return DetectorCaptioner(Path(rest))
    if kind == "bank":
        texts, _, folder = rest.partition(":")
        if texts and folder:
            from trainer.captioners.bank import BankCaptioner

            return BankCaptioner(Path(folder), Path(texts))
    if spec == "labels":
        from trainer.captioners.labels import LabelCaptioner

        return LabelCaptioner()
    raise ValueError(f"no captioner {spec!r}; give one of {', '.join(FORMS)}")
