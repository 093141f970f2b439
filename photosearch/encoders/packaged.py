"""Model bundles that other packages bring."""

from __future__ import annotations

import os
from pathlib import Path

from photosearch.encoders.bundle import Bundle
from photosearch.encoders.registry import bundled_path
from photosearch.errors import BundleError
from photosearch.plugins.announced import Announced
from photosearch.plugins.loading import Group, PluginError

_added: dict[str, Bundle] = {}


def _accept(plugin: Announced, found: object) -> str:
    if not isinstance(found, str | os.PathLike):
        raise PluginError(f"{plugin.value} is not the path of a folder")
    try:
        bundle = Bundle.open(Path(os.fspath(found)), verify=False)
    except BundleError as error:
        raise PluginError(str(error)) from error
    if bundle.name in (bundled_path().name, *(one.name for one in _added.values())):
        raise PluginError(f"the name {bundle.name} is taken")
    _added[bundle.id] = bundle
    return f"model {bundle.name} ({bundle.id})"


_PLUGINS = Group("models", _accept)


def packaged() -> dict[str, Bundle]:
    """The bundles by their ids; nothing but their manifests has been checked."""
    _PLUGINS.load()
    return _added
