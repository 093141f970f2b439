"""One of torchrun's processes: several runs, one after the other.

All are of the group that the first one joins and the last one leaves: it can be joined only once.
The argument is a JSON file with the arguments of each, "{rank}" being the process's own number.
What is refused is told as the command tells it, and the next one begins.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from pathlib import Path

import click
from torch import distributed

from trainer.cli import main


def run_all(runs: list[list[str]]) -> None:
    leave, distributed.destroy_process_group = distributed.destroy_process_group, lambda: None
    for arguments in runs:
        mine = [argument.replace("{rank}", os.environ["RANK"]) for argument in arguments]
        try:
            main(["train", *mine], standalone_mode=False)
        except click.ClickException as error:
            error.show()
        # The first writes the checkpoint that the next run goes on from; and what one run leaves
        # behind is let go of by both at the same time.
        gc.collect()
        distributed.barrier()
        distributed.init_process_group = lambda *given, **named: None
    leave()


if __name__ == "__main__":
    run_all(json.loads(Path(sys.argv[1]).read_text()))
