"""Any text and any tokenizer.json: ids of the right shape, or a bundle that is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from own_tokenizers import bert, unigram

from photosearch.encoders.bundle import TextSettings
from photosearch.encoders.own_tokenizer import OwnTokenizer
from photosearch.encoders.tokenizer import Tokenizer
from photosearch.errors import BundleError

CONTEXT = 8
TEXTS = st.lists(
    st.text(max_size=30)
    | st.sampled_from(("[CLS]", "\ud800", "\0", "ﬁ" * 40, "a" * 300, "犬 dog")),
    max_size=4,
)


@pytest.fixture(scope="module", params=[bert, unigram], ids=["bert", "unigram"])
def written(request: pytest.FixtureRequest) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(request.param().to_str())
    return found


def opened(path: Path, clean: str = "none") -> OwnTokenizer:
    return OwnTokenizer(path, TextSettings(CONTEXT, "tokenizer.json", clean=clean))


@given(TEXTS, st.integers(2, 80))
@example(["\ud800", "&amp;#0;"], 2)
def test_clips_tokenizer_takes_any_text(texts: list[str], context: int) -> None:
    ids = Tokenizer(context)(texts)
    assert ids.shape == (len(texts), context)
    assert ids.dtype == np.int64
    assert ((ids >= 0) & (ids < 49408)).all()


@given(TEXTS, st.sampled_from(("none", "whitespace", "lower", "canonicalize")))
def test_a_bundles_own_takes_any_text(
    tmp_path_factory: pytest.TempPathFactory, written: dict[str, Any], texts: list[str], clean: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "tokenizer.json"
    path.write_text(json.dumps(written))
    tokenizer = opened(path, clean=clean)
    ids = tokenizer(texts)
    assert ids.shape == (len(texts), CONTEXT)
    assert (tokenizer.lengths(texts) <= CONTEXT).all()


PARTS = ("model", "normalizer", "pre_tokenizer", "post_processor", "added_tokens", "truncation")
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 1 << 40) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(("type", "vocab", "id", "a")), inner, max_size=3)
    ),
    max_leaves=5,
)


@example("model", "vocab", {})
@given(st.sampled_from(PARTS), st.none() | st.sampled_from(("type", "vocab", "unk_token")), VALUES)
def test_a_file_that_was_changed_is_refused_or_works(
    tmp_path_factory: pytest.TempPathFactory,
    written: dict[str, Any],
    part: str,
    key: str | None,
    value: object,
) -> None:
    changed = json.loads(json.dumps(written))
    if key is not None and isinstance(changed[part], dict):
        changed[part][key] = value
    else:
        changed[part] = value
    path = tmp_path_factory.getbasetemp() / "changed.json"
    path.write_text(json.dumps(changed))
    try:
        ids = opened(path)(["the red dog", "zürich"])
    except BundleError as error:
        why = str(error)
    else:
        assert ids.shape == (2, CONTEXT)
        return
    assert str(path) in why
