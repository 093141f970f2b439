"""The data set card: `README.md` for people and `dataset.json` for programs, from the manifests."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from trainer.data.reinforced import FORMAT, ShardManifest

_NO_LICENCE = "Not stated. Find out before you share the data, or a model that was trained on it."


def write_card(
    out: Path,
    manifests: Mapping[str, ShardManifest],
    *,
    licence_lines: Sequence[str] = (),
    source_lines: Sequence[str] = (),
) -> None:
    """Describe the shards of `manifests`, by file name, which lie in `out` and were made alike.

    The lines are the user's, and copied as they are.
    """
    summary = _summary(manifests) | {"licences": [*licence_lines], "sources": [*source_lines]}
    text = json.dumps(summary, indent=2, ensure_ascii=False) + "\n"
    for name, content in (("dataset.json", text), ("README.md", _readme(out, summary))):
        beside = out / f".{name}.part"
        beside.write_text(content, encoding="utf-8")
        beside.replace(out / name)


def _summary(manifests: Mapping[str, ShardManifest]) -> dict[str, Any]:
    """What `dataset.json` holds. bytes_per_sample are means; a tar adds its headers to them."""
    shards = dict(sorted(manifests.items()))
    first = next(iter(shards.values()))
    photos = sum(shard.count for shard in shards.values())
    return {
        "format": FORMAT,
        "photos": photos,
        "captions": sum(shard.captions for shard in shards.values()),
        "synthetic_captions": photos * first.synthetic,
        "views": first.views,
        "view_size": first.view_size,
        "dim": first.dim,
        "seed": first.seed,
        "teachers": [asdict(teacher) for teacher in first.teachers],
        "captioner": None if first.captioner is None else asdict(first.captioner),
        "augmentation": {"digest": first.augmentation.digest, **asdict(first.augmentation)},
        "bytes_per_sample": {
            "picture": round(sum(s.picture_bytes for s in shards.values()) / photos),
            "reinforcement": round(sum(s.reinforcement_bytes for s in shards.values()) / photos),
        },
        "skipped": sum(len(shard.skipped) for shard in shards.values()),
        "shards": [
            {
                "file": name,
                "source": shard.source,
                "source_sha256": shard.source_sha256,
                "photos": shard.count,
                "sha256": shard.sha256,
            }
            for name, shard in shards.items()
        ],
    }


def _readme(out: Path, about: dict[str, Any]) -> str:
    name = out.resolve().name
    size = about["bytes_per_sample"]
    crop = about["augmentation"]
    low, high = crop["crop_scale"]
    operations = crop["randaugment_ops"]
    views = [
        f"{about['views']} a photo, of {about['view_size']} x {about['view_size']} pixels; seed "
        f"{about['seed']}.",
        f"RandomResizedCrop: scale {low:g} to {high:g}, bicubic.",
        f"RandAugment: {operations} operations, magnitude {crop['magnitude']}."
        if operations
        else "RandAugment: none.",
        *(["View 0 is the whole photo, without operations."] if crop["whole_first"] else []),
    ]
    rows = [
        ("photos", f"{about['photos']:,}"),
        ("real captions", f"{about['captions']:,}"),
        ("synthetic captions", f"{about['synthetic_captions']:,}"),
        ("views a photo", f"{about['views']}"),
        ("numbers an embedding", f"{about['dim']:,}"),
        ("shards", f"{len(about['shards']):,}"),
        ("bytes a photo: picture", f"{size['picture']:,}"),
        ("bytes a photo: reinforcement", f"{size['reinforcement']:,}"),
        ("pictures that could not be read, left out", f"{about['skipped']:,}"),
    ]
    teachers = [
        f"| {t['name']} | {t['dim']:,} | {t['logit_scale']:g} | `{t['digest'][:16]}` |"
        for t in about["teachers"]
    ]
    writer = about["captioner"]
    written_by = f"{writer['name']} (digest `{writer['digest'][:16]}`)" if writer else "none"
    lines = [
        f"# {name}",
        "",
        "A reinforced image-text data set (MobileCLIP, arXiv 2311.17049, section 3.1), made by",
        "`photosearch-trainer reinforce`. Beside each photo it keeps what its teachers computed",
        "of augmented views of it, of its captions and of synthetic captions.",
        "",
        "| | |",
        "|---|---|",
        *(f"| {label} | {value} |" for label, value in rows),
        "",
        "## Teachers",
        "",
        "Embeddings are concatenated in this order, as bfloat16.",
        "",
        "| teacher | numbers | logit scale | digest |",
        "|---|---|---|---|",
        *teachers,
        "",
        f"Writer of the synthetic captions: {written_by}.",
        "",
        "## Views",
        "",
        *_bullets(views),
        "",
        "## Sources",
        "",
        *(_bullets(about["sources"]) or ["Not stated."]),
        "",
        "## Licences",
        "",
        *(_bullets(about["licences"]) or [_NO_LICENCE]),
        "",
        "## Reading it",
        "",
        "```python",
        "from trainer.data.reinforced import read_reinforced",
        "",
        f'for sample in read_reinforced("{about["shards"][0]["file"]}"):',
        f"    view, target = sample.view(0, size={about['view_size']}), sample.image_embeddings[0]",
        "```",
        "",
        "`dataset.json` says the same for programs, with the checksum of each shard.",
    ]
    return "\n".join(lines) + "\n"


def _bullets(lines: Sequence[str]) -> list[str]:
    return [f"- {line}" for line in lines]
