"""Let coremltools 9 convert casts beside numpy 2.4 and later.

Its conversion of `int()` and `bool()` calls Python's own on a constant array of one element, which
numpy deprecated in 1.25 and refuses from 2.4 on: "only 0-dimensional arrays can be converted to
Python scalars". Every tower here computes such a number from a shape.

    with casts_of_arrays():
        coremltools.convert(...)
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np


@contextmanager
def casts_of_arrays() -> Iterator[None]:
    """Inside the block, constants of one element are cast by their value.

    Does nothing where numpy still converts such arrays; anything else goes to coremltools' own
    conversion.
    """
    if _numpy_converts():
        yield
        return
    from coremltools.converters.mil import Builder  # type: ignore[import-untyped]
    from coremltools.converters.mil.frontend.torch import ops  # type: ignore[import-untyped]

    original = ops._cast

    def cast(context: Any, node: Any, dtype: type, dtype_name: str) -> None:
        (value,) = ops._get_inputs(context, node, expected=1)
        constant = value.val if value.can_be_folded_to_const() else None
        if isinstance(constant, np.ndarray) and constant.ndim and constant.size == 1:
            context.add(Builder.const(val=dtype(constant.item()), name=node.name))
        else:
            original(context, node, dtype, dtype_name)

    ops._cast = cast
    try:
        yield
    finally:
        ops._cast = original


def _numpy_converts() -> bool:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            int(np.ones(1))
        except TypeError:
            return False
    return True
