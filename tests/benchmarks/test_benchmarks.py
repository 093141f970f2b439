"""What the benchmarks do around their clocks. Nothing here depends on how long anything takes."""

from __future__ import annotations

import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from optional import leave_out, module
from reinforce_data import BundleTeacher

from benchmarks import decoding_alone
from benchmarks.__main__ import main
from benchmarks.contenders import (
    BASELINE,
    CONTENDERS,
    S2,
    SIGLIP,
    Contender,
    Cost,
    Tower,
    build_towers,
    cost,
    deploy,
)
from benchmarks.model_speed import Result, on_iphone, page, plot, ratio_table, times_faster
from benchmarks.pictures import crops, write_photos
from benchmarks.pipeline import BUNDLED, DECODING, FACES, RCLIP, S0, Indexing, beside_decoding
from benchmarks.pipeline import measure as measure_pipeline
from benchmarks.pipeline import page as pipeline_page
from benchmarks.pipeline import plot as pipeline_plot
from benchmarks.rclip import Rclip
from benchmarks.tables import fill_page, markdown_table
from benchmarks.teaching_photos import random_teacher, reinforced_shard
from benchmarks.timing import Spread, interleave, seconds_a_call
from benchmarks.train_overhead import (
    LABELS,
    PAPER_TEACHER,
    STORED_TEACHER,
    Overhead,
    measure,
    recipe,
)
from benchmarks.train_overhead import page as overhead_page
from benchmarks.train_overhead import plot as overhead_plot
from benchmarks.train_overhead import table as overhead_table
from photosearch import Library
from photosearch.bench.processes import Spent
from trainer.data.reinforced import read_reinforced

pytestmark = pytest.mark.slow

NANO = CONTENDERS[0]


def test_runs_take_turns_and_every_second_round_goes_backwards() -> None:
    order: list[str] = []
    clock = iter(range(100))

    def run(name: str) -> float:
        order.append(name)
        return float(next(clock))

    seconds = interleave({name: lambda name=name: run(name) for name in "abc"}, rounds=3)
    assert "".join(order) == "abccbaabc"
    assert {name: values.tolist() for name, values in seconds.items()} == {
        "a": [0, 5, 6],
        "b": [1, 4, 7],
        "c": [2, 3, 8],
    }


def test_a_ratio_is_formed_within_its_round() -> None:
    # The machine was ten times slower in the second round: each round still says "twice".
    ours, theirs = np.array([1.0, 10.0, 1.0]), np.array([2.0, 20.0, 2.0])
    assert Spread.of(theirs / ours) == Spread(2.0, 2.0, 2.0)
    assert f"{Spread.of(np.array([1.0, 2.0, 3.0, 4.0, 5.0])):.1f}" == "3.0 (2.0-4.0)"


def test_short_calls_are_repeated_and_long_ones_made_once() -> None:
    calls: list[None] = []
    seconds_a_call(lambda: calls.append(None))
    assert len(calls) == 1
    seconds_a_call(lambda: calls.append(None), at_least=0.01)
    assert len(calls) > 3


def test_a_table_has_as_many_cells_as_headings() -> None:
    assert markdown_table(("model", "ms"), [("a", "1")]) == (
        "| model | ms |\n| --- | ---: |\n| a | 1 |"
    )
    with pytest.raises(ValueError, match="'a' has 1 cells, and the head 2"):
        markdown_table(("model", "ms"), [("a",)])


def test_a_page_with_a_place_left_empty_is_refused() -> None:
    with pytest.raises(KeyError):
        fill_page("model-speed.md", setting="")


# Parameters in millions of image and text tower: arXiv 2311.17049, table 8, and of B/32 open_clip.
@pytest.mark.parametrize(
    ("name", "image", "text", "pixels", "context"),
    [
        ("MobileCLIP-S0", 11.4, 42.4, 256, 77),
        ("MobileCLIP-S1", 21.5, 63.4, 256, 77),
        ("MobileCLIP-S2", 35.7, 63.4, 256, 77),
        ("ViT-B-32", 87.8, 63.4, 224, 77),
        ("ViT-B-16", 86.2, 63.4, 224, 77),
        ("ViT-B-16-SigLIP", 92.9, 110.3, 224, 64),
    ],
)
def test_contenders_are_the_models_that_the_paper_compares(
    name: str, image: float, text: float, pixels: int, context: int
) -> None:
    (contender,) = (one for one in CONTENDERS if one.name == name)
    with torch.device("meta"):
        towers = build_towers(contender)
    assert [round(cost(tower).parameters / 1e6, 1) for tower in towers] == [image, text]
    assert [tower.shape for tower in towers] == [(3, pixels, pixels), (context,)]
    assert towers[1].sample(2).shape == (2, context)
    assert towers[1].sample(2).max() < towers[1].vocabulary


def test_cost_counts_attention_too() -> None:
    with torch.device("meta"):
        image, text = build_towers(BASELINE)
    # 12 layers of width 768 over 197 tokens: four projections, an MLP of 4, and two products.
    layers = 12 * 197 * (12 * 768**2 + 2 * 197 * 768)
    assert cost(image).macs == layers + 196 * 768 * 3 * 16**2 + 768 * 512
    assert cost(text).macs == 12 * 77 * (12 * 512**2 + 2 * 77 * 512) + 512 * 512


def test_a_deployed_tower_computes_what_pytorch_does(tmp_path: Path) -> None:
    _, text = build_towers(NANO)
    network = deploy(text, tmp_path / "text.onnx", threads=1)
    ids = text.sample(3)
    with torch.inference_mode():
        expected = text.module(torch.from_numpy(ids))
    np.testing.assert_allclose(network(ids), expected, rtol=0, atol=1e-4)


class _OtherWhenExported(torch.nn.Module):
    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        rows = pixels.flatten(1)
        return rows.square() if torch.compiler.is_exporting() else rows


def test_a_tower_that_changes_on_export_ends_the_run(tmp_path: Path) -> None:
    tower = Tower("image", _OtherWhenExported().eval(), (3, 2, 2))
    with pytest.raises(SystemExit, match=r"image\.onnx: differs from PyTorch by"):
        deploy(tower, tmp_path / "image.onnx", threads=1)


def results() -> list[Result]:
    """Made-up times: S2 takes 2 + 1 ms, all others 4 + 2."""
    cost = Cost(1_000_000, 2_000_000_000)

    def times(contender: Contender) -> dict[str, np.ndarray]:
        unit = np.array([1.0, 1.1, 0.9]) * (1 if contender == S2 else 2)
        return {"image": 2 * unit, "batch": 1.5 * unit, "text": unit}

    return [Result(one, 224, cost, cost, times(one)) for one in CONTENDERS]  # type: ignore[arg-type]


def test_page_states_the_ratio_of_the_pair_that_the_papers_claim_is_about() -> None:
    assert on_iphone(S2, SIGLIP) == pytest.approx(2.3, abs=0.05)
    assert on_iphone(CONTENDERS[1], BASELINE) == pytest.approx(4.8, abs=0.05)
    assert on_iphone(NANO, BASELINE) is None
    assert times_faster(results(), SIGLIP)[S2].median == pytest.approx(2)
    text = page(results(), "a machine")
    assert "(15.7 against 6.9 ms, so 2.3). Here that pair gives **2.00 (2.00-2.00)**" in text
    assert "$" not in text


def test_ratio_table_has_a_row_for_each_model() -> None:
    rows = ratio_table(results()).splitlines()[2:]
    assert [row.split("|")[1].strip() for row in rows] == [one.label for one in CONTENDERS]
    assert rows[-1].split("|")[5].strip() == "1.00 (1.00-1.00)"
    assert rows[3].split("|")[5].strip() == "2.00 (2.00-2.00)"


def test_plot_is_small_and_the_same_each_time(tmp_path: Path) -> None:
    module("matplotlib")
    for name in ("a.svg", "b.svg"):
        plot(results(), tmp_path / name)
    drawn = (tmp_path / "a.svg").read_bytes()
    assert drawn == (tmp_path / "b.svg").read_bytes()
    assert len(drawn) < 100_000
    words = {"".join(node.itertext()).strip() for node in ElementTree.fromstring(drawn).iter()}
    assert {one.label for one in CONTENDERS} <= words


def test_command_lists_its_benchmarks_and_names_an_unknown_one() -> None:
    listed = CliRunner().invoke(main, ["--help"])
    assert listed.exit_code == 0
    for name in (
        "indexing",
        "searching",
        "pipeline",
        "rescan",
        "vectors",
        "warm-search",
        "model-speed",
        "train-overhead",
    ):
        assert name in listed.output
    unknown = CliRunner().invoke(main, ["indexin"])
    assert unknown.exit_code == 2
    assert "No such command 'indexin'" in unknown.output


def test_without_a_name_the_quick_ones_run(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []
    monkeypatch.setattr("benchmarks.indexing.run", lambda folder: ran.append("indexing"))
    monkeypatch.setattr("benchmarks.searching.run", lambda folder: ran.append("searching"))
    monkeypatch.setattr("benchmarks.model_speed.run", lambda *_, **__: ran.append("model-speed"))
    runner = CliRunner()
    assert runner.invoke(main, []).exit_code == 0
    assert ran == ["indexing", "searching"]
    ran.clear()
    assert runner.invoke(main, ["searching", "model-speed", "--rounds", "2"]).exit_code == 0
    assert ran == ["searching", "model-speed"]


def indexing_rounds() -> Indexing:
    """Made-up times for 10 photos: rclip takes 10 s, Nano 2 s, with faces 8 s, S0 4 s and decoding
    alone 1.75 s, all at 1.5 cores.

    One photo alone takes each of them 1 s.
    """
    clock = (1.0, 3.0, 1.0)  # the machine was slow in the second round
    whole = {RCLIP: 10, BUNDLED: 2, FACES: 8, S0.name: 4, DECODING: 1.75}
    return Indexing(
        10,
        {name: [Spent(s * t, 1.5 * s, 5e8) for t in clock] for name, s in whole.items()},
        {name: [Spent(t, 1.5, 5e8) for t in clock] for name in whole},
    )


def test_pipeline_page_and_plot_state_the_ratios(tmp_path: Path) -> None:
    module("matplotlib")
    text = pipeline_page(indexing_rounds(), "on a machine")
    assert "photosearch is **5.00 (5.00-5.00)** times as fast as rclip" in text
    # Without the second that the first photo takes both: 9 of 10 s against 1 of 2, and 3 of 4.
    assert "it is **9.00 (9.00-9.00)** and **3.00 (3.00-3.00)** times" in text
    assert "By processor time it is **5.00 (5.00-5.00)** and **2.50 (2.50-2.50)**" in text
    assert "**1.25 (1.25-1.25)** times, and by processor time **1.25 (1.25-1.25)** times" in text
    assert "| 5.0 (3.3-5.0) |" in text
    # Of 9 photos the decoder takes 0.75 s of the second that they take with all else.
    assert "reaches **0.75 (0.75-0.75)** of its photos a second" in text
    assert "| decoding alone | 12.0 (8.0-12.0) | 1.00 (1.00-1.00) | 125.0 " in text
    assert "$" not in text
    pipeline_plot(indexing_rounds(), tmp_path / "pipeline.svg")
    assert "5.0x" in (tmp_path / "pipeline.svg").read_text(encoding="utf-8")


def test_pipeline_runs_both_programs_on_the_same_photos(tmp_path: Path, tiny_bundle: Path) -> None:
    write_photos(tmp_path / "photos", 2, grain=3, size=(400, 300))
    # In place of rclip, which is no dependency: it takes the same arguments.
    program = tmp_path / "rclip"
    program.write_text(
        f"#!{sys.executable}\nimport os, sys\nprint(*sys.argv[1:])\n"
        "database = os.environ['RCLIP_DATADIR'] + '/db.sqlite3'\n"
        "assert not os.path.exists(database)\n"
        "open(database, 'w').close()\n"
        "with open(os.environ['RCLIP_DATADIR'] + '/seen', 'a') as seen:\n"
        "    print(len(os.listdir('.')), file=seen)\n",
        encoding="utf-8",
    )
    program.chmod(0o755)
    rclip = Rclip(program, tmp_path, "3.3.0")
    models = {BUNDLED: tiny_bundle}
    measured = measure_pipeline(tmp_path, tmp_path / "photos", rclip, models, rounds=1)
    assert (tmp_path / "seen").read_text(encoding="utf-8").split() == ["1", "2"]
    assert list(measured.rounds) == list(measured.alone) == [RCLIP, BUNDLED, FACES, DECODING]
    assert measured.photos == 2
    assert measured.rounds[BUNDLED][0].cpu_seconds > 0
    assert measured.alone[BUNDLED][0].cpu_seconds > 0
    with Library.open(tmp_path / "library", model=tiny_bundle) as library:
        assert library.status().encoded == 2
        # The last of them, with faces.
        assert library.faces.counts()[0] == 2


def test_pipeline_without_rclip_is_beside_decoding_alone(tmp_path: Path, tiny_bundle: Path) -> None:
    write_photos(tmp_path / "photos", 2, grain=3, size=(400, 300))
    models = {BUNDLED: tiny_bundle}
    measured = measure_pipeline(tmp_path, tmp_path / "photos", None, models, rounds=1)
    assert list(measured.rounds) == list(measured.alone) == [BUNDLED, DECODING]
    assert beside_decoding(measured).count("\n") == 3


def test_decoding_alone_decodes_every_photo(tmp_path: Path) -> None:
    if not hasattr(os, "fork"):
        leave_out("a system that forks")
    write_photos(tmp_path / "photos", 3, size=(400, 300))
    subprocess.run(decoding_alone.command(tmp_path / "photos", 32), check=True)
    damaged = tmp_path / "photos" / "photo-002.jpg"
    damaged.write_bytes(damaged.read_bytes()[:2000])
    told = subprocess.run(
        decoding_alone.command(tmp_path / "photos", 32), capture_output=True, check=False
    )
    assert told.returncode == 1


def overhead() -> Overhead:
    """Made-up times: plain takes 1 s, of which 10 ms are for what it would not read."""
    factors = {"plain": 1.01, "distilled": 1.02, "captioned": 1.25, "reinforced": 1.3}
    clock = np.array([1.0, 3.0, 1.0])  # the machine was slow in the second round
    steps = {name: factor * clock for name, factor in factors.items()}
    batches = dict.fromkeys(factors, 0.1 * clock)
    teachers = {STORED_TEACHER: 0.5 * clock, PAPER_TEACHER: 5 * clock}
    return Overhead(steps, batches, 0.01 * clock, teachers)


def test_overhead_is_against_plain_training_that_reads_no_embeddings() -> None:
    steps = overhead().all_steps
    assert steps["plain"].tolist() == pytest.approx([1, 3, 1])
    assert steps["online paper"].tolist() == pytest.approx([11.3, 33.9, 11.3])
    rows = [row.split("|")[1:-1] for row in overhead_table(overhead()).splitlines()[2:]]
    assert [row[0].strip() for row in rows] == list(LABELS.values())
    ratios = [row[3].split()[0] for row in rows]
    assert ratios == ["1.00", "1.25", "1.02", "1.30", "2.30", "11.30"]


def test_overhead_page_and_plot_state_the_ratios(tmp_path: Path) -> None:
    module("matplotlib")
    text = overhead_page(overhead(), "a machine")
    assert "texts, takes 1.04 (1.04-1.04) times as long" in text
    assert "8.69 (8.69-8.69) times as long as with what they said stored" in text
    assert "$" not in text
    overhead_plot(overhead(), tmp_path / "overhead.svg")
    assert "11.30x" in (tmp_path / "overhead.svg").read_text(encoding="utf-8")


def test_engines_of_all_kinds_of_training_make_real_steps(
    tmp_path: Path, tiny_bundle: Path
) -> None:
    shard = reinforced_shard(tmp_path, BundleTeacher(tiny_bundle), 4)
    kinds = {sample.key: sample for sample in read_reinforced(shard)}
    assert [len(sample.captions) for sample in kinds.values()] == [1] * 4
    nano = ('model.name="MobileCLIP-Nano"', "model.freeze=[]")
    small = (*nano, "data.image_size=32", "data.shuffle_shards=0")
    measured = measure(
        shard,
        {name: BundleTeacher(tiny_bundle) for name in (STORED_TEACHER, PAPER_TEACHER)},
        rounds=2,
        batch=4,
        overrides=small,
    )
    assert list(measured.all_steps) == list(LABELS)
    for name, seconds in measured.steps.items():
        assert (seconds > measured.batches[name]).all()


def test_recipes_differ_in_what_they_are_named_after() -> None:
    shard = Path("shard.tar")
    plain, distilled, captioned, reinforced = (
        recipe(shard, name, batch=16) for name in ("plain", "distilled", "captioned", "reinforced")
    )
    assert (plain.loss.lambda_, plain.loss.captions) == (0, ("real",))
    assert (plain.data.augmentation, reinforced.data.augmentation) == ("light", "stored")
    assert (distilled.loss.lambda_, distilled.loss.captions) == (1, ("real",))
    assert (captioned.loss.lambda_, captioned.loss.captions) == (0, ("real", "synthetic"))
    assert (reinforced.loss.lambda_, reinforced.loss.captions) == (1, ("real", "synthetic"))
    for one in (plain, distilled, captioned, reinforced):
        assert one.model.name == "MobileCLIP-S0"
        assert (one.optimizer, one.schedule, one.run) == (
            plain.optimizer,
            plain.schedule,
            plain.run,
        )


def test_random_teacher_is_a_teacher(tmp_path: Path) -> None:
    teacher = random_teacher(tmp_path, "RN50")
    assert not list(tmp_path.iterdir())
    ((_, picture),) = crops(1, (64, 64))
    assert teacher.embed_images([picture]).shape == teacher.embed_texts(["a cat"]).shape
