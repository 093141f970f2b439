"""TOML tables to frozen dataclasses, strictly: a key that is not known is an error, not a shrug.

    @dataclass(frozen=True, kw_only=True)
    class Run:
        steps: int
        precision: Literal["float32", "bfloat16"] = "bfloat16"

    run = read_table(Run, {"steps": 100}, "recipe.toml: [run]")

A field's type may be bool, int, float, str, a `Literal` of strings, a tuple of one of these (an
array), a dict from str to one of these (a table), or any of them or None. A field that would be
named like a Python keyword ends in an underscore, which the key does not have.
"""

from __future__ import annotations

import dataclasses
import difflib
import types
from collections.abc import Mapping
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")

_NAMES = {bool: "true or false", int: "a whole number", float: "a number", str: "a string"}


def read_table(cls: type[T], table: Mapping[str, Any], where: str) -> T:
    """An instance of dataclass `cls` with the values of `table`.

    Raises `ValueError`, beginning with `where`, that names the key: one that is unknown or missing,
    one whose value has another type, or one that the dataclass itself refuses.
    """
    kinds = keys(cls)
    fields = {key: (field, get_type_hints(cls)[field.name]) for key, field in kinds.items()}
    values = {}
    for key, value in table.items():
        if key not in fields:
            raise ValueError(f"{where} {key}: no such key{_suggest(key, kinds)}")
        field, kind = fields[key]
        values[field.name] = _read(kind, value, f"{where} {key}")
    for key, (field, _) in fields.items():
        needed = field.default is field.default_factory is dataclasses.MISSING
        if needed and key not in table:
            raise ValueError(f"{where} {key}: missing")
    try:
        return cls(**values)
    except ValueError as error:
        raise ValueError(f"{where} {error}") from None


def keys(cls: type) -> dict[str, dataclasses.Field[Any]]:
    """The fields of dataclass `cls` by the key that each has in TOML."""
    return {field.name.rstrip("_"): field for field in dataclasses.fields(cls)}


def write_table(settings: Any) -> dict[str, Any]:
    """What `read_table` makes `settings` of; keys without a value are left out."""
    values = {key: getattr(settings, field.name) for key, field in keys(type(settings)).items()}
    return {
        key: list(value) if isinstance(value, tuple) else value
        for key, value in values.items()
        if value is not None
    }


def _read(kind: Any, value: Any, where: str) -> Any:
    origin, parts = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        (kind,) = (part for part in parts if part is not type(None))
        return _read(kind, value, where)
    if origin is tuple:
        if not isinstance(value, list):
            raise ValueError(f"{where}: must be an array, not {value!r}")
        return tuple(_read(parts[0], item, where) for item in value)
    if origin is dict:
        if not isinstance(value, dict):
            raise ValueError(f"{where}: must be a table, not {value!r}")
        return {key: _read(parts[1], item, f"{where}.{key}") for key, item in value.items()}
    if origin is Literal:
        if value not in parts:
            raise ValueError(f"{where}: must be one of {', '.join(parts)}, not {value!r}")
        return value
    if kind is float and type(value) is int:
        return float(value)
    # Not isinstance: a bool is an int in Python, and no number here.
    if type(value) is not kind:
        raise ValueError(f"{where}: must be {_NAMES[kind]}, not {value!r}")
    return value


def _suggest(key: str, known: Mapping[str, Any]) -> str:
    close = difflib.get_close_matches(key, known, n=1)
    return f"; did you mean {close[0]}?" if close else f"; there are {', '.join(known)}"
