"""Teachers by specification string, so that each worker process can open its own.

open_teacher("bootstrap:runs/teacher:edgetpu/model.tflite,mobilenet_v2/model.tflite")
"""

from __future__ import annotations

from pathlib import Path

from trainer.teachers.protocol import Teacher

FORMS = "bootstrap:FOLDER:A.tflite,B.tflite"


def open_teacher(spec: str) -> Teacher:
    """The teacher that `spec` describes, loaded.

    `bootstrap:FOLDER:FILE,...` is a folder made by `photosearch-trainer teach`, with the classifier
    files that it was taught on, in their order.

    Raises `ValueError` when `spec` has another form, or what it names cannot be had.
    """
    kind, _, rest = spec.partition(":")
    if kind == "bootstrap":
        folder, _, files = rest.partition(":")
        if folder and files:
            from trainer.teachers.bootstrap_towers import BootstrapTowers

            return BootstrapTowers(Path(folder), [Path(file) for file in files.split(",")])
    raise ValueError(f"no teacher {spec!r}; give {FORMS}")
