"""`photosearch-trainer reinforce --ray`, twice on one cluster, which takes long to start.

Its arguments are two JSON lists, the arguments of each. The first command starts the cluster, and
ends it only when the second one, which found it there, is done. After each, a line with its exit
code and with how often it wanted the cluster to end stands in both outputs. The last line is
whether Ray would report usage.
"""

from __future__ import annotations

import json
import sys

import ray
from ray._common.usage.usage_lib import usage_stats_enabled

from trainer.cli import main

if __name__ == "__main__":
    ended: list[str] = []
    end, ray.shutdown = ray.shutdown, lambda: ended.append("ended")
    for given in sys.argv[1:]:
        try:
            main(["reinforce", *json.loads(given), "--ray"])
        except SystemExit as finished:
            for output in (sys.stdout, sys.stderr):
                print(f"--- {finished.code} {len(ended)}", file=output, flush=True)
    end()
    print(usage_stats_enabled())
