"""A filter is one object: one that is registered is known wherever filters are."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
from click.testing import CliRunner
from known_library import make_library
from mcp import Client
from on_a_thread import run

import photosearch.api.routes
import photosearch.commands.search
from index.catalogue.conditions import Rated
from photosearch import QueryError, UsageError
from photosearch.api.app import create_app
from photosearch.api.tools import create_server
from photosearch.cli import main
from photosearch.search.filters import (
    FILTERS,
    Argument,
    Filter,
    Filters,
    Help,
    Row,
    World,
    names,
)
from photosearch.search.parse import parse
from photosearch.serving.library_thread import LibraryThread
from photosearch.serving.shrinking import Shrinkers

REPOSITORY = Path(__file__).parents[2]


def _loved(value: str, world: World) -> Rated:
    if value not in ("yes", "no"):
        raise ValueError(f"{value!r} is neither yes nor no")
    return Rated(5, 5) if value == "yes" else Rated(-1, 4)


LOVED = Filter(
    name="loved",
    aliases=("liked",),
    read=_loved,
    metavar="YES",
    help=Help("Only photos that somebody loves.", "Nur Fotos, die jemand liebt."),
    examples=("loved:yes",),
    guide=(Row(("`loved:YES`",), "that somebody loves"),),
    arguments=(Argument("loved", "Texts", several=True),),
    repeated=True,
)


@pytest.fixture
def loved(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One filter more, while what is made of them at the start is made anew."""
    with monkeypatch.context() as patch:
        patch.setitem(FILTERS, "loved", LOVED)
        _make_anew()
        yield
    _make_anew()


def _make_anew() -> None:
    """The options of the command line, and the parameters over HTTP."""
    importlib.reload(photosearch.commands.search)
    importlib.reload(photosearch.api.routes)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, tiny_bundle: Path) -> Path:
    folder = tmp_path_factory.mktemp("filters") / "library"
    make_library(folder, tiny_bundle, 60)
    return folder


@pytest.fixture(scope="module")
def filter_tables() -> ModuleType:
    path = REPOSITORY / "docs" / "filter_tables.py"
    found = importlib.util.spec_from_file_location("filter_tables", path)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def test_the_box_and_python_know_it(loved: None) -> None:
    (condition,) = parse("loved:yes").conditions
    assert condition == Rated(5, 5)
    (part,) = parse("-liked:no").parts
    assert (part.name, part.kind, part.meaning) == ("loved", "filter", "not loved no")
    with pytest.raises(QueryError, match="neither yes nor no"):
        parse("loved:perhaps")
    with pytest.raises(QueryError, match="did you mean loved:"):
        parse("lovd:yes")
    asked: Any = {"loved": ["yes"]}
    assert Filters(**asked).conditions(World()) == (Rated(5, 5),)
    with pytest.raises(UsageError, match="loved: 'x' is neither"):
        Filters(**(asked | {"loved": "x"})).conditions(World())


def test_the_command_line_knows_it(loved: None, place: Path, tiny_bundle: Path) -> None:
    told = CliRunner().invoke(main, ["search", "--help"]).stdout
    assert "--loved, --liked YES" in told
    assert "Only photos that somebody loves. May be repeated." in " ".join(told.split())

    def found(*options: str) -> list[str]:
        opened = ["--library", str(place), "--model", str(tiny_bundle)]
        result = CliRunner().invoke(main, [*opened, "search", "-0", "-n", "99", *options])
        assert result.exit_code == 0, result.output
        return result.stdout.split("\0")[:-1]

    assert found("--liked", "yes") == found("rating:5")
    assert len(found("--loved", "yes", "--loved", "no")) == 60


def test_http_knows_it(loved: None, place: Path, tiny_bundle: Path) -> None:
    app = create_app(desk := LibraryThread(place, tiny_bundle))
    described = app.openapi()["paths"]
    for path, method in (
        ("/v1/search", "get"),
        ("/v1/search", "post"),
        ("/v1/photos/{photo}/similar", "get"),
    ):
        by_name = {each["name"]: each for each in described[path][method]["parameters"]}
        assert by_name["loved"]["description"] == "Only photos that somebody loves."
        assert by_name["loved"]["schema"]["anyOf"][0]["type"] == "array"

    async def ask(**parameters: Any) -> Any:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            return (await client.get("/v1/search", params=parameters)).json()

    try:
        by_parameter, by_text = run(ask(loved="yes")), run(ask(q="rating:5"))
        assert by_parameter["hits"] == by_text["hits"]
        assert 0 < by_text["total"] < 60
    finally:
        desk.close()


def test_mcp_knows_it(loved: None, place: Path, tiny_bundle: Path) -> None:
    async def talk(desk: LibraryThread, shrinkers: Shrinkers) -> None:
        server = create_server(desk, shrinkers)
        assert "loved:yes" in str(server.instructions)
        async with Client(server) as client:
            (search,) = (
                tool for tool in (await client.list_tools()).tools if tool.name == "search"
            )
            query = search.input_schema["properties"]["query"]
            assert "loved:yes: Only photos that somebody loves." in query["description"]
            found = await client.call_tool("search", {"query": "loved:yes"})
            assert found.structured_content["total"] > 0

    desk, shrinkers = LibraryThread(place, tiny_bundle), Shrinkers(1)
    try:
        run(talk(desk, shrinkers))
    finally:
        shrinkers.close()
        desk.close()


def test_the_documents_know_it(loved: None, filter_tables: ModuleType) -> None:
    text = filter_tables.documented((REPOSITORY / "docs" / "search.md").read_text(encoding="utf-8"))
    assert "\n| `loved:YES` | that somebody loves |\n" in text
    assert "\n| `loved` | `str \\| Sequence[str]` | text, may be repeated |" in "\n" + "\n".join(
        filter_tables.TABLES["arguments"]()
    )
    assert "| `--loved YES` * | Only photos that somebody loves. |" in filter_tables.options()
    assert filter_tables.values().endswith("    loved: Texts\n")


def test_the_documents_are_up_to_date(filter_tables: ModuleType) -> None:
    advice = "run: python docs/filter_tables.py"
    for path in filter_tables.DOCUMENTS:
        text = path.read_text(encoding="utf-8")
        assert filter_tables.documented(text) == text, f"{path.name}: {advice}"
    assert filter_tables.VALUES.read_text(encoding="utf-8") == filter_tables.values(), advice


def test_no_two_filters_share_a_name() -> None:
    assert len(set(names())) == len(names())
    arguments = [argument.name for one in FILTERS.values() for argument in one.arguments]
    assert len(set(arguments)) == len(arguments)
    for name, one in FILTERS.items():
        assert name == one.name
        assert one.examples
        assert one.guide
        assert all(text.endswith(".") for text in one.help), name
        assert one.help.en != one.help.de
        world = World(locate=lambda _: (0, 0))
        for example in one.examples:
            (part,) = parse(example, world).parts
            assert part.name == name
        # What a choice asks for can be said by the arguments.
        for choice in one.choices:
            assert Filters.of_box({name: [choice]}).conditions(world)


def test_arguments_are_named() -> None:
    asked = Filters(before="2021", place=["Rome"], camera=None)
    assert (asked.before, asked.place, asked.camera) == ("2021", ["Rome"], None)
    assert asked == Filters(place=["Rome"], before="2021") != Filters()
    assert hash(Filters(year=2020)) == hash(Filters(year=2020))
    wrong: Any = {"befor": "2021"}
    with pytest.raises(TypeError, match="no filter 'befor'"):
        Filters(**wrong)
    with pytest.raises(AttributeError):
        _ = asked.befor
    with pytest.raises(AttributeError):
        asked.before = "2022"
