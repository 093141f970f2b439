"""The benchmark of learning efficiency: what it computes, and both ways by tiny real students."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from colour_bundle import COLOURS
from optional import module
from PIL import Image
from reinforce_data import fork_workers
from tars import sample, write_tar

from benchmarks.__main__ import main as benchmarks
from benchmarks.arms import (
    FIGURES,
    PLAIN,
    REINFORCED,
    STUDENT,
    Budget,
    Materials,
    Run,
    prepare,
    recipe,
    run_trainer,
    train,
    write_toml,
)
from benchmarks.efficiency import Curve, Factors, factor, photos_for, spread
from benchmarks.learning_efficiency import Runs, best_table, page, photos_table, plot, seen_table
from benchmarks.subsets import write_held_out, write_parts
from trainer.cli import main as trainer
from trainer.data.photo_tars import read_photos
from trainer.train.recipe import load_recipe

pytestmark = pytest.mark.slow


def curve(*recall: float, every: int = 100) -> Curve:
    return Curve(every * np.arange(len(recall), dtype=float), np.array(recall))


def test_a_level_is_reached_on_the_line_between_evaluations() -> None:
    found = curve(0.0, 0.2, 0.6, 0.5)
    assert found.reached(0.2) == 100
    assert found.reached(0.3) == pytest.approx(125)
    assert found.reached(0.6) == found.reached(found.best) == 200
    assert found.reached(0.0) == 0
    assert found.reached(0.61) is None


def test_a_level_counts_from_when_it_was_first_reached() -> None:
    assert curve(0.0, 0.4, 0.1, 0.4, 0.5).reached(0.3) == pytest.approx(75)


def test_factor_is_images_of_plain_by_images_of_the_other() -> None:
    plain = curve(0.0, 0.2, 0.3, 0.4, 0.35)
    assert factor(plain, plain) == 1
    assert factor(plain, curve(0.0, 0.8)) == pytest.approx(300 / 50)
    assert factor(plain, curve(0.0, 0.1, 0.2, 0.3, 0.4)) == pytest.approx(300 / 400)
    assert factor(plain, curve(0.0, 0.39)) is None
    # Both are asked for the share: plain has 0.2 after 100 images, the other after 25.
    assert factor(plain, curve(0.0, 0.8), share=0.5) == pytest.approx(100 / 25)


def test_factors_go_seed_by_seed() -> None:
    plain = [curve(0.0, 0.1, 0.2), curve(0.0, 0.4)]
    quick = [curve(0.0, 0.8), curve(0.0, 0.8)]
    found = Factors.of(plain, quick)
    assert [round(value or 0, 6) for value in found.values] == [8, 2]
    assert str(found) == "4.0 (2.0-8.0)"
    slow = Factors.of(plain, [curve(0.0, 0.2), curve(0.0, 0.3)])
    assert slow.values[1] is None
    assert str(slow) == "1 of 2 seeds (2.0-2.0)"
    assert str(Factors.of(plain, [curve(0.0, 0.1), curve(0.0, 0.1)])) == "not reached"
    assert spread(np.array([0.1, 0.2])) == "15.0 (10.0-20.0)"


def test_photos_lie_on_a_line_over_their_logarithm() -> None:
    sizes, bests = (100, 400, 1600), (0.1, 0.3, 0.35)
    assert photos_for(0.05, sizes, bests) == 100
    assert photos_for(0.2, sizes, bests) == pytest.approx(200)
    assert photos_for(0.35, sizes, bests) == pytest.approx(1600)
    assert photos_for(0.36, sizes, bests) is None
    # More photos may do worse; what was enough once is enough.
    assert photos_for(0.3, sizes, (0.3, 0.2, 0.4)) == 100


def made_up() -> Runs:
    """Two seeds: plain comes to 0.2 with 100 photos and 0.4 with 400, after 200 and 400 images;
    the other to 0.32 and 0.6, after 100."""

    def both(one: Curve) -> list[dict[str, Curve]]:
        return [dict.fromkeys(FIGURES, one)] * 2

    return {
        ("plain", 100): both(curve(0.0, 0.1, 0.2)),
        ("plain", 400): both(curve(0.0, 0.1, 0.2, 0.3, 0.4)),
        ("reinforced", 100): both(curve(0.0, 0.32)),
        ("reinforced", 400): both(curve(0.0, 0.6, 0.5)),
    }


def rows(table: str) -> dict[str, list[str]]:
    cells = [[cell.strip() for cell in row.split("|")[1:-1]] for row in table.splitlines()[2:]]
    return {name: values for name, *values in cells}


def test_tables_tell_images_and_photos() -> None:
    name = "zero_shot_top1"
    assert rows(best_table(made_up(), name)) == {
        "100": ["20.0 (20.0-20.0)", "200 to 200", "32.0 (32.0-32.0)", "100 to 100"],
        "400": ["40.0 (40.0-40.0)", "400 to 400", "60.0 (60.0-60.0)", "100 to 100"],
    }
    seen = rows(seen_table(made_up(), name))
    assert seen["100"] == ["3.2 (3.2-3.2)"] * 4
    assert seen["400"] == ["6.0 (6.0-6.0)"] * 4
    photos = rows(photos_table(made_up(), name))
    # 0.4 lies two sevenths of the way from 0.32 with 100 photos to 0.6 with 400.
    times = 400 / (100 * 4 ** (2 / 7))
    assert photos["400"][3] == f"{times:.1f} ({times:.1f}-{times:.1f})"
    assert photos["400"][2] == ">= 4.0 (4.0-4.0)"
    assert photos["100"] == [">= 1.0 (1.0-1.0)"] * 4


def test_page_and_plot(tmp_path: Path) -> None:
    module("matplotlib")
    text = page(made_up(), Budget(), "a machine", "some photos")
    assert "$" not in text
    assert text.count("| 400 |") == 6
    for name in ("a.svg", "b.svg"):
        plot(made_up(), tmp_path / name)
    drawn = (tmp_path / "a.svg").read_bytes()
    assert drawn == (tmp_path / "b.svg").read_bytes()
    words = {"".join(node.itertext()).strip() for node in ElementTree.fromstring(drawn).iter()}
    assert {"CLIP, 100", "reinforced, 400"} <= words


TINY = Budget(
    sizes=(8, 16), images=(16, 24), batch=8, seeds=2, views=2, rates=(1e-3, 1e-2), warmup=1
)


@pytest.fixture(scope="module")
def materials(tmp_path_factory: pytest.TempPathFactory, tiny_bundle: Path) -> Materials:
    folder = tmp_path_factory.mktemp("photos")

    def tar(name: str, count: int, *, captioned: bool) -> Path:
        members = []
        for number in range(count):
            colour, rgb = list(COLOURS.items())[number % len(COLOURS)]
            said = {"captions": [f"something {colour}", "more"]} if captioned else {"label": colour}
            members += sample(f"{name}-{number}", Image.new("RGB", (40, 40), rgb), said)
        return write_tar(folder / f"{name}.tar", members)

    student = json.loads(STUDENT.read_text(encoding="utf-8"))
    student["image"] |= {"tower": "test_efficientnet", "size": 32}
    student["text"] |= {"width": 16, "heads": 2, "layers": 1}
    (folder / "student.json").write_text(json.dumps(student))
    return Materials(
        captioned=(tar("captioned", 10, captioned=True),),
        labelled=(tar("labelled", 12, captioned=False),),
        validation=tar("validation", 6, captioned=True),
        zero_shot=(tar("shown", 6, captioned=False),),
        teachers=(f"bundle:{tiny_bundle}",),
        captioner="labels",
        student=folder / "student.json",
        image_size=32,
    )


def keys(tar: Path) -> list[str]:
    return [one.key for one in read_photos(tar)]


def test_subsets_are_nested_and_say_one_thing_of_a_photo(
    materials: Materials, tmp_path: Path
) -> None:
    few = write_parts(materials.captioned, materials.labelled, (8, 16), tmp_path / "a")
    more = write_parts(materials.captioned, materials.labelled, (8, 20), tmp_path / "b")
    assert keys(few[0]) == keys(more[0])
    assert keys(few[1]) == keys(more[1])[:8]
    assert not set(keys(few[0])) & set(keys(few[1]))
    metas = [one.meta for path in more for one in read_photos(path)]
    assert {len(meta["captions"]) for meta in metas} == {1}
    said = {meta["captions"][0] for meta in metas}
    assert {"something red", "a photo of a red"} <= said
    assert "more" not in said
    with pytest.raises(ValueError, match="22 photos and not 30"):
        write_parts(materials.captioned, materials.labelled, (8, 30), tmp_path / "c")
    captioned, labelled = write_held_out(
        materials.validation, materials.zero_shot, tmp_path / "held-out"
    )
    assert (len(keys(captioned)), len(keys(labelled))) == (6, 6)


def test_recipes_differ_in_what_the_ways_are_named_after(
    materials: Materials, tmp_path: Path
) -> None:
    found = []
    for run in (Run(PLAIN, 1, 3, 1e-3), Run(REINFORCED, 1, 3, 1e-3)):
        path = tmp_path / f"{run.name}.toml"
        write_toml(path, recipe(materials, tmp_path, run, TINY))
        found.append(load_recipe(path))
    plain, reinforced = found
    assert (plain.loss.lambda_, reinforced.loss.lambda_) == (0, 1)
    assert plain.loss.captions == ("real",)
    assert reinforced.loss.captions == ("real", "synthetic")
    assert (plain.data.augmentation, reinforced.data.augmentation) == ("light", "stored")
    assert [Path(one).name for one in plain.data.train] == ["part-0.tar", "part-1.tar"]
    assert replace(plain.data, augmentation="stored") == reinforced.data
    for one in found:
        assert one.model == plain.model
        assert one.model.init is one.model.image_init is one.model.text_init is None
        assert one.optimizer == plain.optimizer
        assert one.run == plain.run
        # Constant: where a curve stands does not depend on the length of its run.
        assert one.schedule.final_rate == one.optimizer.learning_rate


def test_the_student_is_one_that_the_trainer_builds(materials: Materials, tmp_path: Path) -> None:
    from trainer.train.student import build_student

    path = tmp_path / "recipe.toml"
    one = replace(materials, student=STUDENT, image_size=64)
    write_toml(path, recipe(one, tmp_path, Run(PLAIN, 0, 0, 1e-3), TINY))
    model = build_student(load_recipe(path))
    assert 5e6 < sum(weight.numel() for weight in model.parameters()) < 12e6


def in_this_process(arguments: Sequence[str], log: Path) -> None:
    result = CliRunner().invoke(trainer, list(arguments))
    assert result.exit_code == 0, result.output
    log.parent.mkdir(exist_ok=True)
    log.write_text(result.output, encoding="utf-8")


def test_real_students_learn_both_ways_once(
    materials: Materials, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fork_workers(monkeypatch)
    ran: list[str] = []

    def counted(arguments: Sequence[str], log: Path) -> None:
        ran.append(log.stem)
        in_this_process(arguments, log)

    prepare(materials, tmp_path, TINY, jobs=1, trainer=counted)
    assert ran == ["reinforce-part-1", "reinforce-part-0"]
    ran.clear()
    runs = train(materials, tmp_path, TINY, jobs=1, trainer=counted)
    assert set(runs) == {(arm, size) for arm in ("plain", "reinforced") for size in TINY.sizes}
    # Both rates for the first seed, and the better one for the second, for both ways alike.
    for way in ("plain", "reinforced"):
        assert len([name for name in ran if name.startswith(way)]) == 2 * 2 + 2
    for (_, size), found in runs.items():
        assert len(found) == TINY.seeds
        for curves in found:
            assert set(curves) == set(FIGURES)
            last = TINY.images[TINY.sizes.index(size)]
            assert all(one.images[-1] == last for one in curves.values())
            assert all(((one.recall >= 0) & (one.recall <= 1)).all() for one in curves.values())
    weights = {path.read_bytes() for path in tmp_path.glob("runs/*/model.safetensors")}
    assert len(weights) == len(ran), "two runs trained the same"

    ran.clear()
    (tmp_path / "runs" / "reinforced-0-0-0.001" / "model.safetensors").unlink()
    again = train(materials, tmp_path, TINY, jobs=1, trainer=counted)
    assert ran == ["reinforced-0-0-0.001"]
    for key, found in runs.items():
        for one, other in zip(found, again[key], strict=True):
            assert all((one[name].recall == other[name].recall).all() for name in FIGURES)


def test_a_run_that_fails_ends_the_benchmark_with_its_last_words(tmp_path: Path) -> None:
    missing = ["train", str(tmp_path / "none.toml"), "--out", str(tmp_path / "out")]
    with pytest.raises(SystemExit, match=r"failed: Error: .*none\.toml: no such recipe"):
        run_trainer(missing, tmp_path / "logs" / "train.txt")


def test_command_wants_subsets_that_grow(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    options = [
        *("--captioned", str(file), "--validation", str(file), "--zero-shot", str(file)),
        *("--teacher", "bundle:x", "--captioner", "labels", "--work", str(tmp_path)),
        *("--subset", "200", "1000", "--subset", "100", "1000"),
    ]
    result = CliRunner().invoke(benchmarks, ["learning-efficiency", *options])
    assert result.exit_code == 2
    assert "more photos each time" in result.output
