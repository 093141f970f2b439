"""The family with narrow text towers: most of a published model's weights are in its token table.

Names, layers and image towers stay as they are published.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from trainer.models import config as configs

_CHANNELS = 8  # of each head


@contextmanager
def narrow_models(folder: Path) -> Iterator[None]:
    """The models of the family have the configurations that are written to `folder`."""
    for name in configs.model_names():
        config = configs.load_config(name)
        fields = dataclasses.asdict(config) | {"text": narrow(dataclasses.asdict(config.text))}
        del fields["name"]
        (folder / f"{name}.json").write_text(json.dumps(fields))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(configs, "_FOLDER", folder)
        yield


def narrow(text: dict[str, Any]) -> dict[str, Any]:
    """The same text tower, ours or open_clip's, with fewer channels."""
    return text | {"width": _CHANNELS * text["heads"]}
