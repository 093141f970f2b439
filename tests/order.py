"""Which files of tests run first: those that take longest, so that all processes end together.

A file stays in one process, and one that took a minute would keep only that one busy at the end.
"""

from __future__ import annotations

from pathlib import Path

import pytest

# From a quarter of a minute of processor time up, about in the order of it.
LONGEST = (
    "train_run",
    "kills",
    "trainer_cli_path",
    "reinforce_run",
    "ui_search",
    "cli",
    "cli_stopped",
    "benchmarks",
    "benchmarks_search",
    "trainer_cli",
    "models",
    "checkpoints",
    "models_pull",
    "models_upgrade",
    "reinforce_ray",
    "export_coreml",
    "export_family",
    "hostile_files",
    "export_command",
    "watch",
    "ui_access",
    "ui_library",
    "index_workers",
    "index_run",
    "models_family",
    "desktop",
    "export_bundle",
    "ocr",
    "ui_browser",
    "ui_offline",
    "learning_efficiency",
    "image_distillation",
    "teacher",
    "export_gate",
    "training_loop",
    "openclip_teacher",
    "catalogue_crash",
    "evaluate_speed",
    "bench",
    "full_disk",
    "why",
    "wheel",
)
_PLACES = {f"test_{name}.py": place for place, name in enumerate(LONGEST)}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: _PLACES.get(Path(item.path).name, len(_PLACES)))
