"""From downloaded weights to a bundle, by the trainer, in a process of its own.

The application never imports the trainer, and PyTorch would stay in memory.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import photosearch
from photosearch.encoders import Bundle, write_manifest
from photosearch.encoders.bundle import CARD
from photosearch.errors import DownloadError, UsageError
from photosearch.pulling.download import HubFile
from photosearch.pulling.offers import Offer

_NEEDED = ("trainer", "torch", "open_clip", "onnx", "onnxscript", "safetensors", "timm")
_LOOK = 0.2  # seconds between two looks at the process
_LOG = "convert.log"
# The trainer, which ends when whoever started it does, even by a kill: its input then ends too.
_PROGRAM = """
import os, runpy, threading
def watch():
    os.read(0, 1)
    os._exit(1)
threading.Thread(target=watch, daemon=True).start()
runpy.run_module("trainer", run_name="__main__", alter_sys=True)
"""


def check_trainer() -> None:
    """Raise `UsageError` unless what the conversion needs is installed; nothing is imported."""
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise UsageError(
            "a downloaded model is converted by the trainer, of which "
            f"{' and '.join(missing)} is not installed; run `pip install 'photosearch[trainer]'`, "
            "and the same command again"
        )


def convert(offer: Offer, weights: Path, folder: Path) -> Iterator[float]:
    """Write the bundle `folder/bundle`; yields the seconds it has taken so far, now and then.

    Raises `DownloadError` when the trainer refuses the weights.
    """
    card = folder / "card.json"
    card.write_text(json.dumps(card_of(offer)), encoding="utf-8")
    out = folder / "bundle"
    source = (
        ["--pretrained", f"local-dir:{weights.parent}"]
        if offer.family is None
        else ["--model", offer.family, "--weights", str(weights)]
    )
    arguments = ["export", *source, "--float16", "--card", str(card), "--out", str(out)]
    started = time.monotonic()
    with (folder / _LOG).open("w+", encoding="utf-8", errors="replace") as log:
        # -P: what lies in the current folder is not to be taken for a package.
        process = subprocess.Popen(
            [sys.executable, "-P", "-c", _PROGRAM, *arguments, "--replace"],
            env=_environment(),
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            while process.poll() is None:
                yield time.monotonic() - started
                time.sleep(_LOOK)
        finally:
            if process.poll() is None:
                process.kill()
            # Also closes its input.
            process.communicate()
        if process.returncode:
            log.seek(0)
            raise DownloadError(
                f"{offer.name}: could not be converted ({_last_line(log.read())}); what was "
                f"downloaded is kept in {folder}, and the model in use stays as it is"
            )


def annotate(folder: Path, offer: Offer, files: list[HubFile], texts: Path) -> Bundle:
    """Note in the bundle where it came from, with the card and the licence of its authors."""
    bundle = Bundle.open(folder)
    provenance = bundle.manifest["provenance"] | {
        "source": {
            "repository": offer.repository,
            "commit": files[0].commit,
            "files": {file.name: file.digest for file in files},
        }
    }
    theirs = texts / CARD
    if theirs.is_file():
        text = _without_front_matter(theirs.read_text(encoding="utf-8", errors="replace"))
        card = (folder / CARD).read_text(encoding="utf-8")
        (folder / CARD).write_text(
            f"{card}\n---\n\nThe card that its authors wrote, at {offer.page}:\n\n{text}",
            encoding="utf-8",
        )
    licence = texts / "LICENSE"
    if licence.is_file():
        (folder / "LICENSE").write_bytes(licence.read_bytes())
    return write_manifest(folder, bundle.fields | {"provenance": provenance})


def card_of(offer: Offer) -> dict[str, Any]:
    """What the exporter is told for the model card, by the keys that it asks for."""
    licence = f"{offer.licence}\n\nThe weights belong to their authors; see {offer.page}."
    if offer.research_only:
        licence += (
            " Apple's licence allows research, and nothing commercial; the one who downloaded the "
            "model has accepted it. The file LICENSE beside this card holds its text."
        )
    return {
        "name": offer.name,
        "version": offer.version,
        "summary": f"{offer.repository} of the Hugging Face hub, converted by photosearch.",
        "licence": licence,
        "details": {
            "Embedding": f"{offer.dim} numbers, unit norm",
            "Image input": f"{offer.pixels} x {offer.pixels} RGB",
            "Text input": "77 tokens, CLIP's byte-pair vocabulary",
            "Multiply-adds": f"{offer.gmac} G for an image",
            "ImageNet, zero-shot": f"{offer.imagenet}% top-1, as its authors published it",
        },
        "intended_use": ["Finding photos in one's own collection by a short English description."],
        "not_for": ["What its authors rule out; their card follows, if they wrote one."],
        "training": [offer.training],
        "data": [
            {
                "name": "See the card of its authors",
                "amount": "more than a billion pairs",
                "use": "all of it",
                "licence": "those of the web pages",
            }
        ],
        "teachers": [
            {
                "name": "See the card of its authors",
                "role": "embeddings and captions" if offer.research_only else "none is known",
                "licence": "see there",
            }
        ],
        "weaknesses": [
            "It always finds something: a high rank does not mean that the photo shows what was "
            "asked for.",
            "It has learned from the web, with the prejudices that are there.",
        ],
    }


def _environment() -> dict[str, str]:
    """Ours, in which Python finds the same trainer, and open_clip does not go online."""
    found = find_spec("trainer")
    places = [Path(str(photosearch.__file__)).parents[1]]
    if found is not None and found.origin is not None:
        places.append(Path(found.origin).parents[1])
    paths = [*dict.fromkeys(map(str, places)), os.environ.get("PYTHONPATH", "")]
    return os.environ | {
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "PYTHONUTF8": "1",
        "HF_HUB_OFFLINE": "1",
    }


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1].removeprefix("Error: ") if lines else "the trainer ended without a word"


def _without_front_matter(text: str) -> str:
    """A card of the hub without the lines about it between dashes at its top."""
    if text.startswith("---\n") and (end := text.find("\n---", 4)) >= 0:
        return text[end + 4 :].lstrip("\n-")
    return text
