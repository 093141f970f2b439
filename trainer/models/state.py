"""Reading the weights of a model from a file."""

from __future__ import annotations

import pickle
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor


def read_state(path: Path) -> dict[str, Tensor]:
    """The tensors of a `.safetensors` file, or of any other written by `torch.save`.

    Nothing but tensors is unpickled. A checkpoint that keeps its weights under "state_dict" is
    opened there.

    Raises `ValueError` naming a file that is missing or holds something else.
    """
    if not path.is_file():
        raise ValueError(f"{path}: no such weights file")
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (SafetensorError, pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise ValueError(f"{path}: not a weights file ({error})") from None
    state = state.get("state_dict", state) if isinstance(state, dict) else state
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise ValueError(f"{path}: holds something else than named tensors")
    return state
