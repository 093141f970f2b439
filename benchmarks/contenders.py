"""The models of the speed comparison: their towers with random weights, exported for deployment.

Speed does not depend on what a network has learned, so nothing is downloaded. Towers of the
MobileCLIP family come from `trainer.models`, their peers from open_clip. All go the same way: the
trainer's own folding, then its own ONNX export.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional as F

from photosearch.encoders.onnx import import_onnxruntime
from trainer.export.onnx_file import write_onnx
from trainer.models.config import load_config, model_names
from trainer.models.family import build
from trainer.models.folding import fold_batch_norms
from trainer.models.measure import count_macs, count_parameters
from trainer.torchvision_ops import ensure_torchvision

# As `trainer.export.bundle` allows between PyTorch and ONNX Runtime, on unit vectors.
_TOLERANCE = 1e-4


@dataclass(frozen=True)
class Contender:
    """A model, by the name that `trainer.models` or open_clip knows it by.

    `iphone_ms` are the image and the text latency that the paper gives for an iPhone 12 Pro Max
    (arXiv 2311.17049, section 5), None for a model that is not in its tables.
    """

    name: str
    label: str
    iphone_ms: tuple[float, float] | None


BASELINE = Contender("ViT-B-16", "ViT-B/16", (11.5, 3.3))
# The paper's "previous best CLIP model based on ViT-B/16", which its 2.3 times is against.
SIGLIP = Contender("ViT-B-16-SigLIP", "ViT-B/16 (SigLIP)", (9.9, 5.8))
S2 = Contender("MobileCLIP-S2", "MobileCLIP-S2", (3.6, 3.3))
CONTENDERS = (
    Contender("MobileCLIP-Nano", "MobileCLIP-Nano (ours)", None),
    Contender("MobileCLIP-S0", "MobileCLIP-S0", (1.5, 1.6)),
    Contender("MobileCLIP-S1", "MobileCLIP-S1", (2.5, 3.3)),
    S2,
    Contender("ViT-B-32", "ViT-B/32", (5.9, 3.3)),
    SIGLIP,
    BASELINE,
)


@dataclass(frozen=True)
class Tower:
    """One tower in evaluation mode, folded, and what it takes.

    `shape` is that of one input: (3, S, S) pixels or (L,) token ids below `vocabulary`.
    """

    kind: Literal["image", "tokens"]
    module: nn.Module
    shape: tuple[int, ...]
    vocabulary: int = 0

    def sample(self, count: int) -> NDArray[Any]:
        """Random pixels float32 (count, 3, S, S), or random token ids int64 (count, L)."""
        random = np.random.default_rng(0)
        if self.kind == "image":
            return random.random((count, *self.shape), dtype=np.float32)
        return random.integers(1, self.vocabulary, (count, *self.shape))


def build_towers(contender: Contender) -> tuple[Tower, Tower]:
    """The image and the text tower with random weights.

    Under `torch.device("meta")` they take their shape without taking memory.
    """
    torch.manual_seed(0)
    model: Any
    if contender.name in model_names():
        config = load_config(contender.name)
        pixels, text = config.image.size, config.text
        context, vocabulary = text.context_length, text.vocab_size
        model = build(contender.name)
    else:
        ensure_torchvision()
        import open_clip

        fields = open_clip.get_model_config(contender.name)
        pixels, text = fields["vision_cfg"]["image_size"], fields["text_cfg"]
        context, vocabulary = text["context_length"], text["vocab_size"]
        fields.pop("custom_text", None)
        # Unlike open_clip's plain CLIP, this holds the same text tower as a module of its own.
        model = open_clip.CustomTextCLIP(**fields)
    return (
        Tower("image", fold_batch_norms(model.visual), (3, pixels, pixels)),
        Tower("tokens", fold_batch_norms(model.text), (context,), vocabulary),
    )


@dataclass(frozen=True)
class Cost:
    """A tower's parameters, and the multiply-adds of one input, attention's own products too."""

    parameters: int
    macs: int


def cost(tower: Tower) -> Cost:
    """Counted on the network, which may be one without memory."""
    with _plain_attention(), torch.device("meta"):
        dtype = torch.float32 if tower.kind == "image" else torch.int64
        macs = sum(count_macs(tower.module.to("meta"), torch.empty(1, *tower.shape, dtype=dtype)))
    return Cost(count_parameters(tower.module), macs)


Network = Callable[[NDArray[Any]], NDArray[np.float32]]


def deploy(tower: Tower, path: Path, *, threads: int) -> Network:
    """Export `tower` to `path` and load it in ONNX Runtime, as the application does.

    Raises `SystemExit` when the exported network computes something else than PyTorch.
    """
    batch = torch.from_numpy(tower.sample(2))
    write_onnx(tower.module, batch, path, input_name=tower.kind)
    onnxruntime = import_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # The threads of each network would otherwise spin on into the turn of the next.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    network = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    kind = tower.kind  # alone, so that `run` does not keep the PyTorch tower in memory

    def run(inputs: NDArray[Any]) -> NDArray[np.float32]:
        rows: NDArray[np.float32]
        (rows,) = network.run(["embedding"], {kind: inputs})
        return rows

    with torch.inference_mode():
        expected = F.normalize(tower.module(batch), dim=1)
    difference = (F.normalize(torch.from_numpy(run(batch.numpy())), dim=1) - expected).abs().max()
    if not difference < _TOLERANCE:
        raise SystemExit(f"{path.name}: differs from PyTorch by {difference:.1e}")
    return run


@contextmanager
def _plain_attention() -> Iterator[None]:
    """PyTorch's fused attention of evaluation mode is one operation that its counter skips."""
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
