"""Where a run's figures go beside its CSV files: to TensorBoard, to Weights & Biases.

Each is a few lines behind one protocol. Neither is imported unless it is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from trainer.train.settings import RunSettings


class Logger(Protocol):
    """Takes the figures of a run as they come."""

    def scalars(self, group: str, step: int, values: Mapping[str, float]) -> None:
        """Figures after `step`; group: "training" or "validation"."""

    def close(self) -> None:
        """No more will come."""


def open_loggers(
    run: RunSettings, folder: Path, settings: Mapping[str, Any], *, resumed: bool
) -> list[Logger]:
    """Those that the settings ask for.

    Raises `ValueError` naming the key of one that is not installed.
    """
    loggers: list[Logger] = []
    if run.tensorboard:
        loggers.append(TensorBoard(folder / "tensorboard"))
    if run.wandb is not None:
        loggers.append(WeightsAndBiases(run.wandb, folder, settings, resumed=resumed))
    return loggers


class TensorBoard:
    """Event files in `folder`."""

    def __init__(self, folder: Path) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            raise ValueError(
                "run.tensorboard: TensorBoard is not installed; pip install tensorboard"
            ) from None
        self._writer = SummaryWriter(str(folder))

    def scalars(self, group: str, step: int, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            self._writer.add_scalar(f"{group}/{name}", value, step)

    def close(self) -> None:
        self._writer.close()


class WeightsAndBiases:
    """A run of project `project`, named and kept as the folder is.

    What is sent where is up to wandb's own settings: WANDB_MODE=offline sends nothing.
    """

    def __init__(
        self, project: str, folder: Path, settings: Mapping[str, Any], *, resumed: bool
    ) -> None:
        try:
            import wandb
        except ImportError:
            raise ValueError("run.wandb: wandb is not installed; pip install wandb") from None
        path = folder.resolve()
        self._run = wandb.init(
            project=project,
            name=path.name,
            # The same folder is the same run there, too.
            id=re.sub(r"[^\w-]+", "-", f"{path.parent.name}-{path.name}"),
            resume="allow" if resumed else None,
            dir=str(folder),
            config=dict(settings),
        )

    def scalars(self, group: str, step: int, values: Mapping[str, float]) -> None:
        self._run.log({f"{group}/{name}": value for name, value in values.items()}, step=step)

    def close(self) -> None:
        self._run.finish()
