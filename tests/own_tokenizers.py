"""Small tokenizers written by the library `tokenizers`, and what it makes of texts with them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import tokenizers
from tokenizers import models, normalizers, pre_tokenizers, processors

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_WORDS = """
a b c d e r s u ! ? , . - ' # 1 2 ##a ##b ##c ##d ##e ##r ##s ##ing ##1
the dog cat red car bus play beach snow zürich zurich 犬 straße
"""
WORDS = tuple(_WORDS.split())
VOCABULARY = {word: number for number, word in enumerate((*SPECIAL, *WORDS))}


def bert(*, lowercase: bool = True, prefix: str = "##") -> tokenizers.Tokenizer:
    """WordPiece with BERT's cleaning and its marks round a text."""
    model = models.WordPiece(
        VOCABULARY,
        unk_token="[UNK]",
        continuing_subword_prefix=prefix,
        max_input_chars_per_word=100,
    )
    made = tokenizers.Tokenizer(model)
    made.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B [SEP]",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    made.add_special_tokens(list(SPECIAL))
    # As sentence encoders are published; a bundle says itself how texts are cut and padded.
    made.enable_truncation(7)
    made.enable_padding(length=7)
    return made


def unigram() -> tokenizers.Tokenizer:
    """What models of many languages have, with a mark at the end only."""
    pieces = [("[PAD]", 0.0), ("[UNK]", -9.0), ("</s>", 0.0), ("▁", -2.0), ("▁dog", -3.0)]
    pieces += [("▁red", -3.0), ("hund", -4.0), ("犬", -4.0), *((c, -6.0) for c in "abcdeghnorstu")]
    made = tokenizers.Tokenizer(models.Unigram(pieces, unk_id=1, byte_fallback=False))
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    made.post_processor = processors.TemplateProcessing(
        single="$A </s>", special_tokens=[("</s>", 2)]
    )
    return made


def write(made: tokenizers.Tokenizer, folder: Path) -> Path:
    """Write tokenizer.json into `folder`."""
    made.save(str(folder / "tokenizer.json"))
    return folder / "tokenizer.json"


def edited(path: Path, edit: Callable[[dict[str, Any]], object]) -> Path:
    """Rewrite tokenizer.json after `edit`."""
    content = json.loads(path.read_text(encoding="utf-8"))
    edit(content)
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def by_the_library(path: Path, texts: Sequence[str], context: int) -> list[list[int]]:
    """The ids of each text, cut to `context`, without padding."""
    library = tokenizers.Tokenizer.from_file(str(path))
    library.no_padding()
    library.enable_truncation(context)
    return [library.encode(text).ids for text in texts]
