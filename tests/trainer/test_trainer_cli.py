"""`photosearch-trainer` as its user meets it: help, errors, and all the steps to a bundle."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from workshop import classifiers, make_workshop, refused, run

from trainer.cli import main
from trainer.data.corpus import Corpus

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


def commands() -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command that does something, groups and their subcommands last."""
    groups: list[tuple[tuple[str, ...], click.Group]] = [((), main)]
    while groups:
        path, group = groups.pop()
        context = click.Context(group)
        for name in group.list_commands(context):
            found = group.get_command(context, name)
            assert found is not None, f"{name} is listed and not there"
            yield (*path, name), found
            if isinstance(found, click.Group):
                groups.append(((*path, name), found))


NAMES = [path for path, _ in commands()]


class TestHelp:
    @pytest.mark.parametrize("path", NAMES, ids=" ".join)
    def test_of_each_command(self, path: tuple[str, ...]) -> None:
        result = run(*path, "--help")
        assert result.exit_code == 0, result.output
        assert result.stdout.startswith(f"Usage: photosearch-trainer {' '.join(path)}")
        description = result.stdout.partition("\n\n")[2].partition("\n\n")[0].strip()
        assert re.match(r"[A-Z].*[.:]$", description, re.DOTALL), "begins with no sentence"
        result = run(*path[:-1], "--help")
        assert re.search(rf"^  {path[-1]} +[A-Z]", result.stdout, re.MULTILINE)

    def test_needs_nothing_heavy(self) -> None:
        """Torch takes seconds to load; asking what there is must not."""
        program = (
            "import sys\n"
            "from trainer.cli import main\n"
            f"for path in {[['--help'], *([*path, '--help'] for path in NAMES)]}:\n"
            "    main(path, standalone_mode=False)\n"
            "heavy = 'torch timm open_clip onnxruntime transformers ray'.split()\n"
            "sys.exit(' '.join(name for name in heavy if name in sys.modules) or None)\n"
        )
        result = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, timeout=300
        )
        assert (result.returncode, result.stderr) == (0, "")


class TestDocumentation:
    TEXT = (REPOSITORY / "docs" / "trainer.md").read_text(encoding="utf-8")

    @pytest.mark.parametrize("path", NAMES, ids=" ".join)
    def test_names_each_command(self, path: tuple[str, ...]) -> None:
        table = [line for line in self.TEXT.splitlines() if line.startswith("| `")]
        assert any(f"`{' '.join(path)}" in line for line in table), "is not in the table"

    def test_gives_options_that_exist(self) -> None:
        known = dict(commands())
        shown = 0
        for block in re.findall(r"^```sh\n(.*?)^```", self.TEXT, re.DOTALL | re.MULTILINE):
            for line in block.replace("\\\n", " ").splitlines():
                words = shlex.split(line, comments=True)
                if "photosearch-trainer" not in words:
                    continue
                words = words[words.index("photosearch-trainer") + 1 :]
                depth = 2 if isinstance(known[words[0],], click.Group) else 1
                command = known[tuple(words[:depth])]
                options = {name for parameter in command.params for name in parameter.opts}
                for word in words[depth:]:
                    if word.startswith("--"):
                        assert word in options, f"{' '.join(words[:depth])} has no {word}"
                        shown += 1
        assert shown > 20


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, pictures: Path) -> Path:
    return make_workshop(tmp_path_factory.mktemp("workshop"), pictures)


class TestRefusals:
    @pytest.mark.parametrize("path", NAMES, ids=" ".join)
    def test_of_a_missing_file(self, path: tuple[str, ...], tmp_path: Path) -> None:
        """Each option that takes a file that must exist says so, before anything is loaded."""
        command = dict(commands())[path]
        gone = tmp_path / "gone"
        for parameter in command.params:
            if not (isinstance(parameter.type, click.Path) and parameter.type.exists):
                continue
            words = [gone] if isinstance(parameter, click.Argument) else [parameter.opts[0], gone]
            result = run(*path, *words)
            # Or else of another required option, which click happened to look at first.
            refused(result, 2, rf"'?{re.escape(str(gone))}'? does not exist|Missing option")

    @pytest.mark.slow
    def test_in_a_real_process(self, tmp_path: Path) -> None:
        program = Path(sys.executable).parent / "photosearch-trainer"
        arguments = ["distil", "text", "--corpus", tmp_path / "gone", "--out", tmp_path / "out"]
        numbers = ["--steps", "1", "--batch-size", "2", "--learning-rate", "1"]
        result = subprocess.run(
            [program, *map(str, arguments), *numbers], capture_output=True, text=True, timeout=300
        )
        assert result.returncode == 1
        assert result.stderr == f"Error: {tmp_path}/gone/texts.txt.gz: no such text file\n"
        assert result.stdout == ""

    @pytest.mark.slow
    def test_corpus(self, place: Path, tmp_path: Path) -> None:
        given = ["corpus", "--captioned", place / "train.tar", "--out", tmp_path / "out"]
        named = [*given, "--class-names", place / "names.json"]
        result = run(*named, "--wordnet", tmp_path)
        refused(result, 1, "data.noun: no WordNet here; install Debian's wordnet-base")
        (tmp_path / "names.json").write_text('{"0": "cat"}')
        result = run(*given, "--class-names", tmp_path / "names.json")
        refused(result, 1, "names.json: not a JSON list of class names")
        (tmp_path / "lines.txt.gz").write_text("not compressed\n")
        result = run(
            *named, "--wordnet", place / "wordnet", "--sentences", tmp_path / "lines.txt.gz"
        )
        refused(result, 1, "lines.txt.gz: not a text file, plain or gzipped")
        result = run(
            *named, "--wordnet", place / "wordnet", "--sentence-encoder", tmp_path / "gone"
        )
        refused(result, 1, "gone: no sentence encoder here")
        (tmp_path / "photos.tar").write_bytes(b"no tar" * 1000)
        result = run(*named, "--captioned", tmp_path / "photos.tar", "--wordnet", place / "wordnet")
        refused(result, 1, "photos.tar: damaged")

    @pytest.mark.slow
    def test_teach(self, place: Path, tmp_path: Path) -> None:
        into = ["--cache", tmp_path / "cache", "--out", tmp_path / "out"]
        given = [
            "teach",
            "--captioned",
            place / "train.tar",
            "--class-names",
            place / "names.json",
            *into,
        ]
        result = run(*given, "--classifier", place / "names.json")
        refused(result, 1, r"names\.json: not a usable \.tflite file")
        (tmp_path / "two.json").write_text('["cat", "dog"]')
        result = run(*given, *classifiers(place), "--class-names", tmp_path / "two.json")
        refused(result, 1, r"two\.json: 2 names, but .*tiny\.tflite has 6 classes")
        assert not (tmp_path / "cache").exists()
        result = run(
            "teach", "--captioned", place / "more.tar", "--class-names", place / "names.json",
            *classifiers(place), *into,
        )  # fmt: skip
        refused(result, 1, "photo02 has no captions")
        assert not (tmp_path / "out").exists()

    def test_distil(self, place: Path, tmp_path: Path) -> None:
        shared = [
            "--steps", 1, "--batch-size", 2, "--learning-rate", 0.1, "--out", tmp_path / "out",
        ]  # fmt: skip
        Corpus(["a cat"], ["cat"], ["A cat ."]).save(tmp_path / "corpus")
        result = run("distil", "text", "--corpus", tmp_path / "corpus", *shared)
        refused(result, 1, r"texts\.npy: holds 0 of 1 embeddings, and no encoder")
        given = [
            "distil", "projection", "--photos", place / "train.tar",
            "--validation", place / "val.tar", *classifiers(place),
            "--teacher", tmp_path, "--cache", tmp_path / "cache", *shared,
        ]  # fmt: skip
        result = run(*given, "--warm-start", place / "names.json")
        refused(result, 1, r"names\.json: is none of the classifiers")
        result = run(*given, "--warm-start", place / "tiny.tflite")
        refused(result, 1, "no teacher here .* make one with `photosearch-trainer teach`")
        assert not list(tmp_path.glob("out/model.*"))

    @pytest.mark.parametrize(
        ("given", "message"),
        [
            (["embed", "a.tar", "--teacher", "t"], "-trainer embed` is gone: `distil projection"),
            (
                ["distil", "image", "--steps", 3],
                "-trainer distil image` is gone: `train nano-image`",
            ),
            (["distil", "image", "--help"], "-trainer distil image` is gone: `train nano-image`"),
        ],
    )
    def test_of_commands_that_are_gone(self, given: list[object], message: str) -> None:
        refused(run(*given), 2, message)
        assert tuple(given[: 1 + (given[0] == "distil")]) not in NAMES
