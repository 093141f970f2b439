"""The model card: README.md of a bundle.

    said = read_card(Path("card.toml"), records)
    card = render_card(said.fields)

Every statement and number is passed in; this module only gives them one order and one form, and
refuses a card that leaves out what a reader must know.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from trainer.evaluate.measures import Measure, markdown


@dataclass(frozen=True)
class DataSource:
    """Data that the model learned from: its amount, such as "6,091 photos", and its licence."""

    name: str
    amount: str
    use: str
    licence: str


@dataclass(frozen=True)
class TeacherModel:
    """A frozen network that the model learned from."""

    name: str
    role: str
    licence: str


@dataclass(frozen=True, kw_only=True)
class CardFields:
    """What a card says. Lists hold one sentence or paragraph an item, in Markdown.

    details: rows of the table at the top, such as {"Embedding": "384 numbers"}; measures: empty for
    a model that was not evaluated, which the card then says. languages: codes of those that texts
    may be in; a bundle that does not say is taken for English only if its tokenizer is CLIP's.
    """

    name: str
    version: str
    summary: str
    details: Mapping[str, str]
    intended_use: Sequence[str]
    not_for: Sequence[str]
    training: Sequence[str]
    data: Sequence[DataSource]
    teachers: Sequence[TeacherModel]
    weaknesses: Sequence[str]
    licence: str
    measures: Sequence[Measure] = ()
    languages: Sequence[str] = ()

    def provenance(self) -> dict[str, Any]:
        """What bundle.json says of how the model was made."""
        return {
            "training": list(self.training),
            "data": [asdict(source) for source in self.data],
        }


@dataclass(frozen=True)
class CardFile:
    """A card's text as a file holds it, and the model's factor on cosines when it stands there."""

    fields: CardFields
    logit_scale: float | None


def read_card(
    path: Path,
    records: Sequence[dict[str, Any]] = (),
    known: Mapping[str, Any] | None = None,
) -> CardFile:
    """The card in a TOML or .json file: the keys of `CardFields` but measures, and `logit_scale`.

    `records` are the measures, as bundle.json's "metrics" holds them; `known` what the fields say
    that the file leaves out.

    Raises `ValueError` naming the file and what is missing or unknown in it.
    """
    measures = [Measure.from_record(record) for record in records]
    try:
        parse = json.loads if path.suffix == ".json" else tomllib.loads
        said = {**(known or {}), **parse(path.read_text(encoding="utf-8"))}
        logit_scale = said.pop("logit_scale", None)
        said["data"] = [DataSource(**source) for source in said["data"]]
        said["teachers"] = [TeacherModel(**teacher) for teacher in said["teachers"]]
        fields = CardFields(**said | {"measures": measures})
        return CardFile(fields, None if logit_scale is None else float(logit_scale))
    except KeyError as error:
        raise ValueError(f"{path}: says nothing under {error}") from None
    except (TypeError, ValueError) as error:  # also of TOML that cannot be read
        raise ValueError(f"{path}: {error}") from None


def render_card(fields: CardFields) -> str:
    """The card as Markdown. Raises `ValueError` naming the fields that are empty."""
    needed = (
        name for name in CardFields.__dataclass_fields__ if name not in ("measures", "languages")
    )
    empty = [name for name in needed if not getattr(fields, name)]
    if empty:
        raise ValueError(f"model card: say something under {', '.join(empty)}")
    sections = {
        "Intended use": _bullets(fields.intended_use),
        "Not for": _bullets(fields.not_for),
        "How it was trained": "\n\n".join(fields.training),
        "Training data": _table(
            ("Data", "Amount", "Used for", "Licence"),
            [(source.name, source.amount, source.use, source.licence) for source in fields.data],
        ),
        "Teachers": _table(
            ("Teacher", "Role", "Licence"),
            [(teacher.name, teacher.role, teacher.licence) for teacher in fields.teachers],
        ),
        "Measured quality": _quality(fields.measures),
        "Known weaknesses": _bullets(fields.weaknesses),
        "Licence": fields.licence,
    }
    top = [
        f"# {fields.name} {fields.version}",
        fields.summary,
        _table(("Property", "Value"), list(fields.details.items())),
    ]
    return "\n\n".join([*top, *(f"## {name}\n\n{text}" for name, text in sections.items())]) + "\n"


def _quality(measures: Sequence[Measure]) -> str:
    if not measures:
        return "Not measured: nothing is claimed about its quality."
    how = (
        "R@k is the share of queries with a right answer among the first k. A larger gallery is "
        "harder, so figures compare only at one gallery size; chance is what random ranking would "
        "reach there. Ties count as wrong. Retrieval intervals come from resampling photos, each "
        "with all its captions."
    )
    return f"{how}\n\n{markdown(measures).rstrip()}"


def _bullets(items: Sequence[str]) -> str:
    return "\n".join(f"- {item}" for item in items)


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    def line(cells: Sequence[str]) -> str:
        # A bar or a line break inside a cell would end it.
        plain = (" ".join(cell.split()).replace("|", "\\|") for cell in cells)
        return f"| {' | '.join(plain)} |"

    return "\n".join([line(headings), f"|{' --- |' * len(headings)}", *map(line, rows)])
