"""The MCP server: an assistant searches the photos through these tools, over stdin and stdout."""

# Annotations are not postponed: those of a tool are made of the filters that there are.

import asyncio
import json
import logging
from collections.abc import Callable
from textwrap import fill
from typing import Annotated, Any, Literal

from mcp.server import MCPServer
from mcp.server.mcpserver import Image
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations
from pydantic import Field

from photosearch import __version__
from photosearch.api import answers
from photosearch.api.parameters import PhotoName
from photosearch.errors import PhotosearchError
from photosearch.indexing.limits import limits_by
from photosearch.library import Library
from photosearch.logs import current_file
from photosearch.search.filters import filters
from photosearch.serving.library_thread import LibraryThread
from photosearch.serving.shrinking import ShrinkError, Shrinkers
from photosearch.settings import read
from photosearch.unexpected import told

_log = logging.getLogger(__name__)

# Enough to see what a photo shows, and few enough bytes for a conversation.
_SIDE = 768

_INSTRUCTIONS = """\
Searches the photos on this machine by what they show. A query describes the photo ("two dogs on a
beach"), may rule things out ("-people"), may name people of the library ("Anna -Ben on a beach"),
and may have filters in it: {filters}, and "exact words" of file name, caption or keywords. photo:ID
means like that photo. A photo with no date but that of its file is found by no date; date:file asks
for such. Where a part of `understood` has `readings`, a name may mean several: ask which, and
search again with the filter of the one meant in its place. Photos that do not look like the query
are left out and counted as `beyond`. Scores only order the photos of one search, so look at a photo
before you say what it shows.
"""

_READS = ToolAnnotations(read_only_hint=True, open_world_hint=False)


def create_server(library: LibraryThread, shrinkers: Shrinkers) -> MCPServer:
    """The tools for `library`; `shrinkers` make the pictures."""
    asked = Field(description=_query_described())
    server = MCPServer(
        "photosearch",
        title="photosearch",
        version=__version__,
        instructions=fill(_INSTRUCTIONS.format(filters=_examples()), 100) + "\n",
        log_level="ERROR",
    )

    @server.tool(annotations=_READS)
    async def search(
        query: Annotated[str, asked] = "",
        limit: int = 10,
        offset: int = 0,
        cursor: str | None = None,
        sort: Literal["relevance", "newest", "oldest"] = "relevance",
        collapse: bool = True,
        saved: str | None = None,
        locale: str = "",
    ) -> dict[str, Any]:
        """Find photos by a description and filters, best first, with ids, paths, dates and scores.

        With `collapse` copies and bursts are one hit. `cursor` is what the page before gave as
        `next`, and gives the one that follows. `saved` is the name of a saved search, to which the
        query, if any, is added. `locale`, such as en-GB, says how dates are read.
        """
        view: dict[str, Any] = {"limit": _least(limit), "offset": offset, "sort": sort}
        view |= {"collapse": collapse, "saved": saved, "locale": locale, "cursor": cursor}
        return await _said(library, lambda it: answers.search(it, query, **view))

    @server.tool(annotations=_READS)
    async def similar(
        photo_id: PhotoName, limit: int = 10, offset: int = 0, cursor: str | None = None
    ) -> dict[str, Any]:
        """Find the photos that look most like one, given its id, photo:ID, or its path."""
        view: dict[str, Any] = {
            "limit": _least(limit),
            "offset": offset,
            "collapse": True,
            "cursor": cursor,
        }
        return await _said(library, lambda it: answers.similar(it, photo_id, **view))

    @server.tool(annotations=_READS, structured_output=False)
    async def photo(photo_id: PhotoName, picture: bool = True) -> list[Any]:
        """Tell all that is known of a photo, and show it, unless `picture` is false.

        It is named by its id, photo:ID, or its path.
        """
        known = await _answer(library, lambda it: answers.photo(it, photo_id))
        text = json.dumps(_as_text(known), indent=2)
        if not picture:
            return [text]
        return [text, Image(data=await _shown(shrinkers, known["path"]), format="webp")]

    @server.tool(annotations=_READS)
    async def people(limit: int = 100) -> dict[str, Any]:
        """List who is in the photos, by the names to search for, those in most photos first."""

        def shown(it: Library) -> dict[str, Any]:
            found = answers.people(it)
            some = [one for one in found["people"] if not one["hidden"]]
            return found | {"people": some[: max(1, limit)]}

        return await _said(library, shown)

    @server.tool(annotations=_READS)
    async def saved_searches() -> dict[str, Any]:
        """List the searches that the user has saved: name, query and order."""
        return await _said(library, answers.saved)

    @server.tool(annotations=_READS)
    async def status() -> dict[str, Any]:
        """Tell how many photos the library holds, of which folders, and which model it uses."""
        return await _said(library, answers.status)

    return server


def _examples() -> str:
    """Each filter, as in a query."""
    return " ".join(example for one in filters().values() for example in one.examples)


def _query_described() -> str:
    lines = (f"{' '.join(one.examples)}: {one.help.en}" for one in filters().values())
    return "\n".join(("A description of the photo, with filters if need be:", *lines))


def _least(limit: int) -> int:
    return max(1, min(limit, 200))


async def _said(
    library: LibraryThread, question: Callable[[Library], dict[str, Any]]
) -> dict[str, Any]:
    said: dict[str, Any] = _as_text(await _answer(library, question))
    return said


async def _answer(library: LibraryThread, question: Callable[[Library], Any]) -> Any:
    """What the library says; our errors are for the assistant to read."""
    try:
        found = await library.ask(question)
    except PhotosearchError as error:
        raise ToolError(str(error)) from error
    except Exception as error:
        _log.exception("a tool failed", extra={"told": True})
        raise ToolError(f"{told(error, current_file())}.") from error
    return found


def _as_text(value: Any) -> Any:
    """Bytes of a path that are not text become readable escapes; UTF-8 has no lone surrogates."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {key: _as_text(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_as_text(each) for each in value]
    return value


async def _shown(shrinkers: Shrinkers, path: str) -> bytes:
    """The photo as a small WebP. Raises `ToolError` when its file cannot be read."""
    try:
        small = await asyncio.wrap_future(shrinkers.shrink(path, _SIDE))
    except ShrinkError as error:
        raise ToolError(f"{path}: cannot be shown ({error})") from error
    return small.data


def run(path: str | None, model: str | None) -> None:
    """Serve until the client goes. Raises `LibraryError` or `BundleError` before that."""
    settings = read(path, model=model)
    # What the assistant is given may leave this machine.
    library = LibraryThread(path, model, new=True, faces=settings.serve_faces)
    shrinkers = Shrinkers(1, limits_by(settings, 2))
    try:
        library.ask_now(Library.status)
        create_server(library, shrinkers).run("stdio")
    finally:
        shrinkers.close()
        library.close()
