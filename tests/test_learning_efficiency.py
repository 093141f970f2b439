"""The benchmark of learning efficiency: what it computes, and the ladder by tiny real students."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner
from optional import module
from train_data import write_model, write_shards, write_validation

from benchmarks.__main__ import main as benchmarks
from benchmarks.efficiency import Curve, Factors, at, factor, spread
from benchmarks.ladder import (
    LADDER,
    Budget,
    Materials,
    Student,
    climb,
    prepare,
    recipe,
    run_folder,
    run_trainer,
    write_toml,
)
from benchmarks.learning_efficiency import factor_table, page, plot, recall_table
from trainer.cli import main as trainer
from trainer.data.reinforced import manifest_path, read_manifest
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


def test_recall_between_and_beyond_evaluations() -> None:
    curves = [curve(0.0, 0.2), curve(0.0, 0.4, 0.5)]
    middle = at(curves, 50)
    assert middle is not None
    assert middle.tolist() == pytest.approx([0.1, 0.2])
    assert at(curves, 150) is None
    assert spread(middle) == "15.0 (10.0-20.0)"


def made_up() -> dict[str, list[Curve]]:
    """Two seeds; plain reaches its best of 0.4 after 400 images, the last rung after 100."""
    plain = [curve(0.0, 0.1, 0.2, 0.3, 0.4), curve(0.0, 0.1, 0.2, 0.3, 0.4)]
    found = {rung.key: [curve(0.0, 0.2, 0.3)] * 2 for rung in LADDER}
    return found | {"clip": plain, "ensemble": [curve(0.0, 0.4, 0.6), curve(0.0, 0.5, 0.6)]}


SMALL = Budget(plain=400, others=200, batch=50, seeds=2, evaluate_steps=2, warmup=2)


def rows(table: str) -> dict[str, list[str]]:
    cells = [[cell.strip() for cell in row.split("|")[1:-1]] for row in table.splitlines()[2:]]
    return {name: values for name, *values in cells}


def test_tables_have_a_row_for_each_rung() -> None:
    found = rows(factor_table(made_up()))
    assert list(found) == [rung.label for rung in LADDER]
    assert found["CLIP"] == ["400", "40.0 (40.0-40.0)", "1", "1"]
    last = found["+ ensemble of two teachers"]
    assert last == ["200", "60.0 (60.0-60.0)", "4.5 (4.0-5.0)", "4.5 (4.0-5.0)"]
    assert found["+ distillation"][2] == "not reached"
    recall = rows(recall_table(made_up(), SMALL))
    assert recall["CLIP"] == ["10.0 (10.0-10.0)", "20.0 (20.0-20.0)", "40.0 (40.0-40.0)"]
    assert recall["+ distillation"] == ["20.0 (20.0-20.0)", "30.0 (30.0-30.0)", ""]


def test_page_and_plot_state_the_factor(tmp_path: Path) -> None:
    module("matplotlib")
    text = page(made_up(), SMALL, "a machine")
    assert "the whole of the ladder **4.5 (4.0-5.0)** times" in text
    assert "$" not in text
    for name in ("a.svg", "b.svg"):
        plot(made_up(), tmp_path / name)
    drawn = (tmp_path / "a.svg").read_bytes()
    assert drawn == (tmp_path / "b.svg").read_bytes()
    assert len(drawn) < 100_000
    words = {"".join(node.itertext()).strip() for node in ElementTree.fromstring(drawn).iter()}
    assert {rung.label for rung in LADDER} <= words


@pytest.fixture
def materials(tmp_path: Path) -> Materials:
    """A tiny student of the shards that `write_shards` makes; the classifiers are not there."""
    return Materials(
        captioned=tmp_path / "train.tar",
        teaching=tmp_path / "more.tar",
        validation=write_validation(tmp_path / "validation" / "photos.tar"),
        classifiers=(tmp_path / "a.tflite", tmp_path / "b.tflite"),
        class_names=tmp_path / "names.json",
        captioner="labels",
        student=Student(model={"name": str(write_model(tmp_path / "s.json"))}, image_size=32),
    )


def test_recipes_differ_in_what_their_rungs_are_named_after(
    materials: Materials, tmp_path: Path
) -> None:
    found = []
    for rung in LADDER:
        path = tmp_path / f"{rung.key}.toml"
        write_toml(path, recipe(materials, tmp_path, rung, 3, SMALL))
        found.append(load_recipe(path))
    plain, captions, distilled, strong, ensemble = found
    real, both = ("real",), ("real", "synthetic")
    assert [one.loss.lambda_ for one in found] == [0, 0, 1, 1, 1]
    assert [one.loss.captions for one in found] == [real, both, both, both, both]
    assert plain.data.augmentation == captions.data.augmentation == "light"
    assert {one.data.augmentation for one in (distilled, strong, ensemble)} == {"stored"}
    assert [Path(one.data.train[0]).parent.name for one in found] == ["light"] * 3 + ["strong"] * 2
    assert [one.loss.teachers for one in found] == [(), (), (), ("bootstrap",), ()]
    assert [one.run.steps for one in found] == [8, 4, 4, 4, 4]
    for one in found:
        assert one.model == plain.model
        assert one.optimizer == plain.optimizer
        assert one.schedule == plain.schedule
        assert replace(one.run, steps=8) == plain.run
        # Constant: where a curve stands does not depend on the length of its run.
        assert one.schedule.final_rate == one.optimizer.learning_rate


def test_nano_starts_from_weights_and_names_layers_that_it_has(tmp_path: Path) -> None:
    from trainer.models.config import load_config
    from trainer.models.family import build_from

    student = Student.nano(tmp_path / "net.tflite", tmp_path / "text.safetensors")
    names = [name for name, _ in build_from(load_config("MobileCLIP-Nano")).named_parameters()]
    for prefix in (*student.model["freeze"], *student.model["freeze_batch_norm"], *student.rates):
        assert any(name.startswith(prefix) for name in names), prefix
    assert {"visual.projection.0.weight", "visual.backbone.blocks.4.0.conv_pw.weight"} <= set(names)
    assert not "visual.backbone.blocks.4.0".startswith(tuple(student.model["freeze"]))


def test_preparation_gives_commands_that_the_trainer_takes(
    materials: Materials, tmp_path: Path
) -> None:
    for path in (
        materials.captioned,
        materials.teaching,
        *materials.classifiers,
        materials.class_names,
    ):
        path.touch()
    (tmp_path / "teacher-0").mkdir()
    (tmp_path / "teacher-0" / "teacher.json").touch()  # taught before
    given: dict[str, dict[str, object]] = {}

    def note(arguments: Sequence[str], log: Path) -> None:
        name, *rest = arguments
        found = trainer.get_command(click.Context(trainer), name)
        assert found is not None
        given[log.stem] = found.make_context(name, list(rest)).params

    prepare(materials, tmp_path, trainer=note)
    assert set(given) == {"teach-1", "reinforce-light", "reinforce-strong"}
    taught = given["teach-1"]
    assert taught["classifiers"] == (materials.classifiers[1],)
    assert taught["captioned"] == (materials.teaching,)
    light, strong = given["reinforce-light"], given["reinforce-strong"]
    assert (light["crop_scale"], light["randaugment_ops"]) == ((0.9, 1.0), 0)
    assert (strong["crop_scale"], strong["randaugment_ops"]) == ((0.08, 1.0), 2)
    both = [f"bootstrap:{tmp_path / f'teacher-{n}'}:{materials.classifiers[n]}" for n in (0, 1)]
    assert (light["teachers"], strong["teachers"]) == ((both[0],), tuple(both))
    assert light["inputs"] == strong["inputs"] == (materials.captioned,)
    assert light["out"] != strong["out"]


def in_this_process(arguments: Sequence[str], log: Path) -> None:
    result = CliRunner().invoke(trainer, list(arguments))
    assert result.exit_code == 0, result.output
    log.parent.mkdir(exist_ok=True)
    log.write_text(result.output, encoding="utf-8")


def rename_teachers(tar: Path, *names: str) -> None:
    """Give the stored teachers other names."""
    path, manifest = manifest_path(tar), read_manifest(tar)
    text = path.read_text(encoding="utf-8")
    for teacher, name in zip(manifest.teachers, names, strict=True):
        text = text.replace(f'"{teacher.name}"', f'"{name}"')
    path.write_text(text, encoding="utf-8")


def test_real_students_climb_the_ladder_once(materials: Materials, tmp_path: Path) -> None:
    (tmp_path / "shards").mkdir()
    written = write_shards(tmp_path / "made")
    for kind in ("light", "strong"):
        (tmp_path / "shards" / kind).mkdir()
        for tar in sorted(written.glob("*.tar")):
            copied = tmp_path / "shards" / kind / tar.name
            copied.write_bytes(tar.read_bytes())
            manifest_path(copied).write_bytes(manifest_path(tar).read_bytes())
            rename_teachers(copied, "bootstrap", "bootstrap 2")
    tiny = Budget(plain=32, others=16, batch=8, seeds=2, evaluate_steps=1, warmup=1)
    ran: list[str] = []

    def counted(arguments: Sequence[str], log: Path) -> None:
        ran.append(log.stem)
        in_this_process(arguments, log)

    curves = climb(materials, tmp_path, tiny, jobs=1, trainer=counted)
    assert ran == [f"{rung.key}-{seed}" for seed in (0, 1) for rung in LADDER]
    assert [found.images.tolist() for found in curves["clip"]] == [[0, 8, 16, 24, 32]] * 2
    for found in curves.values():
        for one in found:
            assert one.images[-1] in (16, 32)
            assert ((one.recall >= 0) & (one.recall <= 1)).all()
    weights = {
        (rung.key, seed): (run_folder(tmp_path, rung, seed) / "model.safetensors").read_bytes()
        for rung in LADDER
        for seed in (0, 1)
    }
    assert len(set(weights.values())) == len(weights), "two rungs or seeds trained the same"

    (run_folder(tmp_path, LADDER[2], 1) / "model.safetensors").unlink()
    again = climb(materials, tmp_path, tiny, jobs=1, trainer=counted)
    assert ran[len(weights) :] == ["distillation-1"]
    for key, found in curves.items():
        for one, other in zip(found, again[key], strict=True):
            assert (one.images == other.images).all()
            assert (one.recall == other.recall).all()


def test_a_run_that_fails_ends_the_benchmark_with_its_last_words(tmp_path: Path) -> None:
    missing = ["train", str(tmp_path / "none.toml"), "--out", str(tmp_path / "out")]
    with pytest.raises(SystemExit, match=r"failed: Error: .*none\.toml: no such recipe"):
        run_trainer(missing, tmp_path / "logs" / "train.txt")


def test_command_wants_two_classifiers(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    names = ("captioned", "validation", "classifier", "class-names", "text-init", "work")
    options = [
        word for name in names for word in (f"--{name}", str(tmp_path if name == "work" else file))
    ]
    result = CliRunner().invoke(benchmarks, ["learning-efficiency", *options])
    assert result.exit_code == 2
    assert "give --classifier twice" in result.output
