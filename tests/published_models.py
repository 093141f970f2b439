"""Models of random weights as they are published as ONNX, and what PyTorch makes of them.

open_clip_model(folder) and the others write the files of a repository into `folder`, in the layout
of immich's exports or of transformers.js, and return the original to compare with.
"""

# ruff: noqa: RUF001

from __future__ import annotations

import json
import random
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tokenizers
import torch
from PIL import Image
from tiny_openclip import CLIP, PREPROCESSING, SIZE, write_folder
from tokenizers import models, normalizers, pre_tokenizers, processors, trainers
from torch import nn

from trainer.torchvision_ops import ensure_torchvision

_WORDS = (
    "a red Dog runs, on the BEACH! café naïve; don't \u201cquoted\u201d straße #42",
    "Собака бежит по пляжу, красный дом; Ёлка и снег!",
    "Ένας σκύλος τρέχει στην παραλία, ΚΟΚΚΙΝΟ σπίτι",
    "كلب يركض على الشاطئ، منزل أحمر في الثلج",
    "כלב רץ על החוף, בית אדום בשלג",
    "कुत्ता समुद्र तट पर दौड़ता है लाल घर बर्फ",
    "কুকুর সৈকতে দৌড়ায় লাল বাড়ি তুষার",
    "สุนัข วิ่ง บน ชายหาด บ้าน สีแดง หิมะ",
    "狗 在 海滩 上 奔跑 红色 的 房子 犬 浜辺 走る ﾊﾛｰ １２",
    "개가 해변에서 달린다 빨간 집 눈 속의",
)


def texts(count: int = 500) -> list[str]:
    """Texts in ten scripts, short and longer than any context, with marks and odd white space."""
    dice = random.Random(5)
    made = []
    for number in range(count):
        words = _WORDS[number % len(_WORDS)].split()
        length = dice.choice((1, 2, 3, 5, 8, 13, 90))
        made.append(dice.choice((" ", "  ", "\t", "_")).join(dice.choices(words, k=length)))
    return made


@dataclass(frozen=True)
class Original:
    """`images` and `texts` give unit vectors, `ids` the tokens of texts with their padding."""

    images: Callable[[Sequence[Image.Image]], np.ndarray]
    texts: Callable[[Sequence[str]], np.ndarray]
    ids: Callable[[Sequence[str]], np.ndarray]


def clip(folder: Path) -> Original:
    """A CLIP in the layout of immich's exports; its tokens are CLIP's."""
    opened = _opened(folder.with_name(f"{folder.name}-torch"))
    _write(folder / "textual" / "tokenizer.json", clip_tokenizer)
    return _open_clip(folder, opened, PREPROCESSING, CLIP, "<|endoftext|>", tokens=None)


def siglip(folder: Path) -> Original:
    """A SigLIP, squashed pictures and a tokenizer of its own, in that layout."""
    tokenizer = unigram(folder / "textual")
    text = {
        "context_length": 64,
        "vocab_size": tokenizers.Tokenizer.from_file(str(tokenizer)).get_vocab_size(),
        "width": 16,
        "heads": 2,
        "layers": 1,
        "hf_tokenizer_name": str(folder / "textual"),
        "tokenizer_kwargs": {"clean": "canonicalize"},
        "no_causal_mask": True,
        "proj_bias": True,
        "pool_type": "last",
    }
    config = {**CLIP, "custom_text": True, "init_logit_bias": -10, "text_cfg": text}
    preprocessing = {
        "size": [SIZE, SIZE],
        "mode": "RGB",
        "mean": [0.5] * 3,
        "std": [0.5] * 3,
        "interpolation": "bicubic",
        "resize_mode": "squash",
        "fill_color": 0,
    }
    opened = _opened(folder.with_name(f"{folder.name}-torch"), config, preprocessing)
    return _open_clip(folder, opened, preprocessing, config, "</s>", tokens="canonicalize")


def xlm_roberta(folder: Path) -> Original:
    """A text tower as XLM-R's beside a CLIP's pictures, in that layout."""
    from transformers import XLMRobertaConfig, XLMRobertaModel

    tokenizer = unigram(folder / "textual", around=("<s>", "</s>"))
    vocabulary = tokenizers.Tokenizer.from_file(str(tokenizer)).get_vocab_size()
    made = XLMRobertaConfig(
        vocab_size=vocabulary,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=90,
        pad_token_id=0,
    )
    base = folder.with_name(f"{folder.name}-base")
    torch.manual_seed(6)
    XLMRobertaModel(made).save_pretrained(base)
    text = {
        "hf_model_name": str(base),
        "hf_tokenizer_name": str(folder / "textual"),
        "hf_pooler_type": "mean_pooler",
    }
    config = {**CLIP, "text_cfg": text}
    opened = _opened(folder.with_name(f"{folder.name}-torch"), config)
    return _open_clip(folder, opened, PREPROCESSING, config, "<pad>", tokens="whitespace")


def transformers_clip(folder: Path) -> Original:
    """A CLIP of the library transformers as transformers.js wants it, with masks, and as 8 bits."""
    from onnxruntime.quantization import quantize_dynamic
    from transformers import (
        CLIPConfig,
        CLIPTextConfig,
        CLIPTextModelWithProjection,
        CLIPVisionConfig,
        CLIPVisionModelWithProjection,
    )

    torch.manual_seed(4)
    width = {"hidden_size": 16, "intermediate_size": 32, "num_attention_heads": 2}
    text_config = CLIPTextConfig(
        **width, num_hidden_layers=1, projection_dim=12, bos_token_id=49406, eos_token_id=49407
    )
    image_config = CLIPVisionConfig(
        **width, num_hidden_layers=1, projection_dim=12, image_size=SIZE, patch_size=8
    )
    text = CLIPTextModelWithProjection(text_config).eval()
    image = CLIPVisionModelWithProjection(image_config).eval()
    _write(folder / "tokenizer.json", clip_tokenizer)
    CLIPConfig(
        text_config=text_config.to_dict(), vision_config=image_config.to_dict(), projection_dim=12
    ).save_pretrained(folder)
    preprocessing = {
        "do_center_crop": True,
        "crop_size": {"height": SIZE, "width": SIZE},
        "do_resize": True,
        "size": {"shortest_edge": SIZE},
        "resample": 3,
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": PREPROCESSING["mean"],
        "image_std": PREPROCESSING["std"],
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(preprocessing))
    (folder / "tokenizer_config.json").write_text(json.dumps({"pad_token": "<|endoftext|>"}))

    see = _Tower(image, lambda pixels: image(pixel_values=pixels).image_embeds)
    read = _Tower(text, lambda ids, mask: text(input_ids=ids, attention_mask=mask).text_embeds)
    onnx = folder / "onnx"
    _export(see, (_pixels(),), onnx / "vision_model.onnx", ["pixel_values"], "image_embeds")
    ids = torch.full((2, 77), 49407)
    _export(
        read,
        (ids, torch.ones_like(ids)),
        onnx / "text_model.onnx",
        ["input_ids", "attention_mask"],
        "text_embeds",
    )
    for name in ("vision_model", "text_model"):
        quantize_dynamic(onnx / f"{name}.onnx", onnx / f"{name}_quantized.onnx")
    tokens = _clip_ids(77)
    transform = _transform(PREPROCESSING)
    return Original(
        lambda pictures: _unit(see(transform(pictures))),
        lambda found: _unit(read(tokens(found), torch.ones_like(tokens(found)))),
        lambda found: tokens(found).numpy(),
    )


def clip_tokenizer() -> tokenizers.Tokenizer:
    """As the library transformers publishes CLIP's."""
    import open_clip

    simple = open_clip.SimpleTokenizer()
    merges = sorted(simple.bpe_ranks, key=simple.bpe_ranks.__getitem__)
    names = {"<start_of_text>": "<|startoftext|>", "<end_of_text>": "<|endoftext|>"}
    vocabulary = {names.get(word, word): number for word, number in simple.encoder.items()}
    model = models.BPE(vocabulary, merges, end_of_word_suffix="</w>", unk_token="<|endoftext|>")
    return tokenizers.Tokenizer(model)


def unigram(folder: Path, *, around: tuple[str, ...] = ("</s>",)) -> Path:
    """Train a SentencePiece tokenizer on the texts, with the files that one is published with."""
    made = tokenizers.Tokenizer(models.Unigram())
    made.normalizer = normalizers.NFKC()
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    special = ["<pad>", "</s>", "<unk>", "<s>"]
    trainer = trainers.UnigramTrainer(
        vocab_size=400, special_tokens=special, unk_token="<unk>", show_progress=False
    )
    made.train_from_iterator([*_WORDS, *(line.lower() for line in _WORDS)] * 3, trainer)
    template = " ".join([*around[:-1], "$A", around[-1]])
    made.post_processor = processors.TemplateProcessing(
        single=template, special_tokens=[(mark, special.index(mark)) for mark in set(around)]
    )
    _write(folder / "tokenizer.json", lambda: made)
    return folder / "tokenizer.json"


class _Tower(nn.Module):
    """A part of a model, with all of its weights."""

    def __init__(self, model: nn.Module, run: Callable[..., torch.Tensor]) -> None:
        super().__init__()
        self.model, self.run = model, run

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        return self.run(*inputs)


def _opened(
    folder: Path,
    config: dict[str, Any] = CLIP,
    preprocessing: dict[str, Any] = PREPROCESSING,
) -> Any:
    ensure_torchvision()
    import open_clip

    write_folder(folder, config, preprocessing=preprocessing)
    return open_clip.create_model(f"local-dir:{folder}").eval()


def _open_clip(
    folder: Path,
    opened: Any,
    preprocessing: dict[str, Any],
    config: dict[str, Any],
    pad: str,
    *,
    tokens: str | None,
) -> Original:
    from open_clip.tokenizer import HFTokenizer

    (folder / "visual").mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "README.md").write_text("---\ntags: [clip]\n---\n# Exports\n")
    said = {"size": SIZE, "mode": "RGB", "interpolation": "bicubic", "resize_mode": "shortest"}
    (folder / "visual/preprocess_cfg.json").write_text(json.dumps(said | preprocessing))
    (folder / "textual/tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": pad})
    )
    context = config["text_cfg"].get("context_length", 77)
    ids = _clip_ids(context)
    if tokens is not None:
        own = HFTokenizer(str(folder / "textual"), context_length=context, clean=tokens)
        ids = lambda found: own(list(found))  # noqa: E731

    _export(
        _Tower(opened, opened.encode_image),
        (_pixels(),),
        folder / "visual/model.onnx",
        ["image"],
        "output",
    )
    example = ids(["a dog", "a red house"]).to(torch.int32)
    _export(
        _Tower(opened, opened.encode_text),
        (example,),
        folder / "textual/model.onnx",
        ["text"],
        "output",
    )
    transform = _transform(said | preprocessing)
    return Original(
        lambda pictures: _unit(opened.encode_image(transform(pictures))),
        lambda found: _unit(opened.encode_text(ids(found))),
        lambda found: ids(found).numpy(),
    )


def _clip_ids(context: int) -> Callable[[Sequence[str]], torch.Tensor]:
    import open_clip

    simple = open_clip.SimpleTokenizer(context_length=context)
    return lambda found: simple(list(found))


def _transform(preprocessing: dict[str, Any]) -> Callable[[Sequence[Image.Image]], torch.Tensor]:
    from open_clip.transform import PreprocessCfg, image_transform_v2

    made = image_transform_v2(PreprocessCfg(**({"size": SIZE} | preprocessing)), is_train=False)
    return lambda pictures: torch.stack([made(picture) for picture in pictures])


def _pixels() -> torch.Tensor:
    return torch.rand(2, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(1))


def _export(
    tower: nn.Module, example: tuple[torch.Tensor, ...], path: Path, names: list[str], output: str
) -> None:
    """By the exporter that the published ones were made with: it traces one call."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # PyTorch's fused attention has no ONNX form.
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            tower.eval(),
            example,
            str(path),
            input_names=names,
            output_names=[output],
            dynamic_axes={name: {0: "n"} for name in (*names, output)},
            dynamo=False,
        )
    torch.backends.mha.set_fastpath_enabled(fast)


def _unit(rows: torch.Tensor) -> np.ndarray:
    found = rows.detach().numpy()
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def _write(path: Path, make: Callable[[], tokenizers.Tokenizer]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    make().save(str(path))
