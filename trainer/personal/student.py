"""The student: a member of the family whose space is the teacher's, and its bundle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from photosearch.encoders import Bundle
from trainer.export import export_bundle
from trainer.export.card import CardFields, DataSource, TeacherModel, render_card
from trainer.export.facts import facts_of
from trainer.models.checkpoints import load_into
from trainer.models.config import ModelConfig, load_config, read_config
from trainer.models.family import build_from

STUDENTS = {"nano": "MobileCLIP-Nano", "s0": "MobileCLIP-S0"}


def write_student(folder: Path, kind: str, dim: int) -> ModelConfig:
    """The configuration of a student whose vectors have `dim` numbers, written to `folder`."""
    config = replace(load_config(STUDENTS[kind]), dim=dim)
    about = asdict(config)
    file = folder / f"personal-{kind}.json"
    file.write_text(json.dumps({key: about[key] for key in about if key != "name"}, indent=2))
    return read_config(file)


def export_student(
    config: ModelConfig,
    weights: Path,
    out: Path,
    teacher: Bundle,
    *,
    photos: int,
    texts: int,
    before: Mapping[str, float],
    after: Mapping[str, float],
) -> None:
    """Write the bundle `out`, in the place of one that is there. Raises as `export_bundle` does."""
    towers = build_from(config)
    load_into(towers, weights)
    about = _card(config, teacher, photos, texts, before, after)
    fields: dict[str, Any] = {
        **facts_of(config),
        "logit_scale": float(towers.logit_scale.detach().exp()),
        "name": about.name,
        "version": about.version,
        "calibration": None,
        "licence": about.licence,
        "provenance": about.provenance(),
        "languages": list(about.languages),
        "metrics": [],
    }
    export_bundle(
        towers.visual,
        towers.text,
        out,
        fields=fields,
        card=render_card(about),
        embedding_storage="int8",
        replace=True,
    )


def _card(
    config: ModelConfig,
    teacher: Bundle,
    photos: int,
    texts: int,
    before: Mapping[str, float],
    after: Mapping[str, float],
) -> CardFields:
    named = str(teacher.manifest["name"])
    licence = str(teacher.manifest["licence"])
    measured = ", ".join(
        f"{name.replace('_', ' ')} {before.get(name, 0.0):.3f} before and {value:.3f} after"
        for name, value in after.items()
    )
    return CardFields(
        name=config.name,
        version="1",
        summary=f"A small model that learned from {named} on the photos of one library.",
        details={
            "Embedding": f"{config.dim} numbers, unit norm, in the space of {named}",
            "Image input": f"{config.image.size} x {config.image.size} RGB",
        },
        intended_use=["Finding photos in the library that it learned from, and in those like it."],
        not_for=["Anybody else's photos: it has seen no others.", "Decisions about people."],
        training=[
            f"Both towers learned towards the embeddings of {named}: the text tower of {texts:,} "
            f"texts, the image tower of views of {photos:,} photos, with MobileCLIP's distillation "
            "loss on captions that the teacher chose from a bank of texts.",
            f"On held-out photos and texts: {measured}.",
        ],
        data=[DataSource("A private library", f"{photos:,} photos", "both towers", "private")],
        teachers=[TeacherModel(named, "image and text embeddings", licence)],
        weaknesses=[f"It knows what {named} knows of these photos, and less of anything else."],
        licence=f"That of its teacher, {named}: {licence}",
        languages=("en",),
    )
