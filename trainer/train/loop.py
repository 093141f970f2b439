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

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from tqdm import tqdm

from trainer.errors import StoppedError
from trainer.train import checkpoint
from trainer.train.accumulation import backward_in_parts
from trainer.train.average import Average
from trainer.train.kept import Kept, advice, locked
from trainer.train.log import Log
from trainer.train.loggers import open_loggers
from trainer.train.meters import Clock, Meters
from trainer.train.network import TaskNetwork, in_full, in_processes
from trainer.train.optimizer import build_optimizer, rate
from trainer.train.parts import Parts
from trainer.train.precision import measured
from trainer.train.processes import ALONE, Processes
from trainer.train.record import Record
from trainer.train.settings import Settings, differences
from trainer.train.skipped import Skipped
from trainer.train.stopping import Stopping
from trainer.train.task import Batch, Outputs, Task, moved

_AUTOCAST = {"auto": None, "float32": None, "bfloat16": torch.bfloat16, "float16": torch.float16}


def has_checkpoint(folder: Path) -> bool:
    """Whether a run in `folder` would go on from a checkpoint."""
    return Kept(folder).last() is not None


class Run:
    """One training run in `folder`.

    It writes `checkpoint.safetensors`, the last, and `best.safetensors`; `training.csv`,
    `validation.csv` and `curves.png`; and at the end `model.safetensors`, the averaged weights.
    `about` says what else decides the outcome (the recipe, the data); a resumed run must say the
    same.

    Raises `ValueError` when the batch cannot be shared out evenly, or the precision is not to be
    had on this device.
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
        if run.precision == "float16" and processes.device.type != "cuda":
            raise ValueError('run.precision = "float16" needs CUDA; choose "bfloat16" or "float32"')
        if run.threads is not None:
            torch.set_num_threads(run.threads)
        self._tables = settings.tables() | dict(about or {})
        self._kept = Kept(folder, run.keep_checkpoints)
        self._best = -math.inf
        task.model.to(processes.device)
        if run.channels_last:
            task.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._optimizer = build_optimizer(task.model, settings.optimizer)
        self._scaler = torch.amp.GradScaler(
            processes.device.type, enabled=run.precision == "float16"
        )
        # "auto" until a run begins, or goes on from what was measured then.
        self.precision: str = run.precision
        self._network = TaskNetwork(task)
        self._parallel = in_processes(self._network, processes)
        # Only the first process evaluates and writes.
        self.average = Average(task.model, run.ema) if processes.first else None
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
        if self.precision == "auto":
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
        model = self.task.model
        model.load_state_dict(checkpoint.without_prefix("model.", tensors))
        if self.average is not None:
            self.average.model.load_state_dict(checkpoint.without_prefix("average.", tensors))
        optimizer = checkpoint.without_prefix("optimizer.", tensors)
        checkpoint.restore_optimizer(model, self._optimizer, optimizer)
        self._scaler.load_state_dict(about["scaler"])
        if self.precision == "auto" and about.get("device") == self._processes.device.type:
            self.precision = about["precision"]
        self._meters.restore(about.get("row", {}))
        self._best = self._kept.best(about["step"])
        self.step, self.seconds = about["step"], about["seconds"]
        return True

    def train(self, *, until: int | None = None) -> dict[str, float]:
        """Train to the last step (or to step `until`), then return the held-out figures.

        The figures are those of the averaged weights, as last written; {} when there are none, and
        in all processes but the first.

        Raises `ValueError` when the loss or a gradient is no longer a number, or another run is at
        work in the folder, and `StoppedError` when the process was told to end; the last checkpoint
        stands, and is of the last step in the latter case.
        """
        run = self.settings.run
        stop = min(until or run.steps, run.steps)
        if run.tf32:
            torch.set_float32_matmul_precision("high")
        with Stopping(self._processes) as stopping:
            self._choose_precision()
            self.skipped.go_on_from(self.step)
            if not self._processes.first:
                self._train(stop, None, stopping)
                return {}
            with locked(self.folder):
                others = open_loggers(run, self.folder, self._tables, resumed=self.step > 0)
                log = Log(self.folder, others)
                record = Record(self.folder)
                record.begin(self._tables, self._processes, self.step, self.precision)
                with contextlib.closing(log):
                    # A run that starts anew has nothing to keep.
                    log.go_on_from(self.step or -1)
                    if self.step == 0:
                        self._evaluate(log)
                    try:
                        self._train(stop, log, stopping)
                    finally:
                        self._close(log, record)
        rows = log.validation.rows()
        return {name: value for name, value in rows[-1].items() if name != "step"} if rows else {}

    def _train(self, stop: int, log: Log | None, stopping: Stopping) -> None:
        """The steps up to `stop`, in every process; `log` is the first one's."""
        run = self.settings.run
        saved = time.monotonic()
        clock = Clock(self.seconds, self.step)
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
                        log.train(
                            self.step,
                            {"items": self.step * run.batch, "seconds": self.seconds}
                            | {"per_second": speed, "learning_rate": self._rate(self.step - 1)}
                            | values,
                        )
                if log is not None and run.evaluates_after(self.step):
                    figures = self._evaluate(log)
                    if figures:
                        bar.write(f"step {self.step}: {figures}")
                stopped = stopping.asked()
                # What all processes know of can be saved in the middle of a row, for which each
                # hands in its part of it; what only the first one's clock says, between two rows.
                counted = run.checkpoint_steps and self.step % run.checkpoint_steps == 0
                due = bool(stopped or counted or self.step == stop)
                row = self._meters.state() if due else {}
                if log is not None:
                    now = time.monotonic()
                    if due or (row_due and now - saved >= run.checkpoint_seconds):
                        self.seconds = clock.spent()
                        self._save(row)
                        # At the end `train` draws, after the last figures.
                        if self.step < stop:
                            log.plot()
                        saved = now
                if stopped and self.step < stop:
                    raise StoppedError(
                        f"{self.folder}: stopped after step {self.step:,} of {run.steps:,}, as "
                        "asked; the same command goes on from there",
                        stopped,
                    )
        if log is not None and self.step == run.steps:
            assert self.average is not None
            about = {"step": self.step, "settings": self._tables}
            checkpoint.write_tensors(self.model_file, self.average.model.state_dict(), about)

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
        """Write a checkpoint, with the sums of a row that has begun. First process only."""
        assert self.average is not None
        model = self.task.model
        optimizer = checkpoint.optimizer_tensors(model, self._optimizer)
        self._kept.write(
            checkpoint.with_prefix("model.", model.state_dict())
            | checkpoint.with_prefix("average.", self.average.model.state_dict())
            | checkpoint.with_prefix("optimizer.", optimizer),
            {
                "step": self.step,
                "seconds": self.seconds,
                "scaler": self._scaler.state_dict(),
                "row": row,
                "precision": self.precision,
                "device": self._processes.device.type,
                "settings": self._tables,
            },
        )

    def _update(self, parts: list[Batch]) -> None:
        """One optimiser step on this process's parts of a batch."""
        model = self.task.model
        self.task.train_mode()
        for group in self._optimizer.param_groups:
            group["lr"] = self._rate(self.step) * group["factor"]
        self._optimizer.zero_grad(set_to_none=True)
        parts = [moved(part, self._processes.device) for part in parts]
        if len(parts) == 1:
            self._seed(0)
            with self._autocast():
                outputs = self._parallel(parts[0].inputs)
            with in_full(tf32=self.settings.run.tf32):
                losses = self.task.losses([outputs], [parts[0].targets])
            self._scaler.scale(losses["loss"]).backward()  # type: ignore[no-untyped-call]
        else:
            losses = self._backward_in_parts(parts)
        self._scaler.unscale_(self._optimizer)
        limit = self.settings.optimizer.clip or math.inf
        norm = nn.utils.clip_grad_norm_(model.parameters(), limit)
        self._scaler.step(self._optimizer)
        self._scaler.update()
        self.task.after_step()
        if self.average is not None:
            self.average.update(model, self.step)
        with torch.no_grad():
            self._meters.add(losses | {"gradient_norm": norm})

    def _backward_in_parts(self, parts: list[Batch]) -> dict[str, Tensor]:
        def forward(number: int, *, last: bool) -> Outputs:
            self._seed(number)
            network = self._parallel if torch.is_grad_enabled() else self._network
            # Gradients are exchanged once, when the last part has added its own.
            apart: contextlib.AbstractContextManager[None] = contextlib.nullcontext()
            if isinstance(network, DistributedDataParallel) and not last:
                apart = network.no_sync()
            with apart, self._autocast():
                outputs: Outputs = network(parts[number].inputs)
            return outputs

        def losses_of(outputs: list[Outputs]) -> dict[str, Tensor]:
            with in_full(tf32=self.settings.run.tf32):
                return self.task.losses(outputs, [part.targets for part in parts])

        return backward_in_parts(self._network, len(parts), forward, losses_of, self._scaler)

    def _autocast(self) -> torch.autocast:
        kind = _AUTOCAST[self.precision]
        return torch.autocast(self._processes.device.type, dtype=kind, enabled=kind is not None)

    def _choose_precision(self) -> None:
        if self.precision == "auto":
            place = self._processes
            kind, gain = measured(self.task, self._network, self.settings.run.batch, place)
            self.precision = kind
            if place.first:
                how = f", {gain:.2g} times as fast as the other" if gain else ""
                tqdm.write(f"precision: {kind}{how}")

    def _seed(self, part: int) -> None:
        """Make dropout and the like a function of seed, step, process and part."""
        place = (self.settings.run.seed, self.step, self._processes.rank, part)
        torch.manual_seed(int(np.random.SeedSequence(place).generate_state(1, np.uint64)[0]))

    def _rate(self, step: int) -> float:
        """The learning rate of optimiser step `step`, from 0."""
        settings = self.settings
        peak = settings.optimizer.learning_rate
        return rate(step, settings.run.steps, peak, settings.schedule)

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

    def _evaluate(self, log: Log) -> str:
        assert self.average is not None
        figures = self.task.evaluate(self.average.model)
        if figures:
            log.validate(self.step, figures)
            self._keep_best(figures)
        return ", ".join(f"{name} {value:.4g}" for name, value in figures.items())

    def _keep_best(self, figures: dict[str, float]) -> None:
        if not (wanted := self.settings.run.best):
            return
        name = next(iter(figures)) if wanted == "first" else wanted
        if name not in figures:
            raise ValueError(
                f'run.best = "{name}": is not measured; there are {", ".join(figures)}'
            )
        if figures[name] > self._best:
            assert self.average is not None
            self._best = figures[name]
            about = {"step": self.step, "figure": name, "value": self._best}
            self._kept.write_best(
                self.average.model.state_dict(), about | {"settings": self._tables}
            )

    def _check(self, values: dict[str, float]) -> None:
        # With a loss scale, a gradient that overflows is a step left out.
        scaled = self.settings.run.precision == "float16"
        for name, what in (("loss", "loss"), ("gradient_norm", "norm of the gradients")):
            value = values[name]
            if not math.isfinite(value) and not (scaled and name == "gradient_norm"):
                raise ValueError(
                    f"the {what} is {value} before step {self.step}: {advice(self.folder)}"
                )
