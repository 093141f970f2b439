"""Apple's published reinforced sets, DataCompDR and DFNDR, read as our own shards are.

A sample has these members: the picture (``jpg``, ...), which everybody fetches for themselves from
the ``url.txt`` of the published tars; ``txt``, its caption, where the pictures came with one;
``syn.json`` with ``{"syn_text": [...]}``; ``paug.json`` with ``{"param_aug": ...}``, a list or the
JSON of one; and ``npz`` or ``pth.gz`` (a gzipped `torch.save`) with ``image_emb`` (A, D) and
``text_emb`` (C + K, D), D being 1,536 for two teachers of 768.

DFNDR names its captions by who wrote them, ``syn_text_dfn_mscoco38k`` or more of such, and has
their embeddings apart, in ``syn_text_dfn_mscoco38k_emb``; ``text_emb`` is of the real ones alone.

The data is Apple's, under a licence that allows research only (CC-BY-NC-ND).

Example::

    for sample in read_datacompdr("00000000.tar"):
        view, target = sample.view(0, size=256), sample.image_embeddings[0]
"""

from __future__ import annotations

import gzip
import io
import json
import pickle
from collections.abc import Iterable, Iterator
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from trainer.data.reinforced import MALFORMED, ReinforcedSample, group_members, image_of
from trainer.reinforce.augment import OPERATIONS, Augmentation

# RandAugment ran on crops of this size, and translations are stored in its pixels.
_GENERATED_SIZE = 224


def read_datacompdr(*tars: str | PathLike[str]) -> Iterator[ReinforcedSample]:
    """Yield the samples of each tar in file order.

    The published checksum (in `meta`) is of the file as it was downloaded, and the usual tools
    shrink and encode it anew. So it is not checked, and a picture that its server has replaced is
    noticed only where a stored crop reaches beyond it. The embeddings of a caption that is not in
    the tar are dropped. The views are of the picture as stored: EXIF was not looked at.

    Raises:
        ValueError: a sample that is not in this format, or has no picture; names tar and key.
        PhotoTarError: a tar is missing, cut short or damaged.
    """
    for path in map(Path, tars):
        for key, members in group_members(path):
            yield datacompdr_sample(key, members, f"{path}: {key}")


def datacompdr_sample(key: str, members: dict[str, bytes], origin: str) -> ReinforcedSample:
    """The sample of which `members` are the files' contents by suffix.

    Raises `ValueError`, beginning with `origin`, when they are not those of such a sample.
    """
    try:
        return _sample(key, members, origin)
    except (*MALFORMED, RuntimeError, pickle.UnpicklingError) as error:
        raise ValueError(f"{origin}: not a sample of DataCompDR ({error})") from None


def _sample(key: str, members: dict[str, bytes], origin: str) -> ReinforcedSample:
    if "paug.json" not in members:
        raise ValueError("no paug.json")
    augmentations = [_augmentation(view) for view in _list(members, "paug.json", "param_aug")]
    caption = members.get("txt", b"").decode("utf-8", errors="replace").strip()
    captions = [caption] if "txt" in members else []
    stored = _embeddings(members)
    images, texts = stored["image_emb"], stored["text_emb"]
    kinds = [name for name in json.loads(members["syn.json"]) if name.startswith("syn_text")]
    written = {name: _list(members, "syn.json", name) for name in kinds}
    # Those without embeddings of their own come after the real ones.
    kinds.sort(key=lambda name: f"{name}_emb" in stored)
    synthetic = [text for name in kinds for text in written[name]]
    real = len(texts) - sum(len(written[name]) for name in kinds if f"{name}_emb" not in stored)
    if len(images) != len(augmentations) or real < len(captions):
        raise ValueError(
            f"{len(images)} and {len(texts)} embeddings for {len(augmentations)} views, "
            f"{len(captions)} captions and {len(synthetic)} synthetic ones"
        )
    if real != len(captions) and captions:
        raise ValueError(f"embeddings of {real} captions, but the tar has {len(captions)}")
    apart = [stored[f"{name}_emb"] for name in kinds if f"{name}_emb" in stored]
    rows = np.concatenate([texts[real - len(captions) :], *apart])
    if len(rows) != len(captions) + len(synthetic):
        raise ValueError(f"{len(rows)} embeddings for {len(captions) + len(synthetic)} texts")
    return ReinforcedSample(
        key=key,
        image_bytes=image_of(members),
        captions=captions,
        synthetic=synthetic,
        augmentations=augmentations,
        image_embeddings=images,
        text_embeddings=rows,
        source_size=None,
        source_sha256=None,
        origin=origin,
        meta=json.loads(members.get("json", b"{}")),
        upright=False,
    )


def _list(members: dict[str, bytes], suffix: str, name: str) -> list[Any]:
    """A list in the JSON of a member, where it stands as such or as JSON once more."""
    value = json.loads(members[suffix])[name]
    found: list[Any] = json.loads(value) if isinstance(value, str) else value
    return found


def _augmentation(value: Any) -> Augmentation:
    """`[[top, left, height, width], [[number of the operation, magnitude], ...]]`.

    The second part is null or left out where there was no RandAugment.
    """
    crop, *rest = value
    named = []
    for number, magnitude in (rest[0] if rest else None) or []:
        name = OPERATIONS[number]
        # Ours are shares of the side, which hold at any size.
        scale = _GENERATED_SIZE if name.startswith("Translate") else 1
        named.append([name, magnitude / scale])
    return Augmentation.from_json([crop, named])


def _embeddings(members: dict[str, bytes]) -> dict[str, NDArray[np.float32]]:
    """All arrays that are embeddings, by name."""
    if "npz" in members:
        with np.load(io.BytesIO(members["npz"]), allow_pickle=False) as file:
            return {name: np.asarray(file[name], np.float32) for name in _named(file)}
    if "pth.gz" not in members:
        raise ValueError(f"no npz or pth.gz among {', '.join(members)}")
    unzipped = io.BytesIO(gzip.decompress(members["pth.gz"]))
    stored = torch.load(unzipped, map_location="cpu", weights_only=True)
    return {name: _rows(stored[name]) for name in _named(stored)}


def _named(stored: Iterable[str]) -> list[str]:
    return [name for name in stored if name.endswith("_emb")]


def _rows(value: Any) -> NDArray[np.float32]:
    """Float32 (n, D) of a tensor or array, of a list of them, or of a list of lists."""
    rows = value if isinstance(value, torch.Tensor) else [torch.as_tensor(row) for row in value]
    stacked = rows if isinstance(rows, torch.Tensor) else torch.stack(rows)
    result: NDArray[np.float32] = stacked.float().numpy()
    return result
