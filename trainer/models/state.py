"""The weights of a model in a file: reading and writing them."""

from __future__ import annotations

import os
import pickle
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor


def read_state(path: Path) -> dict[str, Tensor]:
    """The tensors of a `.safetensors` file, or of any other written by `torch.save`.

    Nothing but tensors is unpickled. A checkpoint that keeps its weights under "state_dict" is
    opened there, and of a checkpoint of this trainer the averaged weights are taken.

    Raises `ValueError` naming a file that is missing or holds something else.
    """
    if not path.is_file():
        raise ValueError(f"{path}: no such weights file")
    try:
        if path.suffix == ".safetensors":
            return _averaged(path) or load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (SafetensorError, pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise ValueError(f"{path}: not a weights file ({error})") from None
    state = state.get("state_dict", state) if isinstance(state, dict) else state
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise ValueError(f"{path}: holds something else than named tensors")
    return state


def _averaged(path: Path) -> dict[str, Tensor]:
    """The averaged weights of a checkpoint of `trainer.train`; {} for other files."""
    with safe_open(path, framework="pt") as file:
        names = list(file.keys())
        if {name.partition(".")[0] for name in names} != {"model", "average", "optimizer"}:
            return {}
        averaged = [name for name in names if name.startswith("average.")]
        return {name.removeprefix("average."): file.get_tensor(name) for name in averaged}


def write_state(state: Mapping[str, Tensor], path: Path) -> None:
    """Write tensors to a `.safetensors` file, or by `torch.save` to a `.pt` file.

    The file is written beside and renamed into place.

    Raises `ValueError` for another kind of file, a folder that is not there, or a write that fails.
    """
    if path.suffix not in (".safetensors", ".pt"):
        raise ValueError(f"{path}: the name of a weights file ends in .safetensors or .pt")
    if not path.parent.is_dir():
        raise ValueError(f"{path}: no such folder as {path.parent}")
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        if path.suffix == ".safetensors":
            save_file(dict(state), beside)
        else:
            torch.save(dict(state), beside)
        beside.replace(path)
    except (SafetensorError, RuntimeError, OSError) as error:
        raise ValueError(f"{path}: could not be written ({error})") from None
    finally:
        beside.unlink(missing_ok=True)
