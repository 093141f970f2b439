"""One call to the system that fails, or a kill: all is as before or as after, and can be ended.

These are a few of the faults of `make torture`, which tries each call of everything that writes.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from faults.box import Job
from faults.failing import IN_MEMORY, FailingRuns, compiled
from faults.jobs import JOBS
from faults.models import write_models
from faults.sweep import Sweep, Tally
from optional import leave_out

pytestmark = pytest.mark.slow

# Those that start no other processes, which cost half a second each.
TRIED = {
    "rate": 2,
    "albums: put in": 2,
    "forget": 3,
    "import": 4,
    "export": 2,
    "models pull FOLDER": 2,
    "write-sidecars": 3,
    "config unset": 2,
    "people merge": 2,
    "faces forget": 2,
    "tune": 2,
    "page: a switch": 3,
    "page: small pictures": 2,
    "page: its secret": 1,
    "doctor --repair, of the catalogue": 3,
    "upgrade from add_live_ids": 3,
}
CHOSEN = [job for job in JOBS if job.name in TRIED]


@pytest.fixture(scope="module")
def runs() -> Iterator[FailingRuns]:
    with tempfile.TemporaryDirectory(prefix="faults-", dir=IN_MEMORY) as folder:
        work = Path(folder).resolve()
        shim = compiled(work)
        if shim is None:
            leave_out("Linux and a C compiler: apt-get install gcc")
        else:
            write_models(work / "models")
            with FailingRuns(shim, work) as opened:
                yield opened


@pytest.mark.parametrize("job", CHOSEN, ids=lambda job: job.name)
def test_a_fault_leaves_all_as_before_or_as_after(job: Job, runs: FailingRuns) -> None:
    sweep = Sweep(job, runs.box.with_name("models"), runs)
    faults = list(sweep.faults())
    # Evenly over all kinds of calls and errors.
    chosen = [faults[len(faults) * number // TRIED[job.name]] for number in range(TRIED[job.name])]
    tally = Tally(job.name)
    for fault in chosen:
        sweep.attempt(fault, tally)
    assert tally.wrong == []


def test_what_is_chosen_is_tried() -> None:
    assert {job.name for job in CHOSEN} == set(TRIED)
