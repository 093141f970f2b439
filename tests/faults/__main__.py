"""All faults of all jobs: python -m faults [NAME ...]. Takes long; prints a table.

Ends with 1 when anything went wrong.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from faults.before import OPENED
from faults.failing import IN_MEMORY, FailingRuns, compiled
from faults.jobs import JOBS
from faults.models import write_models
from faults.sweep import Sweep, Tally


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m faults", description=__doc__)
    parser.add_argument("names", nargs="*", help="jobs; all when left out")
    parser.add_argument("--every", type=int, default=1, help="try only each N-th fault")
    given = parser.parse_args()
    tallies = []
    # In memory, where there is such a place: waiting for a disk is most of the time otherwise.
    with tempfile.TemporaryDirectory(prefix="faults-", dir=IN_MEMORY) as folder:
        work = Path(folder).resolve()
        shim = compiled(work)
        if shim is None:
            sys.exit("needs Linux and a C compiler: apt-get install gcc")
        models = write_models(work / "models")
        with OPENED, FailingRuns(shim, work) as runs:
            for job in JOBS:
                if not given.names or job.name in given.names:
                    tallies.append(_swept(Sweep(job, models, runs), given.every))
    print("\n| Command | Faults | of these kills | did it all the same | survived |")
    print("|---|---|---|---|---|")
    for tally in tallies:
        print(_row(tally))
    tried, survived = (sum(getattr(one, name) for one in tallies) for name in ("tried", "survived"))
    print(f"\n{survived} of {tried} faults were survived.")
    sys.exit(survived != tried)


def _swept(sweep: Sweep, every: int) -> Tally:
    tally = Tally(sweep.job.name)
    for fault in list(sweep.faults())[::every]:
        before = len(tally.wrong)
        sweep.attempt(fault, tally)
        for line in tally.wrong[before:]:
            print(line, flush=True)
    print(_row(tally), flush=True)
    return tally


def _row(tally: Tally) -> str:
    numbers = (tally.tried, tally.killed, tally.unhurt, tally.survived)
    return f"| `{tally.job}` | {' | '.join(map(str, numbers))} |"


if __name__ == "__main__":
    main()
