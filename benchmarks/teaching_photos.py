"""A small reinforced shard of real pictures, and teachers that cost what real ones do."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import torch
from PIL import Image
from safetensors.torch import save_file

from benchmarks.pictures import crops
from trainer.captioners.open import open_captioner
from trainer.reinforce.networks import Networks
from trainer.reinforce.shard import Reinforcement, reinforce_shard
from trainer.reinforce.sources import TarShard
from trainer.teachers.open import open_teacher
from trainer.teachers.protocol import Teacher
from trainer.torchvision_ops import ensure_torchvision

# About what the photos of DataCompDR are.
SIZE = (640, 480)
_CAPTIONS = {
    "astronaut": "a woman in an orange space suit in front of a flag",
    "chelsea": "a tabby cat looking past the camera",
    "coffee": "a cup of coffee with a spoon on a wooden table",
    "rocket": "a rocket on its launch pad at dusk",
}


def write_tar(path: Path, count: int) -> Path:
    """A tar of `count` JPEGs, each with a caption and a label."""
    with tarfile.open(path, "w") as tar:
        for number, (name, picture) in enumerate(crops(count, SIZE)):
            meta = {"captions": [_CAPTIONS[name]], "label": name}
            for suffix, data in (("jpg", _jpeg(picture)), ("json", json.dumps(meta).encode())):
                member = tarfile.TarInfo(f"{number:04}.{suffix}")
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
    return path


def _jpeg(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def random_teacher(folder: Path, model: str) -> Teacher:
    """open_clip's `model` with random weights, opened by the way of any other teacher."""
    ensure_torchvision()
    import open_clip

    file = folder / f"{model}.safetensors"
    torch.manual_seed(0)
    save_file(open_clip.CLIP(**open_clip.get_model_config(model)).state_dict(), file)
    try:
        return open_teacher(f"openclip:{model}:{file}:openai")
    finally:
        file.unlink()  # up to 2 GB, and no longer needed


def reinforced_shard(folder: Path, teacher: Teacher, count: int) -> Path:
    """A shard of `count` photos with two views and one synthetic caption each, as one ensemble.

    The ensemble is the same teacher twice: as in the paper there are two to learn from.
    """
    source = TarShard(write_tar(folder / "photos.tar", count))
    networks = Networks([teacher, teacher], open_captioner("labels"))
    out = folder / "reinforced"
    out.mkdir()
    reinforce_shard(source, out, Reinforcement(views=2, synthetic=1), networks)
    return out / f"{source.name}.tar"
