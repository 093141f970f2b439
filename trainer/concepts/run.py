"""From labelled photos and a bundle to a bundle with more concepts."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from photosearch.encoders import Bundle, open_encoder, write_manifest
from photosearch.encoders.calibration import BACKGROUND
from trainer.concepts.fit import fit
from trainer.concepts.graph import Concepts, Floats, sight, write_concepts
from trainer.concepts.names import Names
from trainer.concepts.targets import targets
from trainer.data.photo_tars import decode, read_photos
from trainer.evaluate.retrieval import retrieval
from trainer.export.card import read_card, render_card
from trainer.export.errors import ExportError
from trainer.export.gate import LIMIT
from trainer.export.place import in_place

_BATCH = 16


@dataclass(frozen=True)
class Added:
    """What was added, and R@10 on the gate without and with it, by the bundle itself."""

    bundle: Bundle
    names: list[str]
    before: float
    after: float


@dataclass(frozen=True)
class Looked:
    """embeddings (n, d), unit norm; features (n, F), standardised; what lies beside each photo."""

    embeddings: Floats
    features: Floats
    metas: Sequence[Mapping[str, Any]]


def add_concepts(
    bundle: Path,
    out: Path,
    *,
    captioned: Sequence[Path],
    labelled: Sequence[Path],
    gate: Sequence[Path],
    share: float,
    least: int,
    card: Path,
    cache: Path,
) -> Added:
    """Write `bundle` with concepts learned from `labelled` to the folder `out`.

    Args:
        captioned: photos with captions, which mostly show none of the concepts.
        gate: captioned photos, of which half a point of R@10 may not be lost.
        share: what a concept that is certain adds to a vector of length 1.
        least: photos that a label must have.
        card: the model card, as for an export. What was measured of `bundle` is dropped.
        cache: folder for what the network saw, by its hash; a photo is looked at once.

    Raises:
        ExportError: the network has no head on classifiers, or has concepts added; less is found
            on the gate; something else than a bundle is in the way.
        PhotoTarError: a tar cannot be read.
        ValueError: no label has enough photos.
    """
    about = read_card(card, []).fields
    opened = Bundle.open(bundle)
    encoder = open_encoder(bundle)
    seen = [look(opened, tar, cache) for tar in (*captioned, *labelled)]
    names = Names.packaged()
    found = targets([meta for part in seen for meta in part.metas], names, least=least)
    features = np.concatenate([part.features for part in seen])[found.rows]
    weights, biases = fit(features, found)
    rows = share * names.rows(found.names, encoder.encode_texts)
    concepts = Concepts(found.names, weights, biases, rows.astype(np.float32)).halved()
    before = _recall(encoder, *(parts := [look(opened, tar, cache) for tar in gate]))
    with in_place(out, replace=False) as folder:
        for name in opened.manifest["files"]:
            if name not in ("image.onnx", BACKGROUND):
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(opened.folder / name, folder / name)
        write_concepts(opened.folder / "image.onnx", folder / "image.onnx", concepts)
        (folder / "README.md").write_text(render_card(about), encoding="utf-8")
        fields = opened.fields | {
            "name": about.name,
            "version": about.version,
            "calibration": None,
            "metrics": [],
            "provenance": about.provenance(),
        }
        made = write_manifest(folder, fields)
        # By the new network itself, so that what was written is what was meant.
        shown = zip(gate, parts, strict=True)
        after = _recall(encoder, *(_encoded(folder, tar, part) for tar, part in shown))
        if before - after >= LIMIT:
            raise ExportError(
                f"with these concepts R@10 on the gate is {100 * after:.2f}% instead of "
                f"{100 * before:.2f}%; give them a smaller --share"
            )
    return Added(replace(made, folder=out), concepts.names, before, after)


def look(bundle: Bundle, tar: Path, cache: Path) -> Looked:
    """What the image network of `bundle` sees of each photo of `tar`."""
    network = bundle.manifest["files"]["image.onnx"]["sha256"][:12]
    kept = cache / f"{tar.stem}.{tar.stat().st_size}.{network}.npz"
    metas = [sample.meta for sample in read_photos(tar)]
    if not kept.is_file():
        prepare = open_encoder(bundle.folder).preprocess
        rows: list[tuple[Floats, Floats]] = []
        samples = read_photos(tar)
        with (
            sight(bundle.folder / "image.onnx") as see,
            tqdm(total=len(metas), desc=tar.stem, unit="photo", disable=None) as bar,
        ):
            while batch := list(islice(samples, _BATCH)):
                pixels = np.stack([prepare.pixels(decode(one)) for one in batch])
                rows.append(see(prepare.normalise(pixels)))
                bar.update(len(batch))
        cache.mkdir(parents=True, exist_ok=True)
        beside = kept.with_name(f".{kept.name}.{os.getpid()}")
        with beside.open("wb") as file:
            embeddings, features = (np.concatenate(part) for part in zip(*rows, strict=True))
            np.savez(file, embeddings=embeddings, features=features.astype(np.float16))
        beside.replace(kept)
    with np.load(kept) as tables:
        embeddings = tables["embeddings"]
        embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
        return Looked(embeddings, tables["features"].astype(np.float32), metas)


def _encoded(folder: Path, tar: Path, part: Looked) -> Looked:
    """The photos of `tar` as the bundle in `folder` encodes them."""
    encoder = open_encoder(folder)
    samples = read_photos(tar)
    rows = []
    while batch := list(islice(samples, _BATCH)):
        rows.append(encoder.encode_images([decode(one) for one in batch]))
    return replace(part, embeddings=np.concatenate(rows))


def _recall(encoder: Any, *parts: Looked) -> float:
    """R@10 from text to photo, as a share."""
    photos = np.concatenate([part.embeddings for part in parts])
    captions = [list(meta["captions"]) for part in parts for meta in part.metas]
    texts = encoder.encode_texts([text for group in captions for text in group])
    owners = np.repeat(np.arange(len(captions)), [len(group) for group in captions])
    found = retrieval(photos, texts, owners, ks=(10,), resamples=1)
    return found.text_to_photo.figure("R@10").value
