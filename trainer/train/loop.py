"""The training loop: one engine for reinforced training and for the distillation of single towers.

    with joined() as processes:
        run = Run(task, Settings(run=RunSettings(steps=1000, batch=64)), folder, processes)
        run.resume()
        figures = run.train()

A batch is a function of the step's number alone and random numbers are seeded by it, so a run that
was killed goes on from its last checkpoint exactly as if it had never stopped.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn
from tqdm import tqdm

from trainer.errors import StoppedError
from trainer.train import checkpoint
from trainer.train.kept import Kept, advice, locked
from trainer.train.learner import Learner
from trainer.train.log import Log
from trainer.train.loggers import open_loggers
from trainer.train.meters import Clock, Meters
from trainer.train.parts import Parts
from trainer.train.processes import ALONE, Processes
from trainer.train.record import Record
from trainer.train.settings import Settings, differences
from trainer.train.skipped import Skipped
from trainer.train.stopping import Stopping
from trainer.train.task import Batch, Task


def has_checkpoint(folder: Path) -> bool:
    """Whether a run in `folder` would go on from a checkpoint."""
    return Kept(folder).last() is not None


class Run:
    """One training run in `folder`.

    It writes `checkpoint.safetensors`, the last, and `best.safetensors`; `training.csv`,
    `validation.csv` and `curves.png`; and at the end `model.safetensors`, the averaged weights.
    `about` says what else decides the outcome (the recipe, the data); a resumed run must say the
    same.

    Raises `ValueError` when the batch cannot be shared out evenly, or something is not to be had on
    this device.
    """

    def __init__(
        self,
        task: Task,
        settings: Settings,
        folder: Path,
        processes: Processes = ALONE,
        about: Mapping[str, Any] | None = None,
    ) -> None:
        run = settings.run
        self.task, self.settings, self.folder, self._processes = task, settings, folder, processes
        self.step = 0
        self.seconds = 0.0
        self._shares = processes.count * run.accumulate
        if run.batch % self._shares:
            raise ValueError(
                f"run.batch = {run.batch}: cannot be shared by {processes.count} processes in "
                f"{run.accumulate} parts each; choose a multiple of {self._shares}"
            )
        if run.threads is not None:
            torch.set_num_threads(run.threads)
        self._tables = settings.tables() | dict(about or {})
        self._kept = Kept(folder, run.keep_checkpoints)
        self._best = -math.inf
        self.learner = Learner(task, settings, processes)
        self._meters = Meters(processes)
        self.skipped = Skipped(folder, processes.rank)

    @property
    def model_file(self) -> Path:
        """Where the averaged weights are when the run is over."""
        return self.folder / "model.safetensors"

    def resume(self) -> bool:
        """Load the last checkpoint; False when there is none.

        Raises `ValueError` when it was written under other settings, naming them, or after more
        steps than this run shall have.
        """
        last = self._kept.last()
        if last is None:
            return False
        tensors, about = checkpoint.read_tensors(last)
        if self.learner.precision == "auto":
            self._tables["run"]["precision"] = about["settings"]["run"]["precision"]
        changed = differences(about["settings"], self._tables)
        if changed:
            raise ValueError(
                f"{last}: written with other settings ({', '.join(changed[:3])}); "
                "give those, or another --out folder"
            )
        if about["step"] > self.settings.run.steps:
            raise ValueError(
                f"{last}: written after {about['step']} steps, more than run.steps = "
                f"{self.settings.run.steps}; give at least as many"
            )
        self.learner.restore(tensors, about["scaler"])
        if self.learner.precision == "auto" and about.get("device") == self._processes.device.type:
            self.learner.precision = about["precision"]
        self._meters.restore(about.get("row", {}))
        self._best = self._kept.best(about["step"])
        self.step, self.seconds = about["step"], about["seconds"]
        return True

    def train(self, *, until: int | None = None) -> dict[str, float]:
        """Train to the last step (or to step `until`), then return the held-out figures.

        The figures are those of the averaged weights, as last written; {} when there are none, and
        in all processes but the first.

        Raises `ValueError` when the loss or a gradient is no longer a number, another run is at
        work in the folder, or other processes go on from another step, and `StoppedError` when the
        process was told to end; the last checkpoint stands, and is of the last step in the latter
        case.
        """
        run = self.settings.run
        stop = min(until or run.steps, run.steps)
        if run.tf32:
            torch.set_float32_matmul_precision("high")
        with Stopping(self._processes) as stopping:
            self._check_step(stopping)
            self.learner.choose_precision()
            self.skipped.go_on_from(self.step)
            if not self._processes.first:
                self._train(stop, None, stopping)
                return {}
            with locked(self.folder):
                others = open_loggers(run, self.folder, self._tables, resumed=self.step > 0)
                log = Log(self.folder, others)
                record = Record(self.folder)
                record.begin(self._tables, self._processes, self.step, self.learner.precision)
                with contextlib.closing(log):
                    # A run that starts anew has nothing to keep.
                    log.go_on_from(self.step or -1)
                    try:
                        self._train(stop, log, stopping)
                    finally:
                        self._close(log, record)
        rows = log.validation.rows()
        return {name: value for name, value in rows[-1].items() if name != "step"} if rows else {}

    def _check_step(self, stopping: Stopping) -> None:
        """That all go on from the same step: with others, their exchanges would not match."""
        first, last = -stopping.largest(-self.step), stopping.largest(self.step)
        if first != last:
            raise ValueError(
                f"{self.folder}: this process goes on from step {self.step:,}, others from steps "
                f"{first:,} to {last:,}; give a folder that all machines share, with one checkpoint"
            )

    def _train(self, stop: int, log: Log | None, stopping: Stopping) -> None:
        """The steps up to `stop`, in every process; `log` is the first one's."""
        run = self.settings.run
        saved = time.monotonic()
        clock = Clock(self.seconds, self.step)
        if self.step == 0:
            self._evaluate(log)
        with self._bar(stop) as bar, contextlib.closing(self._batches(stop)) as batches:
            while self.step < stop:
                parts = [next(batches) for _ in range(run.accumulate)]
                self._update(parts)
                self.step += 1
                self.skipped.add(self.step, (one for part in parts for one in part.skipped))
                bar.update(run.batch)
                row_due = self.step % run.log_steps == 0 or self.step == stop
                if row_due:
                    values = self._meters.means()
                    self._check(values)
                    bar.set_postfix_str(f"loss {values['loss']:.4f}", refresh=False)
                    if log is not None:
                        self.seconds, speed = clock.read(self.step, run.batch)
                        pace = self.learner.rate(self.step - 1)
                        log.train(
                            self.step,
                            {"items": self.step * run.batch, "seconds": self.seconds}
                            | {"per_second": speed, "learning_rate": pace}
                            | values,
                        )
                if run.evaluates_after(self.step) and (figures := self._evaluate(log)):
                    bar.write(f"step {self.step}: {figures}")
                stopped = stopping.asked()
                # What all processes know of can be saved in the middle of a row, for which each
                # hands in its part of it; what only the first one's clock says, between two rows.
                counted = run.checkpoint_steps and self.step % run.checkpoint_steps == 0
                due = bool(stopped or counted or self.step == stop)
                now = time.monotonic()
                late = row_due and log is not None and now - saved >= run.checkpoint_seconds
                if self.learner.sharded and row_due:
                    late = stopping.any(late)
                if due or late:
                    self.seconds = clock.spent()
                    self._save(self._meters.state())
                    # At the end `train` draws, after the last figures.
                    if log is not None and self.step < stop:
                        log.plot()
                    saved = now
                if stopped and self.step < stop:
                    raise StoppedError(
                        f"{self.folder}: stopped after step {self.step:,} of {run.steps:,}, as "
                        "asked; the same command goes on from there",
                        stopped,
                    )
        if self.step == run.steps and (averaged := self.learner.averaged()) is not None:
            about = {"step": self.step, "settings": self._tables}
            checkpoint.write_tensors(self.model_file, averaged.state_dict(), about)

    def _close(self, log: Log, record: Record) -> None:
        """Draw the curves, and write down what came out."""
        log.plot()
        training, validation = log.training.rows(), log.validation.rows()
        record.curves(training, validation)
        record.end(
            {
                "step": self.step,
                "finished": self.step == self.settings.run.steps,
                "seconds": round(self.seconds, 1),
                "skipped": self.skipped.count,
                "loss": training[-1]["loss"] if training else None,
                "figures": validation[-1] if validation else {},
                "best": self._kept.best_of(self.step),
            }
        )

    def _save(self, row: Mapping[str, Any]) -> None:
        """Write a checkpoint, with the sums of a row that has begun; the first process does."""
        tensors = self.learner.tensors()
        if not self._processes.first:
            return
        self._kept.write(
            tensors,
            {
                "step": self.step,
                "seconds": self.seconds,
                "scaler": self.learner.scaler,
                "row": row,
                "precision": self.learner.precision,
                "device": self._processes.device.type,
                "settings": self._tables,
            },
        )

    def _update(self, parts: list[Batch]) -> None:
        """One optimiser step on this process's parts of a batch."""
        losses = self.learner.update(parts, self.step)
        with torch.no_grad():
            self._meters.add(losses)

    def _batches(self, stop: int) -> Generator[Batch, None, None]:
        run, place = self.settings.run, self._processes
        parts = Parts(self.task, self.step, stop, run.accumulate, place.rank, self._shares)
        for item in parts.loader(run.workers, pinned=place.device.type == "cuda"):
            if isinstance(item, Exception):
                raise item
            yield item

    def _bar(self, stop: int) -> tqdm[Any]:
        size = self.settings.run.batch
        return tqdm(
            total=stop * size,
            initial=self.step * size,
            unit=f" {self.task.unit}",
            # By the whole time so far: evaluations will come again.
            smoothing=0,
            disable=not self._processes.first,
        )

    def _evaluate(self, log: Log | None) -> str:
        """The held-out figures of the averaged weights, for people; the first process has them."""
        averaged = self.learner.averaged()
        if log is None or averaged is None:
            return ""
        figures = self.task.evaluate(averaged)
        if figures:
            log.validate(self.step, figures)
            self._keep_best(figures, averaged)
        return ", ".join(f"{name} {value:.4g}" for name, value in figures.items())

    def _keep_best(self, figures: dict[str, float], averaged: nn.Module) -> None:
        if not (wanted := self.settings.run.best):
            return
        name = next(iter(figures)) if wanted == "first" else wanted
        if name not in figures:
            raise ValueError(
                f'run.best = "{name}": is not measured; there are {", ".join(figures)}'
            )
        if figures[name] > self._best:
            self._best = figures[name]
            about = {"step": self.step, "figure": name, "value": self._best}
            self._kept.write_best(averaged.state_dict(), about | {"settings": self._tables})

    def _check(self, values: dict[str, float]) -> None:
        # With a loss scale, a gradient that overflows is a step left out.
        scaled = self.settings.run.precision == "float16"
        for name, what in (("loss", "loss"), ("gradient_norm", "norm of the gradients")):
            value = values[name]
            if not math.isfinite(value) and not (scaled and name == "gradient_norm"):
                raise ValueError(
                    f"the {what} is {value} before step {self.step}: {advice(self.folder)}"
                )
