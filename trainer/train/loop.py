"""The training loop: optimiser, schedule, averaging, checkpoints and progress, for any task.

A batch is a function of the step number alone, so a run that was killed goes on from its last
checkpoint exactly as if it had never stopped.
"""

from __future__ import annotations

import copy
import csv
import math
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm


@dataclass(frozen=True)
class LoopSettings:
    """steps: optimiser steps in all; warmup: of these, with rising rate; ema: decay per step.

    checkpoint_seconds and evaluate_steps set how often those happen; workers prepare batches.
    """

    steps: int
    learning_rate: float
    warmup: int = 200
    weight_decay: float = 0.05
    final_rate: float = 0.01
    clip: float = 1.0
    ema: float = 0.999
    checkpoint_seconds: float = 120.0
    evaluate_steps: int = 1000
    workers: int = 0
    bfloat16: bool = False
    channels_last: bool = False


class Task(Protocol):
    """What is trained. `model` holds every learned parameter; `batch_size` counts items a step."""

    model: nn.Module
    batch_size: int

    def batch(self, step: int) -> Any:
        """The tensors of step number `step`; a pure function of it, called in worker processes."""

    def loss(self, batch: Any) -> torch.Tensor:
        """The scalar to minimise."""

    def evaluate(self, model: nn.Module) -> dict[str, float]:
        """Held-out figures of `model`, which is in evaluation mode."""

    def rate_scale(self, name: str) -> float:
        """Factor on the learning rate of the parameter called `name`."""


class _Batches(Dataset[Any]):
    def __init__(self, task: Task, start: int, stop: int) -> None:
        self._task, self._start, self._stop = task, start, stop

    def __len__(self) -> int:
        return self._stop - self._start

    def __getitem__(self, index: int) -> Any:
        return self._task.batch(self._start + index)


class Run:
    """One training run in `folder`: `checkpoint.pt`, `log.csv`, and at the end `model.pt`."""

    def __init__(self, task: Task, settings: LoopSettings, folder: Path) -> None:
        self.task, self.settings, self.folder = task, settings, folder
        folder.mkdir(parents=True, exist_ok=True)
        self.step = 0
        self.seconds = 0.0
        model = task.model
        if settings.channels_last:
            model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = copy.deepcopy(model).requires_grad_(False).eval()
        self.optimizer = torch.optim.AdamW(
            self._groups(), lr=settings.learning_rate, betas=(0.9, 0.98), eps=1e-6
        )

    def _groups(self) -> list[dict[str, Any]]:
        groups: dict[tuple[float, float], dict[str, Any]] = {}
        for name, parameter in self.task.model.named_parameters():
            if not parameter.requires_grad:
                continue
            # Norms, biases and scales are not pulled to zero.
            decay = self.settings.weight_decay if parameter.ndim > 1 else 0.0
            scale = self.task.rate_scale(name)
            group = groups.setdefault(
                (decay, scale), {"params": [], "weight_decay": decay, "scale": scale}
            )
            group["params"].append(parameter)
        return list(groups.values())

    def rate(self, step: int) -> float:
        """The learning rate at `step`: linear warm-up, then a cosine down to `final_rate`."""
        s = self.settings
        if step < s.warmup:
            return s.learning_rate * (step + 1) / s.warmup
        progress = (step - s.warmup) / max(1, s.steps - s.warmup)
        cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))
        return s.learning_rate * (s.final_rate + (1 - s.final_rate) * cosine)

    def resume(self) -> bool:
        """Load the last checkpoint; False when there is none.

        Raises `ValueError` when it was written under other settings.
        """
        path = self.folder / "checkpoint.pt"
        if not path.is_file():
            return False
        state = torch.load(path, weights_only=True)
        if state["settings"] != asdict(self.settings):
            raise ValueError(
                f"{path}: written with other settings; give those, or another --out folder"
            )
        self.task.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        torch.set_rng_state(state["rng"])
        self.step, self.seconds = state["step"], state["seconds"]
        return True

    def save(self) -> None:
        """Write the checkpoint beside the last one and rename it over."""
        state = {
            "settings": asdict(self.settings),
            "model": self.task.model.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "rng": torch.get_rng_state(),
            "step": self.step,
            "seconds": self.seconds,
        }
        beside = self.folder / "checkpoint.pt.part"
        torch.save(state, beside)
        beside.replace(self.folder / "checkpoint.pt")

    def _loader(self) -> Iterator[Any]:
        batches = _Batches(self.task, self.step, self.settings.steps)
        # The loader draws a base seed from the global generator when it starts; a generator of its
        # own keeps a resumed run's random numbers in step with an uninterrupted one's.
        loader = DataLoader(
            batches,
            batch_size=None,
            num_workers=self.settings.workers,
            generator=torch.Generator().manual_seed(0),
        )
        return iter(loader)

    def train(self, *, until: int | None = None) -> dict[str, float]:
        """Train to the last step (or to step `until`), then return the held-out figures.

        The figures are those of the averaged weights.
        """
        stop = min(until or self.settings.steps, self.settings.steps)
        if self.step == 0 and not (self.folder / "log.csv").exists():
            self._log({"loss": float("nan")} | self.task.evaluate(self.average))
        started = saved = time.monotonic()
        spent = self.seconds
        size = self.task.batch_size
        bar = tqdm(total=stop * size, initial=self.step * size, unit="item", smoothing=0.02)
        batches = self._loader()
        losses: list[float] = []
        figures: dict[str, float] = {}
        with bar:
            while self.step < stop:
                losses.append(self._update(next(batches)))
                self.step += 1
                now = time.monotonic()
                self.seconds = spent + now - started
                bar.update(size)
                bar.set_postfix_str(f"step {self.step}, loss {losses[-1]:.4f}", refresh=False)
                if self.step % self.settings.evaluate_steps == 0 or self.step == stop:
                    figures = self.task.evaluate(self.average)
                    self._log({"loss": sum(losses) / len(losses)} | figures)
                    losses.clear()
                    bar.write(f"step {self.step}: " + _line(figures))
                if now - saved >= self.settings.checkpoint_seconds or self.step == stop:
                    self.save()
                    saved = now
        if self.step == self.settings.steps:
            torch.save(self.average.state_dict(), self.folder / "model.pt")
        return figures

    def _update(self, batch: Any) -> float:
        model, settings = self.task.model, self.settings
        model.train()
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate(self.step) * group["scale"]
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=settings.bfloat16):
            loss = self.task.loss(batch)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(model.parameters(), settings.clip)
        self.optimizer.step()
        decay = min(settings.ema, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            ours, theirs = self.average.state_dict(), model.state_dict()
            for name, value in theirs.items():
                if value.is_floating_point():
                    ours[name].lerp_(value, 1 - decay)
                else:
                    ours[name].copy_(value)
        return float(loss.detach())

    def _log(self, figures: dict[str, float]) -> None:
        path = self.folder / "log.csv"
        row = {
            "step": self.step,
            "items": self.step * self.task.batch_size,
            "seconds": round(self.seconds, 1),
        } | {name: round(value, 5) for name, value in figures.items()}
        fresh = not path.exists()
        with path.open("a", newline="") as file:
            writer = csv.DictWriter(file, list(row))
            if fresh:
                writer.writeheader()
            writer.writerow(row)


def _line(figures: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in figures.items())
