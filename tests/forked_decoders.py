"""Decoding processes of the tests' own process: forks of one that has read their modules.

They would read them for a quarter of a second otherwise, some hundred times. Each is still a
process of its own, and ends as any other. Where a test sets variables, which a Python may read when
it starts, they are spawned as ever.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from typing import Any

import pytest
from forked import DECODERS_READ, clean_forks, decoders_by

# The same process is forked in tests of catalogues, and of the trainer.
_READ = [
    *DECODERS_READ, "faiss", "index.catalogue.catalogue", "index.vectors.vectors", "pytest",
    "sqlite_utils",
]  # fmt: skip
# The last takes a second, and every optimiser reads it.
_READ_IN_TRAINING = ["trainer.cli", "trainer.train.loop", "torch._dynamo"]
# What pytest and the pages set meanwhile, and no decoder reads.
_OTHERS = ("PYTEST_", "GRADIO_", "HF_")


def pytest_collection_finish(session: pytest.Session) -> None:
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return
    trained = any("trainer" in item.path.parts for item in session.items)
    multiprocessing.set_forkserver_preload([*_READ, *(_READ_IN_TRAINING if trained else ())])
    if sys.platform == "linux":
        _fork_decoders()


def _fork_decoders() -> None:
    at_first = _variables()

    def get_context(method: str) -> Any:
        if method != "spawn" or _variables() != at_first:
            return multiprocessing.get_context(method)
        from multiprocessing import forkserver

        # Now, for what starts decoders blocks Ctrl-C meanwhile, and this process starts others too.
        forkserver.ensure_running()
        return clean_forks()

    decoders_by(get_context)


def _variables() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(_OTHERS)}
