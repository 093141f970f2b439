"""Recipes: strict about what they say, and those that come with the trainer are sound."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from trainer.models.config import config_file, load_config
from trainer.models.nano_image import BACKBONES, NanoImageTower
from trainer.models.sentence_tower import SentenceTower
from trainer.models.state import write_state
from trainer.train.optimizer import build_optimizer, rate
from trainer.train.recipe import Recipe, load_recipe, recipe_names
from trainer.train.student import build_student, load_first_weights, student_config

SMALL = """
[model]
name = "MobileCLIP-Nano"
[data]
train = ["shards/*.tar"]
[run]
steps = 10
batch = 4
"""


def recipe_file(folder: Path, text: str = SMALL) -> Path:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_there_is_a_recipe_for_each_promise() -> None:
    assert recipe_names() == [
        "finetune",
        "mobileclip-b", "mobileclip-s0", "mobileclip-s1", "mobileclip-s2", "mobileclip-s3",
        "mobileclip-s4", "mobileclip2-b", "mobileclip2-l-14", "mobileclip2-s0", "mobileclip2-s2",
        "mobileclip2-s3", "mobileclip2-s4", "nano-cpu", "nano-image", "personal", "s0-one-gpu",
        "vit-b-16",
    ]  # fmt: skip


@pytest.mark.parametrize("name", [name for name in recipe_names() if "clip2" in name])
def test_recipes_of_the_second_generation_are_the_papers(name: str) -> None:
    """arXiv 2508.20691."""
    recipe = load_recipe(name)
    assert recipe.model.name.lower() == name
    assert recipe.run.batch * recipe.run.steps == 13_107_200_000
    assert (recipe.loss.lambda_, recipe.loss.teacher_scale) == (1.0, (70.0, 60.0))
    assert recipe.optimizer == load_recipe("mobileclip-s0").optimizer


def test_a_recipe_may_be_based_on_another(tmp_path: Path) -> None:
    path = recipe_file(tmp_path, 'base = "mobileclip-b"\n[run]\nsteps = 7\n[loss]\nlambda = 0.1')
    recipe = load_recipe(path, ["run.batch=64"])
    assert (recipe.run.steps, recipe.run.batch, recipe.run.workers) == (7, 64, 8)
    assert (recipe.loss.lambda_, recipe.model.name) == (0.1, "MobileCLIP-B")
    with pytest.raises(ValueError, match=r"mine\.toml: base: must be the name or the file"):
        load_recipe(recipe_file(tmp_path, "base = 3"))
    with pytest.raises(ValueError, match=r"mine\.toml: base: .*mine\.toml is based on this one"):
        load_recipe(recipe_file(tmp_path, f'base = "{path}"'))
    with pytest.raises(ValueError, match="nothing: no such recipe"):
        load_recipe(recipe_file(tmp_path, 'base = "nothing"'))


# Networks are what takes long, and those of the second generation are built elsewhere.
@pytest.mark.parametrize("name", [n for n in recipe_names() if "clip2" not in n or "s4" in n])
def test_packaged_recipes_build_their_models(name: str) -> None:
    recipe = load_recipe(name)
    with torch.device("meta"):
        model = build_student(recipe)
    optimizer = build_optimizer(model, recipe.optimizer)
    trained = sum(p.numel() for group in optimizer.param_groups for p in group["params"])
    learning = [p for n, p in model.named_parameters() if not n.startswith(recipe.model.freeze)]
    assert trained == sum(p.numel() for p in learning)
    size = student_config(recipe).image.size
    assert size == (recipe.data.image_size or load_config(recipe.model.name).image.size)
    run, peak = recipe.run, recipe.optimizer.learning_rate
    assert rate(run.steps, run.steps, peak, recipe.schedule) == recipe.schedule.final_rate


@pytest.mark.parametrize("name", ["mobileclip-s0", "mobileclip-s2", "mobileclip-b", "vit-b-16"])
def test_cluster_recipes_are_the_papers(name: str) -> None:
    """arXiv 2311.17049, with DataCompDR-12M."""
    recipe = load_recipe(name)
    assert (recipe.run.batch, recipe.run.steps, recipe.run.ema) == (8192, 30_000, 0.9995)
    optimizer = recipe.optimizer
    assert (optimizer.learning_rate, optimizer.weight_decay) == (1e-3, 0.2)
    assert (optimizer.beta1, optimizer.beta2, optimizer.clip) == (0.9, 0.95, 1.0)
    assert (recipe.schedule.warmup, recipe.schedule.final_rate) == (1000, 1e-6)
    assert recipe.loss.lambda_ == (0.75 if name == "mobileclip-b" else 1.0)
    assert set(recipe.loss.captions) == {"real", "synthetic"}
    assert recipe.loss.feature == recipe.loss.bank == 0, "extensions are not in the paper"


def test_extensions_are_off_unless_asked_for(tmp_path: Path) -> None:
    recipe = load_recipe(recipe_file(tmp_path))
    assert (recipe.loss.feature, recipe.loss.bank) == (0, 0)
    assert recipe.loss.lambda_ == 1


def test_overrides_replace_and_add_keys(tmp_path: Path) -> None:
    recipe = load_recipe(
        recipe_file(tmp_path),
        [
            "run.steps=20",
            "loss.lambda=0.7",
            'data.train=["a.tar", "b.tar"]',
            "model.name=MobileCLIP-S0",
            'optimizer.rates={"visual." = 0.1}',
            "optimizer.learning_rate = 1",
        ],
    )
    assert recipe.run.steps == 20
    assert recipe.loss.lambda_ == 0.7
    assert recipe.data.train == ("a.tar", "b.tar")
    assert recipe.model.name == "MobileCLIP-S0"
    assert recipe.optimizer.rates == {"visual.": 0.1}
    assert recipe.optimizer.learning_rate == 1.0


def test_the_image_tower_is_taught_alone_only_beside_a_text_tower_that_stays(
    tmp_path: Path,
) -> None:
    path = recipe_file(tmp_path)
    alone = ["loss.captions=[]", "loss.feature=1.0", "data.augmentation=nudged"]
    with pytest.raises(
        ValueError, match=r"mine\.toml: \[model\] freeze: must hold \"text\.\" where"
    ):
        load_recipe(path, [*alone, 'model.freeze=["text.layers."]'])
    recipe = load_recipe(path, [*alone, 'model.freeze=["text."]'])
    assert recipe.loss.captions == ()
    sigmoid = ["loss.lambda=0", "loss.contrastive=sigmoid", 'model.freeze=["text."]']
    with pytest.raises(
        ValueError, match=r"\[loss\] contrastive: must be \"softmax\" where captions"
    ):
        load_recipe(path, [*alone, *sigmoid])


def test_nano_image_learns_from_what_the_teacher_said_of_nudged_views() -> None:
    recipe = load_recipe("nano-image")
    assert recipe.loss.captions == ()
    assert (recipe.loss.feature, recipe.loss.bank, recipe.loss.bank_scale) == (2.0, 0.5, 30.0)
    assert recipe.data.augmentation == "nudged"


@pytest.mark.parametrize("backbone", BACKBONES)
def test_a_file_may_name_another_backbone_beside_a_sentence_encoder(
    tmp_path: Path, backbone: str
) -> None:
    fields = json.loads(config_file("MobileCLIP-Nano").read_text(encoding="utf-8"))
    fields["image"]["tower"] = backbone
    fields["text"] = json.loads(config_file("MobileCLIP-Small").read_text("utf-8"))["text"]
    model = tmp_path / "mine.json"
    model.write_text(json.dumps(fields), encoding="utf-8")
    with torch.device("meta"):
        student = build_student(load_recipe("nano-image", [f"model.name={model}"]))
        assert student.eval().encode_image(torch.zeros(1, 3, 64, 64)).shape == (1, 384)
    assert isinstance(student.text, SentenceTower)


def test_recipes_cannot_be_changed(tmp_path: Path) -> None:
    recipe = load_recipe(recipe_file(tmp_path))
    with pytest.raises(AttributeError):
        recipe.run.steps = 5  # type: ignore[misc]


ERRORS = {
    "run.stepz=5": r"--set run.stepz=5: must be SECTION.KEY=VALUE.*; did you mean run.steps\?",
    "steps=5": r"--set steps=5: must be SECTION.KEY=VALUE.*; did you mean run.steps\?",
    "optimiser.clip=5": r"SECTION.KEY=VALUE.*; did you mean optimizer.clip\?",
    "run.steps": "--set run.steps: must be SECTION.KEY=VALUE",
    "run.steps=many": r"mine.toml: \[run\] steps: must be a whole number, not 'many'",
    "run.steps=1.5": r"mine.toml: \[run\] steps: must be a whole number, not 1.5",
    "run.steps=true": r"mine.toml: \[run\] steps: must be a whole number, not True",
    "run.steps=0": r"mine.toml: \[run\] steps: must be at least 1",
    "run.batch=1": r"mine.toml: \[run\] batch: must be at least 2",
    "run.precision=half": r"mine.toml: \[run\] precision: must be one of auto, float32, bfloat16",
    "run.ema=1": r"mine.toml: \[run\] ema: must be at least 0 and below 1",
    "model.name=MobileCLIP-S9": r"mine.toml: \[model\] name: must be a JSON file or one of",
    "model.freeze=text.": r"mine.toml: \[model\] freeze: must be an array, not 'text.'",
    "model.freeze=[1]": r"mine.toml: \[model\] freeze: must be a string, not 1",
    "data.train=[]": r"mine.toml: \[data\] train: must be at least one shard",
    "data.image_size=8": r"mine.toml: \[data\] image_size: must be at least 32",
    "loss.lambda=1.1": r"mine.toml: \[loss\] lambda: must be between 0 and 1",
    "loss.contrastive=sigmoid": r"\[loss\] lambda: must be below 1 with contrastive = \"sigmoid\"",
    'loss.captions=["real", "real"]': r"mine.toml: \[loss\] captions: must be",
    "loss.captions=[]": r"\[loss\] captions: must be given unless feature or bank has weight",
    'loss.captions=["fake"]': r"\[loss\] captions: must be one of real, synthetic, not 'fake'",
    "loss.bank=1": r"mine.toml: \[loss\] bank_file: must be given where bank has weight",
    "loss.teacher_scale=[0.0]": r"mine.toml: \[loss\] teacher_scale: must be positive",
    "optimizer.rates=1": r"mine.toml: \[optimizer\] rates: must be a table, not 1",
    'optimizer.rates={"a" = "b"}': r"\[optimizer\] rates.a: must be a number, not 'b'",
    "schedule.warmup=-1": r"mine.toml: \[schedule\] warmup: must be at least 0",
}


@pytest.mark.parametrize("override", ERRORS)
def test_errors_name_the_file_and_the_key(tmp_path: Path, override: str) -> None:
    with pytest.raises(ValueError, match=ERRORS[override]):
        load_recipe(recipe_file(tmp_path), [override])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (SMALL + "stpes = 3", r"mine.toml: \[run\] stpes: no such key; did you mean steps\?"),
        (SMALL + "[runs]", r"mine.toml: \[runs\]: no such table; there are model, data"),
        ("run = 3\n" + SMALL.replace("[run]", "[loss]"), "mine.toml: run: must be a table"),
        (SMALL.replace("batch = 4", ""), r"mine.toml: \[run\] batch: missing"),
        (SMALL.replace("[data]", "[loss]"), r"mine.toml: \[data\] train: missing"),
        (SMALL + "steps = ", "mine.toml: not TOML"),
    ],
)
def test_a_faulty_file_is_explained(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        load_recipe(recipe_file(tmp_path, text))


def test_a_recipe_that_is_not_there_lists_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"none\.toml: no such recipe; .* mobileclip-b,"):
        load_recipe(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("override", "key"),
    [
        ("data.validation=['val.tar']", r"\[data\] validation: no such file as val.tar"),
        ("data.agreement=['held.tar']", r"\[data\] agreement: no such file as held.tar"),
        ("model.init=w.pt", r"\[model\] init: no such file as w.pt"),
        ("model.image_init=w.pt", r"\[model\] image_init: no such file as w.pt"),
        ("model.text_init=w.pt", r"\[model\] text_init: no such file as w.pt"),
        ("loss.bank_file=bank.npy", r"\[loss\] bank_file: no such file as bank.npy"),
    ],
)
def test_missing_files_are_named_with_their_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, override: str, key: str
) -> None:
    monkeypatch.chdir(tmp_path)
    path = recipe_file(tmp_path)
    with pytest.raises(ValueError, match=r"mine.toml: \[data\] train: no such file as shards/"):
        load_recipe(path).check_files()
    Path("shards").mkdir()
    for name in ("b.tar", "a.tar"):
        Path("shards", name).touch()
    recipe = load_recipe(path)
    recipe.check_files()
    assert [Path(file).name for group in recipe.train_groups() for file in group] == [
        "a.tar",
        "b.tar",
    ]
    with pytest.raises(ValueError, match=f"mine.toml: {key}"):
        load_recipe(path, [override]).check_files()


def test_nano_takes_a_smaller_image(tmp_path: Path) -> None:
    recipe: Recipe = load_recipe(recipe_file(tmp_path), ["data.image_size=64"])
    model = build_student(recipe).eval()
    assert model.encode_image(torch.zeros(1, 3, 64, 64)).shape == (1, 384)


def test_what_distil_image_wrote_is_taken_as_an_image_tower(tmp_path: Path) -> None:
    """By versions before it became a recipe: the averaged tower by itself, without a prefix."""
    weights = tmp_path / "model.safetensors"
    torch.manual_seed(7)
    old = {name: value.clone() for name, value in NanoImageTower().state_dict().items()}
    write_state(old, weights)
    settings = ["data.image_size=64", f"model.image_init={weights}"]
    recipe = load_recipe(recipe_file(tmp_path), settings)
    model = build_student(recipe)
    load_first_weights(model, recipe)
    for name, value in model.visual.state_dict().items():
        assert torch.equal(value, old[name]), name


def test_projection_is_read_after_the_tower(tmp_path: Path) -> None:
    weights = tmp_path / "projection.safetensors"
    settings = ["data.image_size=64", f"model.projection_init={weights}"]
    recipe = load_recipe(recipe_file(tmp_path), settings)
    model = build_student(recipe)
    towers = {name: value.clone() for name, value in model.visual.state_dict().items()}
    taught = {n: torch.full_like(v, 0.5) for n, v in towers.items() if n.startswith("projection.")}
    write_state(taught, weights)
    load_first_weights(model, recipe)
    for name, value in model.visual.state_dict().items():
        assert torch.equal(value, taught.get(name, towers[name])), name
    write_state({"projection.0.weight": torch.zeros(2, 2)}, weights)
    with pytest.raises(ValueError, match=r"projection\.safetensors: not the weights of this"):
        load_first_weights(model, recipe)
