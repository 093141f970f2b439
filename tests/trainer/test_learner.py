"""What learns in a run: what it is made of, and what is not to be had everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from train_data import write_model

from trainer.models.config import read_config
from trainer.models.family import build_from
from trainer.train.learner import check_device
from trainer.train.network import synchronised
from trainer.train.processes import Processes
from trainer.train.settings import RunSettings, Settings

pytestmark = pytest.mark.slow

CPU, CUDA = torch.device("cpu"), torch.device("cuda", 0)


def settings(**run: Any) -> Settings:
    return Settings(run=RunSettings(steps=1, batch=8, **run))


def test_synchronised_statistics_change_nothing_else(tmp_path: Path) -> None:
    """They are exchanged on CUDA only; what can be seen here is what they are put in place of."""
    model = build_from(read_config(write_model(tmp_path / "norms.json", tower="batch_norm")))
    model.eval()
    pixels = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        before = model.encode_image(pixels)
    names = list(model.state_dict())
    norms = sum(isinstance(one, nn.BatchNorm2d) for one in model.modules())
    synchronised(model)
    assert sum(isinstance(one, nn.SyncBatchNorm) for one in model.modules()) == norms > 0
    assert not any(isinstance(one, nn.BatchNorm2d) for one in model.modules())
    assert list(model.state_dict()) == names, "checkpoints fit either way"
    with torch.no_grad():
        torch.testing.assert_close(model.encode_image(pixels), before)


@pytest.mark.parametrize(
    ("run", "device", "message"),
    [
        ({"sync_batch_norm": True}, CPU, r"run\.sync_batch_norm = true needs CUDA"),
        ({"compile": True}, CPU, r"run\.compile = true needs CUDA"),
        ({"compile": True, "shard": True}, CUDA, r"run\.shard: .* together with compile"),
        ({"precision": "float16", "shard": True}, CUDA, r"together with precision = \"float16\""),
        ({"channels_last": True, "shard": True}, CPU, "together with channels_last"),
    ],
)
def test_what_a_device_has_not_is_refused(
    run: dict[str, Any], device: torch.device, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        check_device(settings(**run), Processes(0, 2, device))


def test_what_needs_several_processes_is_nothing_in_one() -> None:
    check_device(settings(sync_batch_norm=True, shard=True), Processes(0, 1, CPU))
