"""Opening TFLite files.

network = open_network(Path("model.tflite"), num_threads=1)
network.invoke()
"""

from __future__ import annotations

from pathlib import Path
from typing import Any


def open_network(path: Path, **options: Any) -> Any:
    """An interpreter of the network in `path`, its tensors allocated.

    `options` are those of `ai_edge_litert.interpreter.Interpreter`. Raises `ValueError` naming a
    file that is missing or is no network that this machine can run.
    """
    from ai_edge_litert.interpreter import Interpreter

    if not path.is_file():
        raise ValueError(f"{path}: no such classifier; give the path of a .tflite file")
    try:
        network = Interpreter(str(path), **options)
        network.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise ValueError(f"{path}: not a usable .tflite file ({error})") from None
    return network
