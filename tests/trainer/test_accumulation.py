"""Gradients computed in parts against those of one graph over the same parts."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from trainer.losses import clip_loss, gather_pairs
from trainer.train.accumulation import backward_in_parts
from trainer.train.task import Outputs

PARTS, ROWS = 3, 5


class Network(nn.Module):
    """Two towers with dropout, batch statistics and a learned scale, in float64."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.image = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.Dropout(0.4))
        self.text = nn.Sequential(nn.Linear(3, 6), nn.Dropout(0.4))
        self.scale = nn.Parameter(torch.tensor(1.0))
        self.double()

    def forward(self, images: Tensor, texts: Tensor) -> Outputs:
        return self.image(images), self.text(texts), self.scale.exp()


def losses_of(outputs: list[Outputs]) -> dict[str, Tensor]:
    images, texts = (torch.cat([output[i] for output in outputs]) for i in range(2))
    normalise = nn.functional.normalize
    pairs = gather_pairs(normalise(images, dim=1), normalise(texts, dim=1))
    return {"loss": clip_loss(pairs, outputs[-1][2])}


def test_gradients_and_statistics_are_those_of_one_graph() -> None:
    network = Network()
    reference = copy.deepcopy(network)
    torch.manual_seed(1)
    parts = [(torch.randn(ROWS, 4).double(), torch.randn(ROWS, 3).double()) for _ in range(PARTS)]

    def embed(model: nn.Module, number: int) -> Outputs:
        torch.manual_seed(number)  # the same units drop out in both passes
        outputs: Outputs = model(*parts[number])
        return outputs

    expected = losses_of([embed(reference, number) for number in range(PARTS)])["loss"]
    expected.backward()  # type: ignore[no-untyped-call]

    lasts: list[bool] = []

    def forward(number: int, *, last: bool) -> Outputs:
        if torch.is_grad_enabled():
            lasts.append(last)
        return embed(network, number)

    scaler = torch.amp.GradScaler("cpu", enabled=False)
    losses = backward_in_parts(network, PARTS, forward, losses_of, scaler)
    torch.testing.assert_close(losses["loss"], expected)
    assert lasts == [False, False, True]
    for mine, theirs in zip(network.parameters(), reference.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, theirs.grad)
    for mine, theirs in zip(network.buffers(), reference.buffers(), strict=True):
        torch.testing.assert_close(mine, theirs)


def test_a_scaled_loss_gives_scaled_gradients() -> None:
    """As float16 needs; the scale is taken out again before the optimiser's step."""
    network = Network().eval()
    reference = copy.deepcopy(network)
    batch = (torch.randn(ROWS, 4).double(), torch.randn(ROWS, 3).double())

    def gradients(model: Network, scaler: torch.amp.GradScaler) -> list[Tensor]:
        def forward(number: int, *, last: bool) -> Outputs:
            outputs: Outputs = model(*batch)
            return outputs

        backward_in_parts(model, 1, forward, losses_of, scaler)
        return [parameter.grad for parameter in model.parameters() if parameter.grad is not None]

    plain = gradients(reference, torch.amp.GradScaler("cpu", enabled=False))
    scaled = gradients(network, torch.amp.GradScaler("cpu", init_scale=64.0))
    for mine, theirs in zip(scaled, plain, strict=True):
        torch.testing.assert_close(mine, 64 * theirs)


def test_what_is_frozen_gets_no_gradient() -> None:
    network = Network()
    network.text.requires_grad_(False)
    batch = (torch.randn(ROWS, 4).double(), torch.randn(ROWS, 3).double())

    def forward(number: int, *, last: bool) -> Outputs:
        outputs: Outputs = network(*batch)
        return outputs

    scaler = torch.amp.GradScaler("cpu", enabled=False)
    backward_in_parts(network, 2, forward, losses_of, scaler)
    assert all(parameter.grad is None for parameter in network.text.parameters())
    assert all(parameter.grad is not None for parameter in network.image.parameters())
