"""MCt, the Text-RepMixer hybrid: the text encoder of MobileCLIP-S0 (arXiv 2311.17049, section 4.2).

A few plain transformer layers stand between two convolutional blocks whose training-time branches
fold into one depthwise convolution each, so the encoder is 1.5 times smaller than twelve
transformer layers of the same width and nearly as good.

    text = TextRepMixer()                                         # MobileCLIP-S0's own
    small = TextRepMixer(context_length=32, width=256, heads=4, output_dim=384, embed_dim=64)
    features = small(ids)                                         # (B, 32) int64 -> (B, 384)

Attention is bidirectional and nothing is masked: padding is attended to and takes part in the
convolutions, so a caption's embedding depends on the padding. Always feed rows of the full context
length, padded with id 0, as in training.

Parameter names run parallel to those of Apple's `text_encoder`: `blocks.N` is `transformer.N`,
query, key and value are stacked in that order, and each leaf has the same shape, but for
`positional_embedding`, which there has two more leading axes of size 1.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_conv_bn_weights

KERNEL_SIZE = 11


def _depthwise(channels: int, *, bias: bool) -> nn.Conv2d:
    """A depthwise convolution along the tokens of (B, C, 1, L) that keeps the length."""
    return nn.Conv2d(
        channels,
        channels,
        kernel_size=(1, KERNEL_SIZE),
        padding=(0, KERNEL_SIZE // 2),
        groups=channels,
        bias=bias,
    )


class MixerBranches(nn.Module):
    """The training-time branches of a RepMixer: a normalised convolution and a normalised skip."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = _depthwise(channels, bias=False)
        self.bn = nn.BatchNorm2d(channels)
        self.skip = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.bn(self.conv(x)) + self.skip(x)
        return y


class RepMixer(nn.Module):
    """Token mixing without attention: y = x + scale * (mixer(x) - norm(x)), on (B, C, 1, L).

    Every term is linear in x once the batch statistics are fixed, so `reparameterize` replaces the
    whole by one depthwise convolution (FastViT, arXiv 2303.14189, section 3.1).
    """

    def __init__(self, channels: int, *, layer_scale: float) -> None:
        super().__init__()
        self.mixer = MixerBranches(channels)
        self.norm = nn.BatchNorm2d(channels)
        self.layer_scale = nn.Parameter(torch.full((channels, 1, 1), layer_scale))
        self.folded: nn.Conv2d | None = None

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor
        if self.folded is not None:
            y = self.folded(x)
        else:
            y = x + self.layer_scale * (self.mixer(x) - self.norm(x))
        return y

    @torch.no_grad()
    def reparameterize(self) -> None:
        """Fold the branches into one convolution, in place; a second call does nothing."""
        if self.folded is not None:
            return
        weight = self.mixer.conv.weight
        identity = torch.zeros_like(weight)
        identity[..., KERNEL_SIZE // 2] = 1
        conv_weight, conv_bias = _fold(weight, self.mixer.bn)
        skip_weight, skip_bias = _fold(identity, self.mixer.skip)
        norm_weight, norm_bias = _fold(identity, self.norm)
        scale = self.layer_scale.unsqueeze(-1)

        folded = _depthwise(weight.shape[0], bias=True).to(weight)
        assert folded.bias is not None
        folded.weight.copy_(identity + scale * (conv_weight + skip_weight - norm_weight))
        folded.bias.copy_(self.layer_scale.flatten() * (conv_bias + skip_bias - norm_bias))
        del self.mixer, self.norm, self.layer_scale
        self.folded = folded.requires_grad_(False)


def _fold(weight: Tensor, bn: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Weight and bias of the one convolution that equals `bn` after a convolution by `weight`."""
    assert bn.running_mean is not None
    assert bn.running_var is not None
    return fuse_conv_bn_weights(
        weight, None, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias
    )


class ConvFeedForward(nn.Module):
    """Depthwise convolution, then a two-layer perceptron on each token, on (B, C, 1, L)."""

    def __init__(self, channels: int, *, ratio: int = 4) -> None:
        super().__init__()
        self.conv: nn.Module = nn.Sequential()
        self.conv.add_module("conv", _depthwise(channels, bias=False))
        self.conv.add_module("bn", nn.BatchNorm2d(channels))
        self.fc1 = nn.Conv2d(channels, ratio * channels, kernel_size=1)
        self.act = nn.GELU()
        self.fc2 = nn.Conv2d(ratio * channels, channels, kernel_size=1)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.fc2(self.act(self.fc1(self.conv(x))))
        return y

    def reparameterize(self) -> None:
        """Fold the batch normalisation into its convolution, in place."""
        if isinstance(self.conv, nn.Sequential):
            conv, bn = self.conv
            assert isinstance(conv, nn.Conv2d)
            assert isinstance(bn, nn.BatchNorm2d)
            # torch refuses to fold a layer in training mode, whose statistics are the batch's.
            self.conv = fuse_conv_bn_eval(conv.eval(), bn.eval()).requires_grad_(False)


class RepMixerBlock(nn.Module):
    """RepMixer, then a residual convolutional feed-forward layer, on tokens (B, L, C)."""

    def __init__(self, channels: int, *, layer_scale: float) -> None:
        super().__init__()
        self.token_mixer = RepMixer(channels, layer_scale=layer_scale)
        self.convffn = ConvFeedForward(channels)
        self.layer_scale = nn.Parameter(torch.full((channels, 1, 1), layer_scale))

    def forward(self, tokens: Tensor) -> Tensor:
        x: Tensor = self.token_mixer(tokens.transpose(1, 2).unsqueeze(2))
        x = x + self.layer_scale * self.convffn(x)
        return x.squeeze(2).transpose(1, 2)


class TransformerLayer(nn.Module):
    """Pre-norm self-attention and feed-forward on tokens (B, L, C), every token seeing every other.

    Written out rather than taken from `torch.nn`, whose fused inference path cannot be exported.
    """

    def __init__(self, channels: int, heads: int, *, ratio: int = 4) -> None:
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(channels)
        self.qkv = nn.Linear(channels, 3 * channels)
        self.proj = nn.Linear(channels, channels)
        self.norm2 = nn.LayerNorm(channels)
        self.fc1 = nn.Linear(channels, ratio * channels)
        self.act = nn.GELU()
        self.fc2 = nn.Linear(ratio * channels, channels)

    def forward(self, tokens: Tensor) -> Tensor:
        qkv = self.qkv(self.norm1(tokens)).unflatten(-1, (3, self.heads, -1))
        query, key, value = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        mixed = F.scaled_dot_product_attention(query, key, value)
        tokens = tokens + self.proj(mixed.transpose(1, 2).flatten(2))
        tokens = tokens + self.fc2(self.act(self.fc1(self.norm2(tokens))))
        return tokens


class TextRepMixer(nn.Module):
    """Text tower: token ids (B, context_length) int64 -> features (B, output_dim), not unit norm.

    `layers` counts the transformer layers between the two RepMixer blocks. `embed_dim`, when given,
    stores the token table at that smaller width followed by one linear map to `width`: of a small
    encoder's parameters the table is by far the most. `layer_scale` is the initial value of the
    scales of the RepMixer blocks.

    The end-of-text token must have the largest id of the vocabulary: features are read at the
    position of the largest id of each row.

    Raises `ValueError` for a width that the heads do not divide, and on rows of another length.
    """

    def __init__(
        self,
        *,
        context_length: int = 77,
        vocab_size: int = 49408,
        width: int = 512,
        heads: int = 8,
        layers: int = 4,
        output_dim: int = 512,
        embed_dim: int | None = None,
        layer_scale: float = 1e-5,
    ) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"width {width} is not a multiple of heads {heads}; change either")
        self.context_length = context_length
        self.vocab_size = vocab_size
        self.output_dim = output_dim
        self.token_embedding = nn.Embedding(vocab_size, embed_dim or width)
        self.embedding_projection = (
            nn.Identity() if embed_dim is None else nn.Linear(embed_dim, width, bias=False)
        )
        self.positional_embedding = nn.Parameter(torch.empty(context_length, width))
        self.blocks = nn.Sequential(
            RepMixerBlock(width, layer_scale=layer_scale),
            *(TransformerLayer(width, heads) for _ in range(layers)),
            RepMixerBlock(width, layer_scale=layer_scale),
        )
        self.final_norm = nn.LayerNorm(width)
        self.text_projection = nn.Parameter(torch.empty(width, output_dim))
        self._initialise(width, layers)

    def _initialise(self, width: int, layers: int) -> None:
        """CLIP's initial weights in the transformer, FastViT's in the convolutional blocks."""
        nn.init.normal_(self.token_embedding.weight, std=0.02)
        if isinstance(self.embedding_projection, nn.Linear):
            # Keeps the token vectors at the scale that an unfactorised table starts from.
            nn.init.normal_(
                self.embedding_projection.weight, std=self.embedding_projection.in_features**-0.5
            )
        nn.init.normal_(self.positional_embedding, std=0.01)
        nn.init.normal_(self.text_projection, std=width**-0.5)
        residual_std = (2 * width * max(layers, 1)) ** -0.5
        for module in self.modules():
            if isinstance(module, TransformerLayer):
                nn.init.normal_(module.qkv.weight, std=width**-0.5)
                nn.init.normal_(module.proj.weight, std=residual_std)
                nn.init.normal_(module.fc1.weight, std=(2 * width) ** -0.5)
                nn.init.normal_(module.fc2.weight, std=residual_std)
                for linear in (module.qkv, module.proj, module.fc1, module.fc2):
                    nn.init.zeros_(linear.bias)
            elif isinstance(module, nn.Conv2d):
                nn.init.trunc_normal_(module.weight, std=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, ids: Tensor) -> Tensor:
        # A traced shape is a tensor, and its comparison a warning that tells nothing.
        tracing = torch.jit.is_tracing()  # type: ignore[attr-defined, no-untyped-call]
        if not tracing and ids.shape[1:] != (self.context_length,):
            raise ValueError(
                f"token ids of shape {tuple(ids.shape)}, expected (batch, {self.context_length}); "
                "pad every row with id 0, never trim"
            )
        x = self.embedding_projection(self.token_embedding(ids)) + self.positional_embedding
        x = self.blocks(x)
        # The norm is per token, so only the token that is read out needs it.
        end = ids.argmax(dim=-1, keepdim=True).unsqueeze(-1).expand(-1, -1, x.shape[-1])
        x = x.gather(1, end).squeeze(1)
        features: Tensor = self.final_norm(x) @ self.text_projection
        return features

    def reparameterize(self) -> None:
        """Fold every RepMixer block for inference, in place. Not to be trained afterwards."""
        for module in list(self.modules()):
            if isinstance(module, RepMixer | ConvFeedForward):
                module.reparameterize()
