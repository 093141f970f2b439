"""rclip, the search that photosearch is measured against: its program, and a model for it.

    rclip = prepare_rclip(Path("/tmp/rclip-venv/bin/rclip"), folder)
    subprocess.run(rclip.command("--version"), env=rclip.environment)

Its weights lie on a hub, and how fast a network runs does not depend on them. So it is given its
own architecture (open_clip's ViT-B-32-256) with random weights, in the folder where it looks for
its files before it asks the hub.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import torch

from benchmarks.contenders import Contender, build_towers
from trainer.export.onnx_file import write_onnx

# As `rclip.model_download` of 3.3 names them.
_MODEL_FOLDER = "ViT-B-32-256-datacomp_s34b_b86k"
_NETWORKS = {"image": "visual.onnx", "tokens": "textual.onnx"}
_VOCABULARY = Path("tokenizer", "bpe_simple_vocab_16e6.txt.gz")
WIDTH = 512


@dataclass(frozen=True)
class Rclip:
    """`program` is its command, and `data` the folder with its model and its database."""

    program: Path
    data: Path
    version: str

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {"RCLIP_DATADIR": str(self.data), "HF_HUB_OFFLINE": "1"}

    @property
    def database(self) -> Path:
        return self.data / "db.sqlite3"

    def command(self, *arguments: str) -> list[str]:
        return [str(self.program), *arguments]


def prepare_rclip(program: Path, data: Path) -> Rclip:
    """Write a model for `program` to the folder `data`.

    Raises `SystemExit` when the program does not run.
    """
    try:
        told = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise SystemExit(
            f"{program}: does not run ({error}); install rclip in an environment of its own: "
            "python -m venv VENV && VENV/bin/pip install rclip==3.3.0"
        ) from None
    models = data / _MODEL_FOLDER
    models.mkdir(parents=True, exist_ok=True)
    for tower in build_towers(Contender("ViT-B-32-256", "rclip's ViT-B/32", None)):
        batch = torch.from_numpy(tower.sample(2))
        write_onnx(tower.module, batch, models / _NETWORKS[tower.kind], input_name="input")
    found = find_spec("open_clip")
    if found is None or found.origin is None:
        raise SystemExit("rclip's vocabulary comes from open_clip: pip install open_clip_torch")
    (data / _VOCABULARY).parent.mkdir(exist_ok=True)
    shutil.copyfile(Path(found.origin).with_name(_VOCABULARY.name), data / _VOCABULARY)
    return Rclip(program, data, told.stdout.split()[-1])
