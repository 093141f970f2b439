"""The pages in docs that say what the commands say of themselves."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import click
import pytest

from photosearch.cli import main
from trainer.cli import main as trainer

DOCS = Path(__file__).parents[2] / "docs"


def loaded() -> ModuleType:
    spec = importlib.util.spec_from_file_location("reference", DOCS / "reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


reference = loaded()


def block(what: str, page: str = "cli.md") -> str:
    text: str = reference.renewed(f"<!-- reference: {what} -->\n<!-- /reference -->\n", page)
    return text


def commands(group: click.Group, path: str) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group, info_name=path)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield f"{path} {name}", command
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")


@pytest.mark.parametrize("path", reference.pages(), ids=lambda path: path.name)
def test_is_up_to_date(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert reference.renewed(text, path.name) == text, (
        f"{path.name} differs from the commands: run `python docs/reference.py`"
    )


def test_has_every_command_with_every_option() -> None:
    cli = (DOCS / "cli.md").read_text(encoding="utf-8")
    for path, command in commands(main, "photosearch"):
        # Subcommands stand with those of their group.
        name = path.split()[1]
        section = cli.split(f"\n## {name}\n")[1].split("\n## ")[0]
        assert f"    {path}" in section
        for parameter in command.params:
            assert isinstance(parameter, click.Argument) or all(
                f"`{form}" in section for form in parameter.opts
            )
    text = (DOCS / "trainer-cli.md").read_text(encoding="utf-8")
    for path, command in commands(trainer, "photosearch-trainer"):
        assert isinstance(command, click.Group) or f"\n## {path.partition(' ')[2]}\n" in text


def test_photosearch_needs_no_trainer() -> None:
    program = (
        "import runpy, sys\n"
        "sys.modules.update(dict.fromkeys(['torch', 'trainer', 'trainer.cli']))\n"
        "renewed = runpy.run_path(sys.argv[1])['renewed']\n"
        "renewed(open(sys.argv[2], encoding='utf-8').read(), 'cli.md')\n"
    )
    subprocess.run(
        [sys.executable, "-c", program, DOCS / "reference.py", DOCS / "cli.md"], check=True
    )


def test_a_command_that_is_not_there() -> None:
    with pytest.raises(reference.UnknownCommandError, match="no command is called photosearch fly"):
        block("photosearch fly")
    with pytest.raises(reference.UnknownCommandError, match="no program is called fly"):
        block("fly")


def test_what_stands_around_a_block_stays() -> None:
    text = "before\n\n<!-- reference: photosearch ocr -->\nold\n<!-- /reference -->\nafter\n"
    new = reference.renewed(text, "cli.md")
    assert new.startswith("before\n\n<!-- reference: photosearch ocr -->\n\n    photosearch ocr\n")
    assert new.endswith("\n<!-- /reference -->\nafter\n")
    assert "old" not in new


def test_choices_make_no_columns() -> None:
    sort = next(line for line in block("photosearch saved").splitlines() if "`--sort" in line)
    assert sort == (
        "| `--sort SORT` | Of `add`: order of the photos. One of `relevance`, `newest`, `oldest`. "
        "Default: relevance. |"
    )


@pytest.mark.parametrize(
    ("note", "sentence"),
    [
        ("default: 20", "Default: 20."),
        ("env var: A_B", "Environment: `A_B`."),
        ("required", "Required."),
        ("x>=1", "At least 1."),
        ("x>0", "More than 0."),
        ("0<x<=0.5", "More than 0, at most 0.5."),
        ("0<=x<=65535", "At least 0, at most 65535."),
        ("implies --near", "Implies --near."),
    ],
)
def test_what_click_adds_is_put_in_words(note: str, sentence: str) -> None:
    assert reference._sentence(note) == sentence
