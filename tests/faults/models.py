"""Two small models to try with, one in the place of the other."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from colour_bundle import write_bundle

from photosearch.encoders import write_manifest


def write_models(folder: Path) -> Path:
    """`folder`, with a bundle in "tiny" and another in "colours"; they see the same."""
    folder.mkdir()
    write_bundle(folder / "colours")
    shutil.copytree(folder / "colours", folder / "tiny")
    manifest = json.loads((folder / "colours" / "bundle.json").read_text())
    fields = {key: value for key, value in manifest.items() if key not in ("format", "files")}
    write_manifest(folder / "tiny", fields | {"name": "tiny"})
    return folder
