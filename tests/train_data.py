"""What the tests of reinforced training share: real shards, tiny students and their recipes."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from made_once import made_once
from reinforce_data import RECIPE, TEXTS, Namer, pictures, write_photos
from tars import write_tar
from tiny_openclip import write_folder

from trainer.reinforce.networks import open_networks
from trainer.reinforce.shard import reinforce_shard
from trainer.reinforce.sources import TarShard

PHOTOS = 40
DIMS = (16, 24)

# A transformer without batch normalisation, whose items do not see each other, and a network with.
_TOWERS = {"vit": ("test_vit", "token"), "batch_norm": ("test_efficientnet", "avg")}
_TEXT = {
    "tower": "mct",
    "context_length": 12,
    "vocab_size": 49408,
    "width": 16,
    "heads": 2,
    "layers": 1,
    "embed_dim": 4,
    "layer_scale": 0.1,
}
_PLAIN_TEXT = {
    "tower": "transformer",
    "context_length": 12,
    "vocab_size": 49408,
    "width": 16,
    "heads": 2,
    "layers": 1,
}


def write_shards(folder: Path) -> Path:
    """Two shards of 40 photos, of which every third has no caption, by two teachers."""
    specs = []
    for number, dim in enumerate(DIMS):
        path = write_folder(
            folder / f"teacher{number}", seed=number, embed_dim=dim, logit_scale=50 + 10 * number
        )
        specs.append(f"openclip:local-dir:{path}")
    (folder / "shards").mkdir()
    networks = replace(open_networks(specs, None), captioner=Namer())
    for number, (first, count) in enumerate(((0, 15), (15, PHOTOS - 15))):
        source = write_photos(folder / "source" / f"photos-{number}.tar", count, first=first)
        reinforce_shard(TarShard(source), folder / "shards", RECIPE, networks)
    return folder / "shards"


def shared_shards(factory: pytest.TempPathFactory) -> Path:
    """What `write_shards` writes, which is not to be changed."""
    return made_once(factory, "reinforced", write_shards) / "shards"


def write_validation(path: Path, count: int = 12) -> Path:
    """A captioned photo tar."""
    members = []
    for number, data in enumerate(pictures(count, first=100)):
        meta = {"captions": [f"{TEXTS[number % len(TEXTS)]} {number}"]}
        members += [(f"v{number}.jpg", data), (f"v{number}.json", json.dumps(meta).encode())]
    return write_tar(path, members)


def write_model(
    path: Path, tower: str = "vit", text: str = "mct", *, drop_path: float = 0.0
) -> Path:
    """The configuration of a tiny student in a JSON file."""
    name, pool = _TOWERS[tower]
    image: dict[str, Any] = {
        "tower": name,
        "pool": pool,
        "size": 32,
        "resize": "squash",
        "crop": "none",
        "interpolation": "bicubic",
        "mean": [0.5, 0.5, 0.5],
        "std": [0.25, 0.25, 0.25],
        "drop_path": drop_path,
    }
    config = {
        "source": "tests",
        "dim": DIMS[0],
        "image": image,
        "text": _TEXT if text == "mct" else _PLAIN_TEXT,
    }
    path.write_text(json.dumps(config), encoding="utf-8")
    return path


def write_recipe(folder: Path, shards: Path, **tables: dict[str, Any]) -> Path:
    """A short run of a tiny student; `tables` replace keys of its tables."""
    recipe: dict[str, dict[str, Any]] = {
        "model": {"name": str(write_model(folder / "student.json"))},
        "data": {"train": [f"{shards}/*.tar"]},
        "loss": {"lambda": 0.75},
        "optimizer": {"learning_rate": 3e-3, "weight_decay": 0.05},
        "schedule": {"warmup": 2, "final_rate": 3e-5},
        "run": {
            "steps": 8, "batch": 8, "precision": "float32", "ema": 0.9, "device": "cpu",
            "workers": 0, "threads": 1, "log_steps": 2, "evaluate_steps": 4,
            "checkpoint_seconds": 1000.0,
        },
    }  # fmt: skip
    for name, changes in tables.items():
        recipe[name] |= changes
    lines = []
    for name, table in recipe.items():
        # JSON's strings, numbers, booleans and arrays are TOML's.
        lines += [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in table.items())]
    path = folder / "recipe.toml"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def read_table(path: Path) -> list[dict[str, float]]:
    """A CSV file that a run wrote, without what depends on the clock."""
    with path.open(newline="") as file:
        rows = [{name: float(cell) for name, cell in row.items()} for row in csv.DictReader(file)]
    return [{k: v for k, v in row.items() if k not in ("seconds", "per_second")} for row in rows]
