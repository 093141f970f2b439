"""A recipe: everything that decides what a training run gives, in one TOML file.

    recipe = load_recipe("nano-cpu", ["run.steps=500", 'data.train=["shards/*.tar"]'])
    recipe.run.steps                                        # 500

The tables are `[model]`, `[data]`, `[loss]`, `[optimizer]`, `[schedule]` and `[run]`; their keys
are the fields of the dataclasses here and in `trainer.train.settings`. docs/trainer-train.md
explains them. Paths are taken from the folder that the command is given in. A recipe with a `base`
has the keys of that one where it has none of its own.
"""

from __future__ import annotations

import difflib
import glob
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from trainer.data.remote import expanded, is_remote
from trainer.models.config import model_names
from trainer.train.settings import (
    OptimizerSettings,
    RunSettings,
    ScheduleSettings,
    Settings,
    require,
)
from trainer.train.tables import keys, read_table, write_table

_FOLDER = Path(__file__).parents[1] / "recipes"


@dataclass(frozen=True, kw_only=True)
class ModelSettings:
    """The student, and what it starts from.

    name: of a configuration of `trainer.models`, or a JSON file with one.
    init: weights of a whole model, in any layout of `trainer.models.checkpoints`. image_init,
    text_init: weights of one tower, or of a whole model of which that tower is taken; a .tflite
    classifier for the backbone of a Nano image tower; the model.safetensors in the folder of a
    sentence encoder for a text tower that is one. projection_init: weights of that tower's
    projection alone, from `distil projection`, read after image_init.
    freeze: prefixes of parameter names that do not learn; modules under them stay in evaluation
    mode. freeze_batch_norm: prefixes under which batch statistics alone stay as they are.
    """

    name: str
    init: str | None = None
    image_init: str | None = None
    text_init: str | None = None
    projection_init: str | None = None
    freeze: tuple[str, ...] = ()
    freeze_batch_norm: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        names = model_names()
        known = self.name in names or Path(self.name).is_file()
        choice = f"a JSON file or one of {', '.join(names)}, not {self.name!r}"
        require(known, "name", choice)
        alone = self.init is None or (self.image_init is None and self.text_init is None)
        require(alone, "init", "left out where image_init or text_init is given")


@dataclass(frozen=True, kw_only=True)
class DataSettings:
    """What the student is shown.

    train: reinforced shards, published ones, or captioned photo tars; validation: captioned photo
    tars; zero_shot: photo tars with labels, classified by their names, and folders as `evaluate`
    classifies them: of a folder for each class, or in clip_benchmark's form. All may hold
    wildcards. class_names: for folders of classes, a JSON object from folder to name.
    agreement: held-out reinforced shards, to see how near the student comes to the teacher.
    weights: one for each of `train`: photos are then drawn from these by weight, again and again,
    in place of each once in an epoch.
    teacher_dims: widths of the teachers' embeddings, in shards that do not say it.
    stream: read shards from front to back instead of each photo by itself, which URLs among `train`
    always are. shuffle_buffer: photos that each worker draws the next one from then.
    image_size: side in pixels of the student's input; the model's own when not given.
    views, synthetic: how many of the stored views and synthetic captions of a photo are used, from
    the first; all when not given.
    augmentation: "stored" replays the views that the teachers saw; "nudged" replays them cut a
    little, mirrored or in other light each time, see `trainer.train.nudge`; "light" draws crops of
    90 to 100 percent of the photo, as plain CLIP does, which no teacher has seen.
    shuffle_shards: how many shards are mixed with each other in an epoch; 0 mixes all. Fewer keep
    reading close together where shards lie on a slow disk.
    """

    train: tuple[str, ...]
    validation: tuple[str, ...] = ()
    zero_shot: tuple[str, ...] = ()
    agreement: tuple[str, ...] = ()
    class_names: str | None = None
    image_size: int | None = None
    views: int | None = None
    synthetic: int | None = None
    augmentation: Literal["stored", "nudged", "light"] = "stored"
    shuffle_shards: int = 0
    weights: tuple[float, ...] = ()
    teacher_dims: tuple[int, ...] = ()
    stream: bool = False
    shuffle_buffer: int = 1000

    def __post_init__(self) -> None:
        require(bool(self.train), "train", "at least one shard")
        small = self.image_size is not None and self.image_size < 32
        require(not small, "image_size", "at least 32")
        require(self.views is None or self.views >= 1, "views", "at least 1")
        require(self.synthetic is None or self.synthetic >= 1, "synthetic", "at least 1")
        require(self.shuffle_shards >= 0, "shuffle_shards", "at least 0")
        even = len(self.weights) in (0, len(self.train))
        require(even, "weights", f"one for each of the {len(self.train)} of train")
        require(all(weight > 0 for weight in self.weights), "weights", "positive")
        require(all(dim > 0 for dim in self.teacher_dims), "teacher_dims", "positive")
        require(self.shuffle_buffer >= 1, "shuffle_buffer", "at least 1")

    @property
    def streams(self) -> bool:
        """Whether shards are read from front to back."""
        return self.stream or any(map(is_remote, self.train))


@dataclass(frozen=True, kw_only=True)
class LossSettings:
    """MobileCLIP's loss, and extensions of it that are off unless asked for.

    lambda_: weight of distillation against the contrastive loss. contrastive: "softmax", CLIP's, or
    "sigmoid", SigLIP's, which learns a bias, too. captions: the kinds whose losses are added; none
    teaches the image tower alone, by feature and bank.
    teachers: names of the stored teachers to learn from, all when empty. teacher_scale: the factor
    on each one's similarities, in the same order; the teachers' own when empty.
    feature: weight of 1 - cosine to the image embedding of the teachers whose dimension the student
    has. bank: weight of the divergence of an image's similarities to `bank_rows` random rows of the
    text embeddings in `bank_file` (.npy), times `bank_scale`. Neither is in the paper.
    """

    lambda_: float = 1.0
    contrastive: Literal["softmax", "sigmoid"] = "softmax"
    captions: tuple[Literal["real", "synthetic"], ...] = ("real", "synthetic")
    teachers: tuple[str, ...] = ()
    teacher_scale: tuple[float, ...] = ()
    feature: float = 0.0
    bank: float = 0.0
    bank_file: str | None = None
    bank_rows: int = 2048
    bank_scale: float = 30.0

    def __post_init__(self) -> None:
        require(0 <= self.lambda_ <= 1, "lambda", "between 0 and 1")
        weighed = self.contrastive == "softmax" or self.lambda_ < 1
        require(weighed, "lambda", 'below 1 with contrastive = "sigmoid"')
        distinct = len(set(self.captions)) == len(self.captions)
        require(distinct, "captions", '"real", "synthetic" or both')
        positive = all(scale > 0 for scale in self.teacher_scale)
        require(positive, "teacher_scale", "positive")
        require(self.feature >= 0, "feature", "at least 0")
        require(self.bank >= 0, "bank", "at least 0")
        taught = bool(self.captions) or self.feature > 0 or self.bank > 0
        require(taught, "captions", "given unless feature or bank has weight")
        # A bias that nothing teaches would pass for what the model's cosines mean.
        paired = bool(self.captions) or self.contrastive == "softmax"
        require(paired, "contrastive", '"softmax" where captions is empty')
        given = not self.bank or self.bank_file is not None
        require(given, "bank_file", "given where bank has weight")
        require(self.bank_rows >= 2, "bank_rows", "at least 2")
        require(self.bank_scale > 0, "bank_scale", "positive")

    @property
    def needs_teachers(self) -> bool:
        return self.lambda_ > 0 or self.feature > 0 or self.bank > 0


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A whole recipe; `origin` names the file it came from, for messages."""

    origin: str
    model: ModelSettings
    data: DataSettings
    loss: LossSettings = field(default_factory=LossSettings)
    optimizer: OptimizerSettings = field(default_factory=OptimizerSettings)
    schedule: ScheduleSettings = field(default_factory=ScheduleSettings)
    run: RunSettings

    def __post_init__(self) -> None:
        if self.loss.needs_teachers and self.data.augmentation == "light":
            raise ValueError(
                f'{self.origin}: [data] augmentation: must be "stored" or "nudged" where teachers '
                "are learned from: they have embedded no other views"
            )
        if not self.loss.captions and not self.text_locked:
            raise ValueError(
                f'{self.origin}: [model] freeze: must hold "text." where [loss] captions is empty: '
                "nothing teaches the text tower"
            )

    @property
    def text_locked(self) -> bool:
        """Whether nothing of the text tower learns."""
        return any("text.".startswith(prefix) for prefix in self.model.freeze)

    @property
    def settings(self) -> Settings:
        """The part of it that is for the training loop."""
        return Settings(run=self.run, optimizer=self.optimizer, schedule=self.schedule)

    def about(self) -> dict[str, Any]:
        """The rest of it, as tables: what a resumed run must agree with."""
        return {name: write_table(getattr(self, name)) for name in ("model", "data", "loss")}

    def train_groups(self) -> list[list[str]]:
        """The shards of each of `data.train`, paths and URLs; what several name is the first one's.

        Raises `ValueError` naming the key when there are none.
        """
        groups: list[list[str]] = []
        for pattern in self.data.train:
            if is_remote(pattern):
                found = expanded(pattern)
            else:
                found = list(map(str, self._files("train", [pattern])))
            seen = {shard for group in groups for shard in group}
            group = [shard for shard in found if shard not in seen]
            if not group and self.data.weights:
                raise ValueError(
                    f"{self.origin}: [data] train: {pattern} names no shard of its own to weigh"
                )
            groups.append(group)
        return groups

    def validation_files(self) -> list[Path]:
        """The tars to validate on. Raises `ValueError` naming the key when one is not there."""
        return self._files("validation", self.data.validation)

    def zero_shot_files(self) -> list[Path]:
        """The tars and folders to classify; raises `ValueError` as `validation_files` does."""
        return self._files("zero_shot", self.data.zero_shot)

    def agreement_files(self) -> list[Path]:
        """The held-out shards; raises `ValueError` as `validation_files` does."""
        return self._files("agreement", self.data.agreement)

    def check_files(self) -> None:
        """Raise `ValueError` naming the key of the first file that is not there."""
        self.train_groups()
        self.validation_files()
        self.zero_shot_files()
        self.agreement_files()
        model, loss = self.model, self.loss
        for section, key, path in (
            ("model", "init", model.init),
            ("model", "image_init", model.image_init),
            ("model", "text_init", model.text_init),
            ("model", "projection_init", model.projection_init),
            ("loss", "bank_file", loss.bank_file),
            ("data", "class_names", self.data.class_names),
        ):
            if path is not None and not Path(path).is_file():
                raise ValueError(f"{self.origin}: [{section}] {key}: no such file as {path}")

    def _files(self, key: str, patterns: Iterable[str]) -> list[Path]:
        found: list[Path] = []
        for pattern in patterns:
            matches = sorted(glob.glob(pattern))
            if not matches:
                raise ValueError(f"{self.origin}: [data] {key}: no such file as {pattern}")
            found += map(Path, matches)
        return list(dict.fromkeys(found))


_SECTIONS: dict[str, type] = {
    "model": ModelSettings,
    "data": DataSettings,
    "loss": LossSettings,
    "optimizer": OptimizerSettings,
    "schedule": ScheduleSettings,
    "run": RunSettings,
}


def recipe_names() -> list[str]:
    """The recipes that come with the trainer."""
    return sorted(file.stem for file in _FOLDER.glob("*.toml"))


def load_recipe(recipe: str | Path, overrides: Sequence[str] = ()) -> Recipe:
    """The recipe in a file, or one that comes with the trainer by its name.

    `overrides` are `SECTION.KEY=VALUE`, with the value as in TOML; a string needs no quotes.

    Raises `ValueError` that names the file, the section and the key: of a key that is unknown or
    missing, or a value of the wrong type or out of its range. Whether the files that it names are
    there is up to `check_files`.
    """
    tables = _tables(recipe)
    origin = str(recipe)
    for override in overrides:
        _override(tables, override)
    for name, table in tables.items():
        if name not in _SECTIONS:
            raise ValueError(f"{origin}: [{name}]: no such table; there are {', '.join(_SECTIONS)}")
        if not isinstance(table, dict):
            raise ValueError(f"{origin}: {name}: must be a table")
    sections: dict[str, Any] = {
        name: read_table(section, tables.get(name, {}), f"{origin}: [{name}]")
        for name, section in _SECTIONS.items()
    }
    return Recipe(origin=origin, **sections)


def _tables(recipe: str | Path, above: tuple[str, ...] = ()) -> dict[str, Any]:
    """The tables in the file of a recipe, laid over those of its `base`."""
    path = Path(recipe)
    if not path.is_file() and str(recipe) in recipe_names():
        path = _FOLDER / f"{recipe}.toml"
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise ValueError(
            f"{recipe}: no such recipe; give a file, or one of {', '.join(recipe_names())}"
        ) from None
    except ValueError as error:
        raise ValueError(f"{recipe}: not TOML ({error})") from None
    base = tables.pop("base", None)
    if base is None:
        return tables
    if not isinstance(base, str):
        raise ValueError(f"{recipe}: base: must be the name or the file of a recipe")
    if base in above:
        raise ValueError(f"{recipe}: base: {base} is based on this one")
    below = _tables(base, (*above, str(recipe)))
    return below | {
        name: below.get(name, {}) | table if isinstance(table, dict) else table
        for name, table in tables.items()
    }


def _override(tables: dict[str, Any], override: str) -> None:
    name, equals, text = override.partition("=")
    section, dot, key = name.strip().partition(".")
    known = [f"{table}.{one}" for table, kind in _SECTIONS.items() for one in keys(kind)]
    if not equals or not dot or f"{section}.{key.strip()}" not in known:
        # Somebody may have left out the table, or have misspelt either.
        wanted = name.strip() if dot else f".{name.strip()}"
        close = [one for one in known if one.endswith(wanted)]
        close += difflib.get_close_matches(wanted, known, n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise ValueError(
            f"--set {override}: must be SECTION.KEY=VALUE with a key of one of the tables "
            f"{', '.join(_SECTIONS)}{hint}"
        )
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text
    tables.setdefault(section, {})[key.strip()] = value
