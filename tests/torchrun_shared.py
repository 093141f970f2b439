"""One of torchrun's processes: several runs, one after the other.

All are of the group that the first one joins and the last one leaves: it can be joined only once.
The argument is a JSON file with the arguments of each.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from torch import distributed

from trainer.cli import main


def run_all(runs: list[list[str]]) -> None:
    leave, distributed.destroy_process_group = distributed.destroy_process_group, lambda: None
    for arguments in runs:
        main(["train", *arguments], standalone_mode=False)
        distributed.init_process_group = lambda *given, **named: None
    leave()


if __name__ == "__main__":
    run_all(json.loads(Path(sys.argv[1]).read_text()))
