"""A sentence encoder as text tower: what it computes is what sentence-transformers computes."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from sentence_encoders import HEADS, LAYERS, POSITIONS, TOKENS, WIDTH, write_encoder
from torch.nn import functional as F

from photosearch.encoders import Tokenizer
from photosearch.encoders.own_tokenizer import OwnTokenizer
from trainer.models.checkpoints import detect_layout, from_ours, load_into
from trainer.models.config import load_config
from trainer.models.family import build, build_text_tower
from trainer.models.measure import summarise
from trainer.models.sentence_tower import SentenceTower, load_sentence_encoder
from trainer.models.tokens import text_facts, tokenizer_file, tokenizer_of
from trainer.teachers.sentence import SentenceEncoder, packaged_encoder
from trainer.train.recipe import load_recipe
from trainer.train.student import build_student, load_first_weights

TEXTS = [
    "a dog",
    "",
    "two children playing in the snow at night, with their grandmother",
    "Zürich im Winter, a 犬 and a 🐕",
    "very " * 100 + "long",
]


def small(**changes: Any) -> SentenceTower:
    shape = {"context_length": 12, "vocab_size": TOKENS, "width": WIDTH}
    return SentenceTower(**(shape | {"heads": HEADS, "layers": LAYERS} | changes)).eval()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny sentence encoder, only to be looked at."""
    return write_encoder(tmp_path_factory.mktemp("encoder") / "tiny")


@pytest.fixture(scope="module")
def loaded(folder: Path) -> SentenceTower:
    tower = small()
    load_sentence_encoder(tower, folder)
    return tower


@pytest.mark.slow
@torch.inference_mode()
def test_the_packaged_encoder_is_computed_to_the_last_digits() -> None:
    """all-MiniLM-L6-v2 by sentence-transformers, in float32, against our tower and tokens."""
    config = load_config("MobileCLIP-Small")
    tower = build_text_tower(config.text, config.dim).eval()
    assert isinstance(tower, SentenceTower)
    load_sentence_encoder(tower, packaged_encoder())
    theirs: Any = SentenceEncoder()._model
    theirs.max_seq_length = config.text.context_length

    ours = F.normalize(tower(torch.from_numpy(tokenizer_of(config.text)(TEXTS))), dim=1)

    expected = theirs.encode(TEXTS, normalize_embeddings=True)
    np.testing.assert_allclose(ours.numpy(), expected, rtol=0, atol=1e-5)


@torch.inference_mode()
def test_padding_takes_no_part(loaded: SentenceTower) -> None:
    row = torch.tensor([[2, 8, 9, 3]])
    expected = loaded(row)
    for length in (5, 12):
        padded = torch.zeros(3, length, dtype=torch.int64)
        padded[1, :4] = row
        padded[2] = torch.arange(2, 2 + length)
        np.testing.assert_allclose(loaded(padded)[1:2], expected, rtol=0, atol=1e-6)


@torch.inference_mode()
def test_the_order_of_words_counts(loaded: SentenceTower) -> None:
    one, other = loaded(torch.tensor([[2, 8, 9, 10, 3], [2, 10, 9, 8, 3]]))
    assert F.cosine_similarity(one, other, dim=0) < 0.999


@torch.inference_mode()
def test_nothing_but_padding_is_no_number_too_many(loaded: SentenceTower) -> None:
    assert (loaded(torch.zeros(1, 3, dtype=torch.int64)) == 0).all()


def test_every_weight_is_trained(loaded: SentenceTower) -> None:
    tower = small()
    tower(torch.tensor([[2, 8, 9, 3, 0], [2, 8, 9, 10, 3]])).square().sum().backward()
    assert all(weight.grad is not None for weight in tower.parameters())


def test_a_width_that_the_heads_do_not_divide() -> None:
    with pytest.raises(ValueError, match="width 16 is not a multiple of heads 3"):
        small(heads=3)


class TestWhatCannotBeLoaded:
    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"config": {"model_type": "mpnet"}}, "is no BERT with GELU"),
            ({"config": {"hidden_act": "relu"}}, "is no BERT with GELU"),
            ({"pooling": {"pooling_mode_cls_token": True}}, "does not take the mean over tokens"),
            ({"pooling": {"pooling_mode_mean_tokens": False}}, "does not take the mean"),
            ({"layers": LAYERS + 1}, "more than 2 layers"),
            ({"layers": LAYERS - 1}, r"encoder\.layer\.1\."),
            ({"config": {"num_attention_heads": 4}}, "has 4 heads"),
        ],
    )
    def test_another_kind_or_shape(
        self, tmp_path: Path, changes: dict[str, Any], message: str
    ) -> None:
        folder = write_encoder(tmp_path / "other", **changes)
        with pytest.raises(ValueError, match=message) as caught:
            load_sentence_encoder(small(), folder)
        assert str(caught.value).startswith(str(folder))

    @pytest.mark.parametrize("change", [{"vocab_size": 9}, {"width": 32}])
    def test_other_sizes(self, folder: Path, change: dict[str, int]) -> None:
        with pytest.raises(ValueError, match="not a sentence encoder of this shape"):
            load_sentence_encoder(small(**change), folder)

    def test_too_few_positions(self, folder: Path) -> None:
        with pytest.raises(ValueError, match=f"has only {POSITIONS} positions"):
            load_sentence_encoder(small(context_length=POSITIONS + 1), folder)

    @pytest.mark.parametrize("name", ["config.json", "1_Pooling/config.json", "model.safetensors"])
    @pytest.mark.parametrize("content", [None, b"{", b"[]"])
    def test_a_file_that_is_missing_or_damaged(
        self, tmp_path: Path, name: str, content: bytes | None
    ) -> None:
        folder = write_encoder(tmp_path / "other")
        (folder / name).unlink()
        if content is not None:
            (folder / name).write_bytes(content)
        with pytest.raises(ValueError, match=name):
            load_sentence_encoder(small(), folder)


@pytest.mark.slow
def test_a_run_starts_from_it(folder: Path, loaded: SentenceTower, tmp_path: Path) -> None:
    small = dataclasses.asdict(load_config("MobileCLIP-Small"))
    shape = {"context_length": 12, "vocab_size": TOKENS, "width": WIDTH}
    small["text"] |= shape | {"heads": HEADS, "layers": LAYERS}
    small["image"] |= {"tower": "test_resnet", "size": 32, "hidden": None, "concepts": False}
    del small["name"]
    (tmp_path / "small.json").write_text(json.dumps(small | {"dim": WIDTH}))
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(
        f"[model]\nname = '{tmp_path / 'small.json'}'\n"
        f"text_init = '{folder / 'model.safetensors'}'\n"
        "[data]\ntrain = ['a.tar']\n[run]\nsteps = 1\nbatch = 2\n"
    )
    read = load_recipe(recipe)
    model = build_student(read)
    load_first_weights(model, read)
    for name, value in model.text.state_dict().items():
        assert torch.equal(value, loaded.state_dict()[name]), name


class TestInTheFamily:
    @pytest.mark.slow
    def test_small_reads_sentences(self) -> None:
        row = summarise("MobileCLIP-Small")
        assert row.text_tower == "BERT 6L w384 h12"
        assert row.text_parameters == pytest.approx(22.4e6, rel=0.01)
        assert row.dim == 384

    def test_of_another_width_than_the_space(self) -> None:
        with pytest.raises(ValueError, match="of width 384 gives no 512 numbers"):
            build_text_tower(load_config("MobileCLIP-Small").text, 512)

    def test_its_checkpoints_are_ours(self) -> None:
        with torch.device("meta"):
            state = build("MobileCLIP-Small").state_dict()
        assert detect_layout(state) == "ours"
        for layout in ("openclip", "apple"):
            with pytest.raises(ValueError, match=r"open_clip has no model|Apple's code has no"):
                from_ours(state, "MobileCLIP-Small", layout)

    def test_its_checkpoints_are_no_other_models(self, tmp_path: Path) -> None:
        with torch.device("meta"):
            model = build("MobileCLIP-Nano")
        path = tmp_path / "small.safetensors"
        save_file({"text.layers.0.proj.bias": torch.ones(1), "visual.b": torch.ones(1)}, path)
        with pytest.raises(ValueError, match=r"small\.safetensors: not the weights of this model"):
            load_into(model, path)

    def test_each_model_has_its_tokenizer(self) -> None:
        nano, sentences = (load_config(f"MobileCLIP-{name}").text for name in ("Nano", "Small"))
        assert isinstance(tokenizer_of(nano), Tokenizer)
        assert isinstance(tokenizer_of(sentences), OwnTokenizer)
        assert tokenizer_file(nano) is None
        assert tokenizer_file(sentences) == packaged_encoder() / "tokenizer.json"
        assert tokenizer_file(sentences, Path("x")) == Path("x/tokenizer.json")
        assert text_facts(nano) == {"context_length": 24, "tokenizer": "clip-bpe"}
        assert json.loads(json.dumps(text_facts(sentences))) == {
            "context_length": 64,
            "tokenizer": "tokenizer.json",
            "pad_id": 0,
            "padding": "longest",
        }
