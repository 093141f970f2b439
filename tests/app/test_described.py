"""A photo is the same JSON at every door."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from photo_metadata import camera_exif, jpeg
from served import served_here
from shell import Shell

from photosearch import Library
from photosearch.api import answers
from photosearch.api.schemas import Details


@pytest.mark.slow
def test_every_door_says_the_same_of_a_photo(
    shell: Shell, tmp_path: Path, tiny_bundle: Path
) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "a.jpg").write_bytes(jpeg(exif=camera_exif()))
    shell("index", photos)
    told = json.loads(shell("show", "--json", photos / "a.jpg").stdout)
    with Library.open(shell.library, model=tiny_bundle) as library:
        # What HTTP and MCP answer with.
        content = json.loads(json.dumps(answers.photo(library, told["photo_id"])))
    with served_here(shell.library, tiny_bundle) as server:
        page: dict[str, Any] = server.ask(f"/api/photo/{told['photo_id']}").json

    assert content.keys() == Details.model_fields.keys()
    Details.model_validate(content)
    assert content["metadata"]["place"]["city"] == "Rome"
    assert content == {name: told[name] for name in content}
    # There the version is that of the picture, by which the browser keeps it.
    assert content | {"version": page["version"]} == {name: page[name] for name in content}
    # These stand at the top as well.
    assert content["metadata"] == {name: told[name] for name in content["metadata"]}
    assert (told["size"], told["video_inside"]) == (content["bytes"], None)
