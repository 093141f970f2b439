"""Teachers by specification string, so that each worker process can open its own.

open_teacher("bootstrap:runs/teacher:edgetpu/model.tflite,mobilenet_v2/model.tflite")
open_teacher("openclip:ViT-L-14:datacomp_xl_s13b_b90k")
"""

from __future__ import annotations

from pathlib import Path

from trainer.teachers.protocol import Teacher

FORMS = (
    "bootstrap:FOLDER:A.tflite,B.tflite",
    "bundle:FOLDER",
    "openclip:MODEL:TAG",
    "openclip:MODEL:FILE",
    "openclip:MODEL:FILE:TAG",
    "openclip:hf-hub:OWNER/NAME",
    "openclip:local-dir:FOLDER",
)


def open_teacher(spec: str, device: str | None = None) -> Teacher:
    """The teacher that `spec` describes, loaded; on `device`, where it is computed by PyTorch.

    `bootstrap` takes a folder made by `photosearch-trainer teach`, and the classifier files that it
    was taught on, in their order. `bundle` takes an exported bundle. `openclip` takes what
    `trainer.models.pretrained` does; the tag behind a file tells whose preprocessing and activation
    function the file needs.

    Raises `ValueError` when `spec` has another form, or what it names cannot be had.
    """
    kind, _, rest = spec.partition(":")
    if kind == "bootstrap":
        folder, _, files = rest.partition(":")
        if folder and files:
            from trainer.teachers.bootstrap_towers import BootstrapTowers

            return BootstrapTowers(Path(folder), [Path(file) for file in files.split(",")])
    if kind == "bundle" and rest:
        from trainer.teachers.bundle import BundleTeacher

        return BundleTeacher(Path(rest))
    if kind == "openclip" and rest:
        from trainer.models.pretrained import split_spec
        from trainer.teachers.openclip import OpenClipTeacher

        model, weights, like = split_spec(rest)
        return OpenClipTeacher(model, weights, like=like, device=device)
    raise ValueError(f"no teacher {spec!r}; give one of {', '.join(FORMS)}")
