"""A network spread over processes: each keeps a part of its weights, gradients and moments (FSDP2).

    shard(network, processes)
    whole(parameter)              # all of it, which every process must ask for

Each block of a tower is put together when it is computed and taken apart again afterwards.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
import torch.distributed as dist
from torch import Tensor, nn

from trainer.train.processes import Processes

# What the towers of timm, open_clip and our own call their blocks.
_BLOCKS = frozenset({"blocks", "resblocks", "layers"})


def shard(network: nn.Module, processes: Processes) -> None:
    """Spread the parameters of `network` over all processes, each block by itself.

    Numbers alone, such as the factor on similarities, stay whole in each: `average_single` must be
    called for their gradients.
    """
    # Read where they are needed: the second takes a second.
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    mesh = init_device_mesh(processes.device.type, (processes.count,))
    single = {parameter for parameter in network.parameters() if not parameter.ndim}
    # From the inside out: what is in a part of its own is not taken twice.
    for name, module in reversed(list(network.named_modules())):
        path = name.split(".")
        block = len(path) > 1 and path[-2] in _BLOCKS and not isinstance(module, nn.ModuleList)
        if block and any(parameter not in single for parameter in module.parameters()):
            fully_shard(module, mesh=mesh, ignored_params=single)
    fully_shard(network, mesh=mesh, ignored_params=single)


def is_spread(value: Tensor) -> bool:
    """Whether this process has only a part of a tensor."""
    return hasattr(value, "to_local")


def local(value: Tensor) -> Tensor:
    """This process's part of a tensor."""
    part: Tensor = value.to_local() if is_spread(value) else value  # type: ignore[attr-defined]
    return part


def whole(value: Tensor) -> Tensor:
    """All of a tensor; every process must ask for it."""
    full: Tensor = value.full_tensor() if is_spread(value) else value  # type: ignore[attr-defined]
    return full


def part_like(value: Tensor, like: Tensor) -> Tensor:
    """`value`, a whole tensor, spread over the processes as `like` is."""
    if not is_spread(like):
        return value
    from torch.distributed.tensor import DTensor, distribute_tensor

    assert isinstance(like, DTensor)
    return distribute_tensor(
        value.to(like.device), like.device_mesh, like.placements, src_data_rank=None
    )


def average_single(parameters: Iterable[nn.Parameter]) -> None:
    """Average the gradients of parameters that were not spread over the processes."""
    for parameter in parameters:
        if parameter.grad is not None and not is_spread(parameter.grad):
            dist.all_reduce(parameter.grad)
            parameter.grad /= dist.get_world_size()


def clip_norm(parameters: Iterable[nn.Parameter], limit: float) -> Tensor:
    """The norm of all gradients together, which are cut to `limit`.

    As `torch.nn.utils.clip_grad_norm_`, which cannot take spread and whole tensors at once.
    """
    grads = [parameter.grad for parameter in parameters if parameter.grad is not None]
    spread = [local(grad) for grad in grads if is_spread(grad)]
    single = [grad for grad in grads if not is_spread(grad)]
    squares = torch.stack([grad.square().sum() for grad in spread]).sum()
    dist.all_reduce(squares)
    if single:
        squares = squares + torch.stack([grad.square().sum() for grad in single]).sum()
    norm = squares.sqrt()
    if limit < math.inf:
        factor = (limit / (norm + 1e-6)).clamp(max=1.0)
        torch._foreach_mul_(spread + single, factor)
    return norm
