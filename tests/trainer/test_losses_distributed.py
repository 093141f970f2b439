"""The losses in two real processes against one process with the whole batch."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from forked import clean_forks
from torch import Tensor

from trainer.losses import (
    clip_loss,
    distillation_loss,
    gather_pairs,
    reinforced_loss,
    sigmoid_loss,
    teacher_pairs,
)

pytestmark = pytest.mark.slow

PROCESSES, PAIRS, DIM, DIMS, SCALES = 2, 12, 6, (5, 7), (100.0, 60.0)
LOSSES = ("clip", "sigmoid", "distillation", "total")


def whole_batch() -> dict[str, Tensor]:
    """Raw student features, stored embeddings and which photos have a caption, for 12 photos."""
    draw = torch.Generator().manual_seed(7)

    def unit(dim: int) -> Tensor:
        rows = torch.randn(PAIRS, dim, generator=draw, dtype=torch.float64)
        return torch.nn.functional.normalize(rows, dim=1)

    return {
        "images": torch.randn(PAIRS, DIM, generator=draw, dtype=torch.float64),
        "texts": torch.randn(PAIRS, DIM, generator=draw, dtype=torch.float64),
        "synthetic": torch.randn(PAIRS, DIM, generator=draw, dtype=torch.float64),
        "stored_images": torch.cat([unit(dim) for dim in DIMS], dim=1),
        "stored_texts": torch.cat([unit(dim) for dim in DIMS], dim=1),
        "stored_synthetic": torch.cat([unit(dim) for dim in DIMS], dim=1),
        # Unevenly spread: five of the first process's six photos, two of the second's.
        "captioned": torch.tensor([1, 1, 1, 0, 1, 1, 0, 1, 0, 0, 0, 1], dtype=torch.bool),
    }


def loss_and_gradients(kind: str, batch: dict[str, Tensor]) -> dict[str, Tensor]:
    """One training step's loss on `batch`, through weights that stand for the student's."""
    weight = torch.linspace(-1, 1, DIM * DIM, dtype=torch.float64).reshape(DIM, DIM)
    weight = (weight + torch.eye(DIM, dtype=torch.float64)).requires_grad_()
    log_scale = torch.tensor(2.5, dtype=torch.float64, requires_grad=True)

    def embed(rows: Tensor) -> Tensor:
        return torch.nn.functional.normalize(rows @ weight, dim=1)

    images, scale, captioned = embed(batch["images"]), log_scale.exp(), batch["captioned"]
    real = gather_pairs(images, embed(batch["texts"]), captioned)
    teachers = teacher_pairs(
        batch["stored_images"], batch["stored_texts"], captioned, dims=DIMS, scales=SCALES
    )
    if kind == "clip":
        loss = clip_loss(real, scale)
    elif kind == "sigmoid":
        loss = sigmoid_loss(real, scale, torch.tensor(-2.0, dtype=torch.float64))
    elif kind == "distillation":
        loss = distillation_loss(real, scale, teachers)
    else:
        synthetic = gather_pairs(images, embed(batch["synthetic"]))
        of_synthetic = teacher_pairs(
            batch["stored_images"], batch["stored_synthetic"], dims=DIMS, scales=SCALES
        )
        loss = reinforced_loss(real, scale, teachers, distillation=0.6).total
        loss = loss + reinforced_loss(synthetic, scale, of_synthetic, distillation=0.6).total
    loss.backward()
    assert weight.grad is not None
    assert log_scale.grad is not None
    return {"loss": loss.detach(), "weight": weight.grad, "scale": log_scale.grad}


def one_process(rank: int, folder: str) -> None:
    dist.init_process_group(
        "gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=PROCESSES
    )
    share = slice(rank * PAIRS // PROCESSES, (rank + 1) * PAIRS // PROCESSES)
    mine = {name: rows[share] for name, rows in whole_batch().items()}
    results = {kind: loss_and_gradients(kind, mine) for kind in LOSSES}
    # A process of which no photo has a caption still takes part.
    mine["captioned"] = mine["captioned"] & (rank == 0)
    results["uneven"] = loss_and_gradients("total", mine)
    torch.save(results, f"{folder}/{rank}.pt")
    dist.destroy_process_group()


@pytest.fixture(scope="module")
def spawned(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, dict[str, Tensor]]]:
    folder = tmp_path_factory.mktemp("processes")
    clean_forks()  # which need not read the modules anew
    mp.start_processes(one_process, (str(folder),), nprocs=PROCESSES, start_method="forkserver")
    return [torch.load(Path(folder) / f"{rank}.pt") for rank in range(PROCESSES)]


@pytest.mark.parametrize("kind", [*LOSSES, "uneven"])
def test_two_processes_equal_one(spawned: list[dict[str, dict[str, Tensor]]], kind: str) -> None:
    """The mean over processes of loss and gradients, as DistributedDataParallel takes it."""
    batch = whole_batch()
    if kind == "uneven":
        batch["captioned"][PAIRS // 2 :] = False
    whole = loss_and_gradients("total" if kind == "uneven" else kind, batch)
    for name, expected in whole.items():
        mean = torch.stack([results[kind][name] for results in spawned]).mean(0)
        torch.testing.assert_close(mean, expected, rtol=1e-10, atol=1e-12)
    # A process alone knows neither: its rows are only a part.
    assert not torch.allclose(spawned[0][kind]["weight"], whole["weight"], rtol=1e-3)
