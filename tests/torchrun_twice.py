"""One of torchrun's processes: a run with the batch whole, and one with it in two parts.

Both are of the group that the first one joins and the second one leaves: it can be joined only
once. Its arguments are the recipe and the folder for both.
"""

from __future__ import annotations

import sys

from torch import distributed

from trainer.cli import main


def run_twice(recipe: str, folder: str) -> None:
    leave, distributed.destroy_process_group = distributed.destroy_process_group, lambda: None
    for count in "12":
        sets = ["--set", f"run.accumulate={count}"]
        main(["train", recipe, "--out", f"{folder}/{count}", *sets], standalone_mode=False)
        distributed.init_process_group = lambda *given, **named: None
        distributed.destroy_process_group = leave


if __name__ == "__main__":
    run_twice(*sys.argv[1:])
