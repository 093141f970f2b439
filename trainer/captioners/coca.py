"""Captions from CoCa (arXiv 2205.01917), as MobileCLIP's data set got them (section 3.1).

    captioner = CocaCaptioner("coca_ViT-L-14", "mscoco_finetuned_laion2b_s13b_b90k")
    captioner.caption([photo], [{}], ["photo-1"], count=5)

The decoding loop is ours. open_clip's own `CoCa.generate` draws from PyTorch's global generator, so
that a photo's captions would depend on its neighbours, and it needs a class that transformers 5 no
longer has.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from trainer.captioners.nucleus import nucleus_sample
from trainer.captioners.wording import GENERIC, choose
from trainer.fingerprint import fingerprint
from trainer.models.pretrained import load_pretrained

TOP_P = 0.9
# As in open_clip: tokens of a caption with its start and end, and the least before its end.
_LONGEST, _SHORTEST = 30, 5
# Captions written side by side.
_BATCH = 64


class CocaCaptioner:
    """A `Captioner`: nucleus sampling with `top_p`, cut at the first full stop.

    Draws are a function of a photo's key and of the number of the caption. A caption in which
    nothing stands before the full stop becomes "a photo".

    Takes the arguments of `load_pretrained` and raises its errors, and `ValueError` for a model
    that writes no text.
    """

    def __init__(
        self, model: str, weights: str | None = None, *, top_p: float = TOP_P, **options: Any
    ) -> None:
        self._opened = load_pretrained(model, weights, **options)
        tokenizer = self._opened.tokenizer
        if not hasattr(self._opened.model, "text_decoder") or not hasattr(tokenizer, "decoder"):
            raise ValueError(
                f"{self._opened.name}: does not write captions; name a CoCa model with CLIP's "
                "tokenizer, such as coca_ViT-L-14"
            )
        self._top_p = top_p
        self._start, self._end = tokenizer.sot_token_id, tokenizer.eot_token_id
        stops = [token for token, text in tokenizer.decoder.items() if "." in text]
        self._stops = torch.tensor([self._end, *stops], device=self._opened.device)
        self.name = self._opened.name
        self.digest = fingerprint(
            {
                "captioner": "coca",
                "model": self._opened.digest,
                "top_p": top_p,
                "length": [_SHORTEST, _LONGEST],
                "words": GENERIC,
            }
        )

    def caption(
        self,
        images: Sequence[Image.Image],
        metas: Sequence[Mapping[str, Any]],
        keys: Sequence[str],
        count: int,
    ) -> list[list[str]]:
        """`count` captions of each RGB picture of any size."""
        together = max(1, _BATCH // max(1, count))
        result: list[list[str]] = []
        for start in range(0, len(images), together):
            chunk = slice(start, start + together)
            result += self._caption(images[chunk], keys[chunk], count)
        return result

    def _caption(
        self, images: Sequence[Image.Image], keys: Sequence[str], count: int
    ) -> list[list[str]]:
        pixels = torch.stack([self._opened.preprocess(image) for image in images])
        uniform = torch.from_numpy(
            np.stack([_draws(key, number) for key in keys for number in range(count)])
        )
        tokens = self._write(pixels.to(self._opened.device), uniform, count).tolist()
        result = []
        for number, key in enumerate(keys):
            texts = [self._text(row) for row in tokens[number * count : (number + 1) * count]]
            spare = choose(GENERIC, key, count)
            result.append([text or other for text, other in zip(texts, spare, strict=True)])
        return result

    @torch.inference_mode()
    def _write(self, pixels: Tensor, uniform: Tensor, count: int) -> Tensor:
        """Tokens (n * count, at most 30) of `count` captions of each picture (n, 3, S, S)."""
        seen = self._opened.model(pixels)
        latent, patches = (
            seen[name].repeat_interleave(count, dim=0) for name in ("image_features", "image_embs")
        )
        tokens = torch.full((len(uniform), 1), self._start, device=pixels.device)
        done = torch.zeros(len(uniform), dtype=torch.bool, device=pixels.device)
        uniform = uniform.to(pixels.device)
        while tokens.shape[1] < _LONGEST - 1 and not done.all():
            going = (~done).nonzero().squeeze(1)
            logits = self._opened.model(
                None,
                tokens[going],
                image_latent=latent[going],
                image_embs=patches[going],
                output_labels=False,
            )["logits"][:, -1]
            logits[:, self._start] = -torch.inf
            if tokens.shape[1] < _SHORTEST:
                logits[:, self._end] = -torch.inf
            drawn = torch.full((len(tokens),), self._end, device=tokens.device)
            drawn[going] = nucleus_sample(logits, uniform[going, tokens.shape[1]], self._top_p)
            tokens = torch.cat([tokens, drawn[:, None]], dim=1)
            done |= torch.isin(drawn, self._stops)
        return tokens

    def _text(self, tokens: list[int]) -> str:
        written = tokens[1 : tokens.index(self._end)] if self._end in tokens else tokens[1:]
        return self._opened.tokenizer.decode(written).split(".")[0].strip()


def _draws(key: str, number: int) -> np.ndarray:
    """(30,) numbers in [0, 1), for each place of one caption."""
    seed = hashlib.sha256(f"{key}\n{number}".encode()).digest()
    return np.random.default_rng(list(seed)).random(_LONGEST)
