"""What learns in a run: the network, its optimiser, and the average of its weights."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from tqdm import tqdm

from trainer.train import checkpoint
from trainer.train.accumulation import backward_in_parts
from trainer.train.average import Average
from trainer.train.network import TaskNetwork, in_full, in_processes, synchronised
from trainer.train.optimizer import build_optimizer, rate
from trainer.train.precision import measured
from trainer.train.processes import Processes
from trainer.train.settings import Settings
from trainer.train.sharded import average_single, clip_norm, part_like, shard, whole
from trainer.train.task import Batch, Outputs, Task, moved

_AUTOCAST = {"auto": None, "float32": None, "bfloat16": torch.bfloat16, "float16": torch.float16}


class Learner:
    """The model of `task`, on this process's device, alone or together with other processes.

    Raises `ValueError` naming a key of the recipe that is not to be had on this device.
    """

    def __init__(self, task: Task, settings: Settings, processes: Processes) -> None:
        run = settings.run
        self._task, self._settings, self._processes = task, settings, processes
        check_device(settings, processes)
        # "auto" until a run begins, or goes on from what was measured then.
        self.precision: str = run.precision
        self.sharded = run.shard and processes.count > 1
        task.model.to(processes.device)
        if run.channels_last:
            task.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        # Unless all keep a part of it, only the first process evaluates and writes.
        self._average: Average | None = None
        if processes.first or self.sharded:
            self._average = Average(task.model, run.ema, whole=processes.first)
        if run.sync_batch_norm and processes.count > 1:
            synchronised(task.model)
        if run.compile:
            for part in task.model.children():
                part.compile()
        self.network = TaskNetwork(task)
        self._parallel: nn.Module = self.network
        if self.sharded:
            shard(self.network, processes)
            assert self._average is not None
            self._average.spread(task.model)
        else:
            self._parallel = in_processes(self.network, processes)
        self.optimizer = build_optimizer(task.model, settings.optimizer)
        self._scaler = torch.amp.GradScaler(
            processes.device.type, enabled=run.precision == "float16"
        )

    def choose_precision(self) -> None:
        """Measure which precision is faster, if that is still open; called by all processes."""
        if self.precision == "auto":
            place = self._processes
            kind, gain = measured(self._task, self.network, self._settings.run.batch, place)
            self.precision = kind
            if place.first:
                how = f", {gain:.2g} times as fast as the other" if gain else ""
                tqdm.write(f"precision: {kind}{how}")

    def update(self, parts: list[Batch], step: int) -> dict[str, Tensor]:
        """Optimiser step `step` (from 0) on this process's parts of a batch; its losses."""
        model = self._task.model
        self._task.train_mode()
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate(step) * group["factor"]
        self.optimizer.zero_grad(set_to_none=True)
        parts = [moved(part, self._processes.device) for part in parts]
        if len(parts) == 1:
            self._seed(step, 0)
            with self._autocast():
                outputs = self._parallel(parts[0].inputs)
            with in_full(tf32=self._settings.run.tf32):
                losses = self._task.losses([outputs], [parts[0].targets])
            self._scaler.scale(losses["loss"]).backward()  # type: ignore[no-untyped-call]
        else:
            losses = self._backward_in_parts(parts, step)
        self._scaler.unscale_(self.optimizer)
        limit = self._settings.optimizer.clip or math.inf
        if self.sharded:
            average_single(model.parameters())
            norm = clip_norm(model.parameters(), limit)
        else:
            norm = nn.utils.clip_grad_norm_(model.parameters(), limit)
        self._scaler.step(self.optimizer)
        self._scaler.update()
        self._task.after_step()
        if self._average is not None:
            self._average.update(model, step)
        return losses | {"gradient_norm": norm}

    def averaged(self) -> nn.Module | None:
        """The model with the averaged weights, for evaluation; None in all but the first process.

        Called by all processes.
        """
        return None if self._average is None else self._average.gathered()

    def rate(self, step: int) -> float:
        """The learning rate of optimiser step `step`, from 0."""
        settings = self._settings
        peak = settings.optimizer.learning_rate
        return rate(step, settings.run.steps, peak, settings.schedule)

    def tensors(self) -> dict[str, Tensor]:
        """All that a checkpoint holds of it, whole; {} in all but the first process.

        Called by all processes.
        """
        if self._average is None:
            return {}
        model, averaged = self._task.model, self.averaged()
        mine = checkpoint.with_prefix("model.", model.state_dict()) | checkpoint.with_prefix(
            "optimizer.", checkpoint.optimizer_tensors(model, self.optimizer)
        )
        if self.sharded:
            gathered = {}
            for name, value in mine.items():
                full = whole(value)
                if self._processes.first:
                    gathered[name] = full.cpu()
            mine = gathered
        if averaged is None:
            return {}
        return mine | checkpoint.with_prefix("average.", averaged.state_dict())

    @property
    def scaler(self) -> dict[str, Any]:
        """The state of the loss scale."""
        return self._scaler.state_dict()

    def restore(self, tensors: Mapping[str, Tensor], scaler: dict[str, Any]) -> None:
        """Go on from what `tensors` gave, in however many processes."""
        model = self._task.model
        weights = checkpoint.without_prefix("model.", tensors)
        there = model.state_dict()
        model.load_state_dict(
            {name: part_like(v, there[name]) if name in there else v for name, v in weights.items()}
        )
        if self._average is not None:
            self._average.restore(checkpoint.without_prefix("average.", tensors))
        moments = checkpoint.without_prefix("optimizer.", tensors)
        checkpoint.restore_optimizer(model, self.optimizer, moments)
        self._scaler.load_state_dict(scaler)

    def _backward_in_parts(self, parts: list[Batch], step: int) -> dict[str, Tensor]:
        def forward(number: int, *, last: bool) -> Outputs:
            self._seed(step, number)
            network = self._parallel if torch.is_grad_enabled() else self.network
            # Gradients are exchanged once, when the last part has added its own.
            apart: contextlib.AbstractContextManager[None] = contextlib.nullcontext()
            if isinstance(network, DistributedDataParallel) and not last:
                apart = network.no_sync()
            with apart, self._autocast():
                outputs: Outputs = network(parts[number].inputs)
            return outputs

        def losses_of(outputs: list[Outputs]) -> dict[str, Tensor]:
            with in_full(tf32=self._settings.run.tf32):
                return self._task.losses(outputs, [part.targets for part in parts])

        return backward_in_parts(self.network, len(parts), forward, losses_of, self._scaler)

    def _autocast(self) -> torch.autocast:
        kind = _AUTOCAST[self.precision]
        return torch.autocast(self._processes.device.type, dtype=kind, enabled=kind is not None)

    def _seed(self, step: int, part: int) -> None:
        """Make dropout and the like a function of seed, step, process and part."""
        place = (self._settings.run.seed, step, self._processes.rank, part)
        torch.manual_seed(int(np.random.SeedSequence(place).generate_state(1, np.uint64)[0]))


def check_device(settings: Settings, processes: Processes) -> None:
    """Raise `ValueError` naming a key of the recipe that is not to be had there."""
    run = settings.run
    on_cpu, several = processes.device.type != "cuda", processes.count > 1
    if run.precision == "float16" and on_cpu:
        raise ValueError('run.precision = "float16" needs CUDA; choose "bfloat16" or "float32"')
    if run.compile and on_cpu:
        raise ValueError("run.compile = true needs CUDA; leave it out")
    if run.sync_batch_norm and on_cpu and several:
        raise ValueError(
            "run.sync_batch_norm = true needs CUDA: PyTorch exchanges statistics only there; leave "
            "it out, and each process normalises its part by itself"
        )
    for given, key in (
        (run.precision == "float16", 'precision = "float16"'),
        (run.channels_last, "channels_last"),
        (run.compile, "compile"),
    ):
        if run.shard and given:
            raise ValueError(f"run.shard: cannot be had together with {key}; leave out one of them")
