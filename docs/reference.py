"""Writes what the commands say of themselves into the pages here: python docs/reference.py.

A page holds a block for each command that it describes, between two comments that no reader sees:

    <!-- reference: photosearch index -->
    <!-- /reference -->

What is between them is written anew, and the rest of the page is left alone. The block of
`photosearch-trainer ...` holds each command of the trainer, with its heading and its description.

A table of all settings stands between `<!-- settings -->` and `<!-- /settings -->`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from importlib import import_module
from inspect import cleandoc
from pathlib import Path

import click

from photosearch.settings import SETTINGS

PAGES = Path(__file__).parent
# Imported only for a page that has them: what photosearch says of itself needs no trainer.
_PROGRAMS = {"photosearch": "photosearch.cli", "photosearch-trainer": "trainer.cli"}
_BLOCK = re.compile(
    r"(?P<begin><!-- reference: (?P<program>\S+)(?P<names>[^>]*?) -->\n)"
    r".*?(?P<end><!-- /reference -->)",
    re.DOTALL,
)
_SETTINGS = re.compile(r"(<!-- settings -->\n).*?(<!-- /settings -->)", re.DOTALL)
# What click puts behind the help of an option, as in [default: 20; x>=1].
_NOTE = re.compile(r"\s*\[((?:default: |env var: |required|[\d.]*<?=?x[<>]=?)[^]]*)\]$")
_LIMITS = re.compile(r"(?:([-\d.]+)(<=?))?x(?:([<>]=?)([-\d.]+))?")
# An option with a few values, as in --sort [relevance|newest].
_CHOICES = re.compile(r" \[([^]]+)\]$")
_EACH = "..."


class UnknownCommandError(Exception):
    pass


def renewed(text: str, page: str) -> str:
    """`text`, the contents of `page`, with each of its blocks made of the commands as they are."""

    def block(match: re.Match[str]) -> str:
        told = _reference(match["program"], match["names"].split(), page)
        return f"{match['begin']}\n{told}\n{match['end']}"

    text = _SETTINGS.sub(lambda match: f"{match[1]}\n{_settings()}\n{match[2]}", text)
    return _BLOCK.sub(block, text)


def pages() -> Iterator[Path]:
    """The pages that have a block."""
    for path in sorted(PAGES.rglob("*.md")):
        text = path.read_text(encoding="utf-8")
        if _BLOCK.search(text) or _SETTINGS.search(text):
            yield path


def _settings() -> str:
    """The table of all settings."""
    lines = [
        "| Name | Meaning | May be | Default | Environment | Option |",
        "|---|---|---|---|---|---|",
    ]
    for name, each in SETTINGS.items():
        options = ", ".join(f"`{option}`" for option in each.options)
        mark = f"`{name}`" if each.in_file else f"`{name}` *"
        lines.append(
            f"| {mark} | {_linked(each.help)} | {each.kind.range()} | {_linked(each.default_text)} "
            f"| `{each.environment}` | {options} |"
        )
    return "\n".join(lines) + "\n"


def _reference(program: str, names: list[str], page: str) -> str:
    if program not in _PROGRAMS:
        raise UnknownCommandError(f"{page}: no program is called {program}")
    command: click.Command = import_module(_PROGRAMS[program]).main
    context = click.Context(command, info_name=program, **command.context_settings)
    if names == [_EACH]:
        parts = [
            f"## {_words(inner)}\n\n{_description(inner.command)}\n\n{_one(inner, page)}"
            for inner in _leaves(context)
        ]
        return "\n".join(parts)
    for name in names:
        found = command.get_command(context, name) if isinstance(command, click.Group) else None
        if found is None:
            raise UnknownCommandError(f"{page}: no command is called {program} {' '.join(names)}")
        command, context = found, click.Context(found, info_name=name, parent=context)
    if not isinstance(command, click.Group):
        return _one(context, page)
    if names:
        return _family(context, page)
    return f"{_one(context, page)}\n{_contents(context)}"


def _one(context: click.Context, page: str) -> str:
    """The synopsis and the options of a single command."""
    return f"    {_synopsis(context)}\n{_table(list(_options(context, page)))}"


def _family(context: click.Context, page: str) -> str:
    """The same of all commands of a group, as in `photosearch models`."""
    inner = list(_leaves(context))
    own: list[tuple[str, str]] = []
    first = ""
    if isinstance(context.command, click.Group) and context.command.invoke_without_command:
        own = list(_options(context, page))
        first = (
            f"    {' '.join([context.command_path, *(f'[{_code(name)}]' for name, _ in own)])}\n"
        )
    return (
        first
        + "".join(f"    {_synopsis(one)}\n" for one in inner)
        + _table(
            own
            + [
                (name, f"Of `{one.info_name}`: {meaning[0].lower()}{meaning[1:]}")
                for one in inner
                for name, meaning in _options(one, page)
            ]
        )
    )


def _code(name: str) -> str:
    return name.strip("`")


def _contents(context: click.Context) -> str:
    """The commands of a program, each with a link to its heading on the same page."""
    group = context.command
    assert isinstance(group, click.Group)
    lines = ["| Command | |", "|---|---|"]
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None, name
        lines.append(f"| [`{name}`](#{name}) | {_linked(command.get_short_help_str(200))} |")
    return "\n".join(lines) + "\n"


def _leaves(context: click.Context) -> Iterator[click.Context]:
    group = context.command
    assert isinstance(group, click.Group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None, name
        inner = click.Context(command, info_name=name, parent=context)
        if isinstance(command, click.Group):
            yield from _leaves(inner)
        else:
            yield inner


def _words(context: click.Context) -> str:
    """The command without the program's name."""
    return context.command_path.split(" ", 1)[1]


def _description(command: click.Command) -> str:
    text = cleandoc(command.help or "")
    return _linked(re.sub(r"(?<!\n)\n(?!\n)", " ", text))


def _synopsis(context: click.Context) -> str:
    pieces = context.command.collect_usage_pieces(context)
    records = list(_records(context))
    # A long list says no more than that there are options; they are in the table.
    options = [_longest(name, told) for name, told in records]
    if len(options) > 4:
        options = ["[OPTION]..."]
    if not isinstance(context.command, click.Group):
        pieces = [*options, *pieces[1:]]
    return " ".join([context.command_path, *pieces]).replace("[OPTIONS]", " ".join(options))


def _longest(name: str, told: str) -> str:
    """Of `-v, --verbose` the last, and both of `--yes / --no`; in brackets unless required."""
    text = _short(name.split(", ")[-1]).replace(" / ", " | ")
    return text if "required]" in told else f"[{text}]"


def _options(context: click.Context, page: str) -> Iterator[tuple[str, str]]:
    for name, told in _records(context):
        notes: list[str] = []
        text = told
        while found := _NOTE.search(text):
            text = text[: found.start()]
            notes[:0] = found[1].split("; ")
        values = _values(name)
        if len(values) > 1:
            notes.insert(0, "one of " + ", ".join(f"`{value}`" for value in values))
        name = _short(name)
        said = " ".join([_linked(text, page), *(_sentence(note) for note in notes)]).strip()
        yield f"`{name}`".replace(", ", "`, `").replace(" / ", "` / `"), said


def _values(name: str) -> list[str]:
    """What `--sort [newest|oldest]` may be given."""
    choices = _CHOICES.search(name)
    return choices[1].split("|") if choices else []


def _short(name: str) -> str:
    """`--sort SORT` for `--sort [newest|oldest]`: bars would end the cell of a table."""
    values = _values(name)
    if not values:
        return name
    names = _CHOICES.sub("", name)
    return f"{names} {values[0] if len(values) == 1 else names.rpartition('-')[2].upper()}"


def _records(context: click.Context) -> Iterator[tuple[str, str]]:
    """Name and help of each option as `--help` prints them, but for `--help` itself."""
    helps = context.help_option_names
    for parameter in context.command.get_params(context):
        if not isinstance(parameter, click.Option) or set(parameter.opts) & set(helps):
            continue
        record = parameter.get_help_record(context)
        if record is not None:
            yield re.sub(r"(INTEGER|FLOAT) RANGE", r"\1", record[0]), record[1]


def _sentence(note: str) -> str:
    """A note of click's in words: `x>=1` as "At least 1."."""
    kind, colon, value = note.partition(": ")
    if note == "required":
        return "Required."
    if colon and kind == "env var":
        return f"Environment: `{value}`."
    if colon and kind == "default":
        return f"Default: {_linked(value)}."
    limits = _LIMITS.fullmatch(note)
    if limits is None:
        return f"{note[0].upper()}{note[1:]}."
    low, above, below, high = limits.groups()
    if below and below.startswith(">"):
        low, above, below, high = high, below.replace(">", "<"), None, None
    words = []
    if low:
        words.append(f"at least {low}" if above == "<=" else f"more than {low}")
    if high:
        words.append(f"at most {high}" if below == "<=" else f"less than {high}")
    text = ", ".join(words)
    return f"{text[0].upper()}{text[1:]}."


def _linked(text: str, page: str = "") -> str:
    """Help as Markdown: pages become links, and what Markdown would read as its own is escaped."""
    parts = re.split(r"(`[^`]*`)", text)
    parts[::2] = [part.replace("*", r"\*").replace("<", r"\<") for part in parts[::2]]
    text = "".join(parts).replace("|", r"\|")
    text = re.sub(rf"; see docs/{re.escape(page)}\.", ", described below.", text) if page else text
    return re.sub(r"docs/([\w-]+\.md)", r"[\1](\1)", text)


def _table(rows: list[tuple[str, str]]) -> str:
    if not rows:
        return ""
    lines = ["", "| Option | Meaning |", "|---|---|", *(f"| {a} | {b} |" for a, b in rows)]
    return "\n".join(lines) + "\n"


def main() -> None:
    # What is installed here by chance is no part of it.
    os.environ["PHOTOSEARCH_PLUGINS"] = "0"
    for path in pages():
        text = path.read_text(encoding="utf-8")
        path.write_text(renewed(text, path.name), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
