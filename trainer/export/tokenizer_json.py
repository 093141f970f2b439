"""The tokenizer.json of a bundle: that of a sentence encoder, without what no search uses."""

from __future__ import annotations

import json
from pathlib import Path

import tokenizers
from torch import nn

from photosearch.encoders import TextSettings, Tokenise, tokenizer_for
from photosearch.encoders.bundle import CLIP_BPE
from photosearch.errors import BundleError
from trainer.export.errors import ExportError


def open_source(settings: TextSettings, source: Path | None, tower: nn.Module) -> Tokenise:
    """The tokenizer of a bundle with these settings: CLIP's, or that in the file `source`.

    Raises `ExportError` when there is a file and none is asked for, or the other way round, or it
    cannot be used, such as with the token table of `tower`.
    """
    if (source is None) != (settings.tokenizer == CLIP_BPE):
        raise ExportError(
            f"bundle fields: text says the tokenizer is {settings.tokenizer}, and "
            + ("no file is given for it" if source is None else f"{source} is given for it")
        )
    try:
        tokenise = tokenizer_for(settings, source)
        tokenise(["é"])  # a file is then read by the library too, which plain texts do without
    except BundleError as error:
        raise ExportError(str(error)) from None
    tables = [part.num_embeddings for part in tower.modules() if isinstance(part, nn.Embedding)]
    if source is not None and tables:
        largest = max(tokenizers.Tokenizer.from_file(str(source)).get_vocab().values())
        if largest >= max(tables):
            raise ExportError(
                f"{source}: makes the token {largest}, and the text tower has only "
                f"{max(tables)}; give the tokenizer that belongs to it"
            )
    return tokenise


def write_tokenizer(source: Path, path: Path) -> None:
    """Write what splits a text, in the file `source`, to `path`.

    How a batch is cut and padded is said by bundle.json, and nobody asks for the way back from
    tokens to text.
    """
    content = json.loads(source.read_text(encoding="utf-8"))
    content |= {"truncation": None, "padding": None, "decoder": None}
    path.write_text(
        json.dumps(content, ensure_ascii=False, separators=(",", ":")), encoding="utf-8"
    )
