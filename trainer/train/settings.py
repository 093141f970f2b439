"""What the training loop needs to know of a run, whatever is trained."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from trainer.train.tables import write_table


def require(holds: bool, key: str, demand: str) -> None:
    """Raise `ValueError` naming the key when its value does not do."""
    if not holds:
        raise ValueError(f"{key}: must be {demand}")


@dataclass(frozen=True, kw_only=True)
class OptimizerSettings:
    """AdamW (arXiv 1711.05101), with MobileCLIP's values for 12 million photos (arXiv 2311.17049).

    clip: largest norm of all gradients together; 0 does not clip. rates: factor on the learning
    rate of parameters whose name begins with the key; the longest such key counts.
    """

    learning_rate: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.95
    epsilon: float = 1e-6
    weight_decay: float = 0.2
    clip: float = 1.0
    rates: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        require(self.learning_rate > 0, "learning_rate", "positive")
        require(0 <= self.beta1 < 1, "beta1", "at least 0 and below 1")
        require(0 <= self.beta2 < 1, "beta2", "at least 0 and below 1")
        require(self.epsilon > 0, "epsilon", "positive")
        require(self.weight_decay >= 0, "weight_decay", "at least 0")
        require(self.clip >= 0, "clip", "at least 0")
        require(all(rate >= 0 for rate in self.rates.values()), "rates", "at least 0")


@dataclass(frozen=True, kw_only=True)
class ScheduleSettings:
    """The learning rate: linear for `warmup` steps, then by `kind`.

    "cosine" falls to `final_rate` at the end; "constant" stays; "wsd" (warm-up, stable, decay;
    arXiv 2405.18392) stays until `decay` steps before the end, then falls by one minus a square
    root.
    """

    warmup: int = 1000
    final_rate: float = 1e-6
    kind: Literal["cosine", "constant", "wsd"] = "cosine"
    decay: int = 0

    def __post_init__(self) -> None:
        require(self.warmup >= 0, "warmup", "at least 0")
        require(self.final_rate >= 0, "final_rate", "at least 0")
        given = (self.decay >= 1) == (self.kind == "wsd") and self.decay >= 0
        require(given, "decay", 'at least 1 with kind = "wsd", and left out without')


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """How long, in what batches and at what precision.

    batch: items of one optimiser step, over all processes and all parts together.
    accumulate: parts that each process computes its share of a batch in, one after the other.
    precision: "float32", "bfloat16" (autocast), "float16" (autocast with a loss scale; CUDA), or
    "auto", the faster one of the first two, measured when the run begins.
    ema: decay per step of the averaged weights, which are what is kept; 0 keeps the last weights.
    workers: processes that prepare batches, for each training process.
    threads: cores of a training process; all of them when not given.
    log_steps: steps whose mean loss makes one row of `training.csv`.
    evaluate_early: also after 1, 2, 3, 4, 6, 8, ... steps, each about the square root of two times
    the one before: as curves on a logarithmic axis want it.
    checkpoint_seconds: least time between checkpoints, which are written when a row was.
    checkpoint_steps: also after so many steps each; 0 does not. keep_checkpoints: how many of the
    last are kept. best: the held-out figure by which the best weights are kept too, in
    `best.safetensors`; "first" is the first that is measured, and "" keeps none.
    wandb: project of Weights & Biases that figures are sent to.
    tf32: matrix products of float32 with ten bits of mantissa, on GPUs that have it; losses are
    computed in full.
    shard: spread weights, gradients and moments over the processes (FSDP2), for models that are too
    large to have them in each. sync_batch_norm: normalise by the statistics of all processes'
    parts. compile: both towers by torch.compile. The last two on CUDA only.
    """

    steps: int
    batch: int
    accumulate: int = 1
    precision: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    ema: float = 0.9995
    seed: int = 0
    device: Literal["auto", "cpu", "cuda"] = "auto"
    workers: int = 4
    threads: int | None = None
    channels_last: bool = False
    gradient_checkpointing: bool = False
    log_steps: int = 50
    evaluate_steps: int = 1000
    evaluate_early: bool = False
    checkpoint_seconds: float = 600.0
    checkpoint_steps: int = 0
    keep_checkpoints: int = 1
    best: str = "first"
    tensorboard: bool = False
    wandb: str | None = None
    tf32: bool = False
    shard: bool = False
    sync_batch_norm: bool = False
    compile: bool = False

    def __post_init__(self) -> None:
        require(self.steps >= 1, "steps", "at least 1")
        require(self.batch >= 2, "batch", "at least 2")
        require(self.accumulate >= 1, "accumulate", "at least 1")
        require(0 <= self.ema < 1, "ema", "at least 0 and below 1")
        require(self.seed >= 0, "seed", "at least 0")
        require(self.workers >= 0, "workers", "at least 0")
        require(self.threads is None or self.threads >= 1, "threads", "at least 1")
        require(self.log_steps >= 1, "log_steps", "at least 1")
        require(self.evaluate_steps >= 1, "evaluate_steps", "at least 1")
        require(self.checkpoint_seconds >= 0, "checkpoint_seconds", "at least 0")
        require(self.checkpoint_steps >= 0, "checkpoint_steps", "at least 0")
        require(self.keep_checkpoints >= 1, "keep_checkpoints", "at least 1")

    def evaluates_after(self, step: int) -> bool:
        """Whether held-out photos are measured after so many steps."""
        if step % self.evaluate_steps == 0 or step == self.steps:
            return True
        # 2, 3, 4, 6, 8, 11, 16, ...: the whole numbers next to powers of the square root of two.
        nearest = round(2 ** (round(2 * math.log2(step)) / 2))
        return self.evaluate_early and step == nearest


# What may change between a checkpoint and going on from it: the weights so far do not depend on it.
_FREE = (
    "run.steps",
    "run.device",
    "run.workers",
    "run.threads",
    "run.log_steps",
    "run.evaluate_steps",
    "run.evaluate_early",
    "run.checkpoint_seconds",
    "run.checkpoint_steps",
    "run.keep_checkpoints",
    "run.best",
    "run.tensorboard",
    "run.wandb",
    "run.shard",
    "run.compile",
    # The same shards may lie elsewhere; their hash is compared.
    "data.train",
    "data.validation",
    "data.zero_shot",
    "data.agreement",
    "data.class_names",
)
# What checkpoints from before there were these keys were made with.
_BEFORE = {
    "run.tf32": False,
    "run.sync_batch_norm": False,
    "schedule.kind": "cosine",
    "schedule.decay": 0,
    "data.weights": [],
    "data.teacher_dims": [],
    "data.stream": False,
    "data.shuffle_buffer": 1000,
    "loss.contrastive": "softmax",
}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All that the loop is told."""

    run: RunSettings
    optimizer: OptimizerSettings = field(default_factory=OptimizerSettings)
    schedule: ScheduleSettings = field(default_factory=ScheduleSettings)

    def tables(self) -> dict[str, dict[str, object]]:
        """The keys as tables; a resumed run must have the same in all that `differences` names."""
        return {
            "run": write_table(self.run),
            "optimizer": write_table(self.optimizer),
            "schedule": write_table(self.schedule),
        }


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What two nested tables of settings disagree in, as "SECTION.KEY was X and is Y".

    Keys that may change between a checkpoint and going on from it are left out.
    """
    was, is_ = flat(before), flat(now)
    was |= {key: value for key, value in _BEFORE.items() if key in is_ and key not in was}
    return [
        f"{key} was {was.get(key)!r} and is {is_.get(key)!r}"
        for key in sorted(was | is_)
        if was.get(key) != is_.get(key) and key not in _FREE
    ]


def flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested tables as one, with keys such as "SECTION.KEY"."""
    found: dict[str, Any] = {}
    for key, value in settings.items():
        name = f"{prefix}{key}"
        found |= flat(value, f"{name}.") if isinstance(value, Mapping) else {name: value}
    return found
