"""Let torchvision import beside a PyTorch that its compiled operators were not built for.

The plain torchvision wheel of the package index is linked against CUDA. Beside a CPU-only PyTorch
its operator library cannot be loaded, and `import torchvision` (hence timm and open_clip) then dies
with "operator torchvision::nms does not exist", although nothing here runs those operators:
only pure-Python transforms and layers are used.

    from trainer.torchvision_ops import ensure_torchvision

    ensure_torchvision()
    import timm
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

import torch

# The two operators whose shape functions torchvision registers on import without first checking
# that its library was loaded.
_SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)

# A definition lives only as long as its `Library`, so this module holds on to it.
_library: torch.library.Library | None = None


def _compiled_operators_load(package: Path) -> bool:
    """Load torchvision's operator library as torchvision itself will; a second load is harmless."""
    for library in sorted(package.glob("_C*")):
        try:
            torch.ops.load_library(str(library))  # type: ignore[no-untyped-call]
        except (ImportError, OSError):
            continue
        return True
    return False


def ensure_torchvision() -> None:
    """Make `import torchvision` work; call it before the first import of torchvision.

    Does nothing where torchvision is absent, already imported, or able to load its own operators.
    Otherwise declares the signatures of `nms` and `qnms`, without an implementation: calling them
    still raises torchvision's own error. May be called any number of times.
    """
    global _library
    if _library is not None or "torchvision" in sys.modules:
        return
    # On Windows the library is found through a search path that only torchvision sets up, and the
    # package index has no CUDA builds there, so the mismatch does not arise.
    if os.name == "nt":
        return
    spec = importlib.util.find_spec("torchvision")
    if spec is None or spec.origin is None or _compiled_operators_load(Path(spec.origin).parent):
        return
    _library = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
    for schema in _SCHEMAS:
        _library.define(schema)  # type: ignore[no-untyped-call]
