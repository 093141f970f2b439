"""A run on disk: a file with all that it takes to go on as if never stopped.

Tensors (weights, averaged weights, optimiser state) are stored as such; numbers stand as JSON in
the file's metadata, so that one rename replaces both. Nothing is pickled. Random numbers need no
state: those of a step are seeded by the run's seed and the step's number.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from trainer.train.optimizer import learning
from trainer.train.sharded import part_like


def write_tensors(
    path: Path, tensors: Mapping[str, Tensor], about: Mapping[str, Any], *, keep: Path | None = None
) -> None:
    """Write tensors, and `about` as JSON, beside `path`, to disk, and rename it into place.

    What was there before gets the name `keep`, if one is given, once the new file is whole.
    """
    beside = path.with_name(f"{path.name}.part")
    plain = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    beside.touch()
    mode = beside.stat().st_mode
    save_file(plain, beside, metadata={"format": "pt", "photosearch": json.dumps(about)})
    beside.chmod(mode)  # that of any new file; safetensors keeps its own to the owner
    with beside.open("rb+") as file:
        os.fsync(file.fileno())
    if keep is not None:
        path.replace(keep)
    beside.replace(path)


def read_about(path: Path) -> dict[str, Any]:
    """What stands beside the tensors that `write_tensors` wrote, without reading these.

    Raises `ValueError` naming a file that holds something else.
    """
    try:
        with safe_open(path, framework="pt") as file:
            about: dict[str, Any] = json.loads((file.metadata() or {})["photosearch"])
            return about
    except (SafetensorError, KeyError, ValueError) as error:
        raise ValueError(f"{path}: not a checkpoint of this trainer ({error!r})") from None


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """What `write_tensors` wrote. Raises `ValueError` naming a file that holds something else."""
    about = read_about(path)
    with safe_open(path, framework="pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}, about  # noqa: SIM118


def optimizer_tensors(model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """The state of each parameter that learns, as `NAME.exp_avg` and so on."""
    return {
        f"{name}.{kind}": value
        for name, parameter in learning(model).items()
        for kind, value in optimizer.state[parameter].items()
    }


def restore_optimizer(
    model: nn.Module, optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]
) -> None:
    """Put back what `optimizer_tensors` gave, on each parameter's device."""
    numbers = {
        parameter: number
        for number, parameter in enumerate(
            parameter for group in optimizer.param_groups for parameter in group["params"]
        )
    }
    parameters = learning(model)
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        name, _, kind = key.rpartition(".")
        parameter = parameters[name]
        if value.shape == parameter.shape:
            value = part_like(value, parameter)
        state.setdefault(numbers[parameter], {})[kind] = value
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": state, "param_groups": groups})


def with_prefix(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {prefix + name: value for name, value in tensors.items()}


def without_prefix(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors under `prefix`, which is taken off."""
    return {
        name.removeprefix(prefix): value
        for name, value in tensors.items()
        if name.startswith(prefix)
    }
