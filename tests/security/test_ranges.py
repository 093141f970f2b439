"""Numbers that anybody can give have a range, and what lies outside starts nothing."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from shell import Shell

from photosearch import Library, UsageError
from photosearch.capacity import most_workers, usual_workers
from photosearch.search.parse import parse
from photosearch.search.query import QueryError


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), np.uint8)
    Image.fromarray(noise).save(folder / "noise.png")
    Image.new("RGB", (40, 40), "red").save(folder / "red.png")
    return folder


@pytest.mark.parametrize("workers", ["100000", "99999999999999999999"])
@pytest.mark.parametrize("command", ["index", "watch"])
def test_more_workers_than_the_machine_takes(
    shell: Shell, photos: Path, command: str, workers: str
) -> None:
    done = shell(command, photos, "--workers", workers)
    assert done.returncode == 2, done.stderr
    assert f"from 1 to {most_workers()}, which this machine can take" in done.stderr.decode()


def test_nothing_is_begun_before_the_range_is_checked(tiny_bundle: Path, photos: Path) -> None:
    with Library.open(photos.parent / "library", model=tiny_bundle) as library:
        for workers in (0, -1, most_workers() + 1):
            with pytest.raises(UsageError, match="this machine can take 1 to"):
                library.index([photos], workers=workers)
            with pytest.raises(UsageError, match="this machine can take 1 to"):
                library.watch([photos], workers=workers)
        assert library.status().photos == 0
        assert library.folders == []


def test_memory_counts_as_much_as_cores() -> None:
    cores = os.cpu_count() or 1
    assert most_workers(1 << 50) == 4 * cores
    assert most_workers(4 << 30) == min(4 * cores, 4)
    assert most_workers(1 << 20) == 1
    assert 1 <= usual_workers() <= min(cores, most_workers())


def test_a_weight_that_leaves_nothing_of_the_rest() -> None:
    assert parse("1000:cat 2:dog").terms[0].weight == 1000
    with pytest.raises(QueryError, match="a weight is at most 1000") as raised:
        parse(f"dog {'9' * 50}:cat")
    assert raised.value.position == 4
