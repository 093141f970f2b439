"""Runs of minutes to hours, of a text tower or of a projection."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from trainer.train.loop import Run
from trainer.train.processes import joined
from trainer.train.settings import OptimizerSettings, RunSettings, ScheduleSettings, Settings
from trainer.train.task import Task


def short_settings(
    steps: int,
    batch_size: int,
    learning_rate: float,
    precision: Literal["auto", "float32", "bfloat16"],
    threads: int | None,
    *,
    warmup: int,
    weight_decay: float = 0.05,
) -> Settings:
    """Settings for runs of minutes to hours: shorter memory and more looks than a long run's."""
    return Settings(
        run=RunSettings(
            steps=steps,
            batch=batch_size,
            precision=precision,
            ema=0.998,
            workers=0,
            threads=threads,
            log_steps=max(1, min(50, steps // 20)),
            evaluate_steps=max(1, steps // 10),
            checkpoint_seconds=120,
        ),
        optimizer=OptimizerSettings(
            learning_rate=learning_rate, beta2=0.98, weight_decay=weight_decay
        ),
        schedule=ScheduleSettings(warmup=min(warmup, steps // 10), final_rate=learning_rate / 100),
    )


def run_task(task: Task, settings: Settings, out: Path, echo: Callable[[str], None]) -> None:
    """Train to the end, from the last checkpoint if there is one, and say what came of it."""
    with joined(settings.run.device) as processes:
        run = Run(task, settings, out, processes)
        if run.resume() and processes.first:
            echo(f"going on from step {run.step}")
        figures = run.train()
        if processes.first:
            for name, value in figures.items():
                echo(f"{name}: {value:.4f}")
            echo(f"{run.seconds / 60:.1f} minutes; the weights are in {run.model_file}")
