"""`--nice`: other programs go first, and a battery is left alone."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from optional import needs_linux
from shell import Shell

from photosearch import Finished, Indexed, Library, OnBattery, Started
from photosearch.library import runs

pytestmark = needs_linux("/sys/class/power_supply")


class Supplies:
    """A machine with a battery, as Linux tells of it."""

    def __init__(self, folder: Path) -> None:
        self._mains = folder / "AC0" / "online"
        for file, text in (
            ("AC0/type", "Mains"), ("BAT0/type", "Battery"), ("BAT0/energy_now", "30000000"),
            ("BAT0/energy_full", "50000000"), ("BAT0/power_now", "9000000"),
            ("BAT0/capacity", "60"),
        ):  # fmt: skip
            (folder / file).parent.mkdir(exist_ok=True)
            (folder / file).write_text(f"{text}\n")
        self.plug_in()

    def plug_in(self) -> None:
        self._mains.write_text("1\n")

    def unplug(self) -> None:
        self._mains.write_text("0\n")


@pytest.fixture
def supplies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Supplies:
    folder = tmp_path / "power_supply"
    folder.mkdir()
    monkeypatch.setattr("psutil._pslinux.POWER_SUPPLY_PATH", str(folder))
    monkeypatch.setattr(runs, "LOOK", 0.0)
    return Supplies(folder)


@pytest.fixture
def library(tmp_path: Path, tiny_bundle: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "library", model=tiny_bundle) as library:
        yield library


def test_a_run_waits_for_mains_power(library: Library, photos: Path, supplies: Supplies) -> None:
    supplies.unplug()
    events = library.index([photos], workers=1, nice=True)
    assert next(events) == OnBattery()
    # Others may change the library meanwhile.
    with library.writing():
        pass
    supplies.plug_in()
    *_, last = events
    assert isinstance(last, Finished)
    assert last.indexed == 6


def test_a_run_that_loses_power_keeps_what_is_done(
    library: Library, photos: Path, supplies: Supplies
) -> None:
    told = []
    for event in library.index([photos], workers=1, nice=True):
        told.append(type(event))
        if type(event) is Started and OnBattery not in told:
            supplies.unplug()
        elif type(event) is OnBattery:
            supplies.plug_in()
    assert told[:3] == [Started, OnBattery, Started]
    assert told[-1] is Finished
    assert library.status().photos == 6


def test_it_stops_while_it_waits(library: Library, photos: Path, supplies: Supplies) -> None:
    supplies.unplug()
    stop = threading.Event()
    for event in library.index([photos], workers=1, nice=True, stop=stop):
        assert event == OnBattery()
        stop.set()
    assert library.status().photos == 0


def test_the_battery_is_used_where_nobody_asks_for_more(
    library: Library, photos: Path, supplies: Supplies, monkeypatch: pytest.MonkeyPatch
) -> None:
    supplies.unplug()
    events = library.index([photos], workers=1)
    assert isinstance(next(events), Started)
    workers: set[int] = set()
    for event in events:
        if isinstance(event, Indexed):
            workers |= {each.nice() for each in psutil.Process().children()}
    assert workers <= {os.nice(0)}


def test_workers_let_others_go_first(library: Library, photos: Path, supplies: Supplies) -> None:
    nice: set[int] = set()
    for event in library.index([photos], workers=1, nice=True):
        if isinstance(event, Indexed):
            nice |= {each.nice() for each in psutil.Process().children()}
    assert 19 in nice


@pytest.mark.slow
@pytest.mark.parametrize("set_so", [False, True])
def test_so_does_the_command(shell: Shell, photos: Path, set_so: bool) -> None:
    option, setting = ([], {"PHOTOSEARCH_NICE": "true"}) if set_so else (["--nice"], {})
    with shell.start("watch", *option, "--workers", "1", photos, **setting) as watching:
        assert watching.stdout is not None
        assert b"Watching" in watching.stdout.readline()
        assert psutil.Process(watching.pid).nice() == 19
        watching.send_signal(signal.SIGINT)
        assert watching.wait(60) == 0


def test_it_is_off_where_a_setting_is_taken_back(shell: Shell, photos: Path) -> None:
    assert shell("index", "--no-nice", photos, PHOTOSEARCH_NICE="true").returncode == 0
    assert len(shell.photos()) == 6
