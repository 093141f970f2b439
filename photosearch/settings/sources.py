"""Where the value of each setting comes from.

An option of the command line goes before the environment, that before `config.toml` in the library
folder, and that before the default. A variable that is empty counts as none.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from photosearch.errors import UsageError
from photosearch.regular_file import open_regular
from photosearch.settings.declared import SETTINGS, Setting, Settings
from photosearch.settings.values import HiddenValueError, Place

CONFIG = "config.toml"


@dataclass(frozen=True)
class Found:
    """The value of a setting. `source` is "option", "environment", "file" or "default", and `place`
    the option, the variable or the path of the file.
    """

    setting: Setting
    value: Any
    source: str
    place: str = ""


def library_folder(given: str | os.PathLike[str] | None = None) -> Path:
    """The library folder, absolute: the `given` one, that of the environment, or the default.

    Of the address of an archive it is the folder with this machine's copy.

    Raises `UsageError` when the environment names a file, and for an address that is none.
    """
    setting = SETTINGS["library"]
    if given is not None:
        if isinstance(given, str) and "://" in given:
            try:
                return Path(setting.kind.parse(given)).absolute()
            except ValueError as error:
                raise UsageError(f"the address of an archive {error}") from None
        return Path(given).expanduser().absolute()
    found = _of_environment(setting)
    return Path(setting.default() if found is None else found.value).absolute()


def read(library: str | os.PathLike[str] | None = None, **options: Any) -> Settings:
    """The settings of the library in folder `library`, or in the default one.

    `options` are values that were given on the command line, by the names of settings; None for
    those that were not. Raises `UsageError` that names the variable, or the file and the key.
    """
    return Settings(**{name: each.value for name, each in find(library, **options).items()})


def read_environment() -> Settings:
    """The settings where there is no library: no file is read."""
    return Settings(
        **{
            name: (_of_environment(each) or _by_default(each)).value
            for name, each in SETTINGS.items()
        }
    )


def find(library: str | os.PathLike[str] | None = None, **options: Any) -> dict[str, Found]:
    """As `read`, with where each value comes from."""
    folder = library_folder(library)
    options["library"] = library
    path = folder / CONFIG
    kept = load(path)
    for name in kept:
        check_name(name, path)
    found = {name: _found(each, options, kept, path) for name, each in SETTINGS.items()}
    return found | {"library": replace(found["library"], value=folder)}


def load(path: Path) -> dict[str, Any]:
    """What a file of settings holds; nothing where there is none. Raises `UsageError`."""
    try:
        with open_regular(path) as file:
            text = file.read()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise UsageError(
            f"{path}: cannot be read ({error.strerror}); make it readable, or remove it"
        ) from None
    import tomllib

    try:
        return tomllib.loads(text.decode("utf-8"))
    except ValueError as error:  # bytes that are not UTF-8 are one, too
        raise UsageError(f"{path}: is not TOML ({error}); correct or remove it") from None


def check_name(name: str, path: Path) -> None:
    """Raises `UsageError` for a name that `config.toml` may not have."""
    setting = SETTINGS.get(name)
    if setting is None:
        from difflib import get_close_matches

        near = get_close_matches(name, [each for each in SETTINGS if SETTINGS[each].in_file], 1)
        meant = f"; did you mean {near[0]}?" if near else "; `photosearch config` lists them"
        raise UsageError(f"{path}: there is no setting {name!r}{meant}")
    if not setting.in_file:
        why = "others might read the file" if setting.secret else "the file lies in that folder"
        raise UsageError(
            f"{path}: {name} cannot be set here, since {why}; use {setting.environment}"
        )


def check(setting: Setting, value: object, path: Path) -> Any:
    """The value that a TOML value means in the file at `path`. Raises `UsageError`."""
    try:
        return setting.kind.check(value, path.parent)
    except ValueError as error:
        raise UsageError(f"{path}: {setting.name} is {_quoted(value)}, and {error}") from None


def _found(
    setting: Setting, options: Mapping[str, Any], kept: Mapping[str, Any], path: Path
) -> Found:
    in_file = None
    if setting.name in kept:
        # Checked also where something goes before it: what is wrong is told at once, not later.
        value = check(setting, kept[setting.name], path)
        in_file = Found(setting, value, "file", str(path))
    given = options.get(setting.name)
    if given is not None:
        if isinstance(setting.kind, Place):
            given = Path(given).expanduser()
        return Found(setting, given, "option", setting.options[0].split()[-1])
    return _of_environment(setting) or in_file or _by_default(setting)


def _of_environment(setting: Setting) -> Found | None:
    text = setting.in_environment()
    if text is None:
        return None
    try:
        value = setting.kind.parse(text)
    except ValueError as error:
        hidden = setting.secret or isinstance(error, HiddenValueError)
        shown = "what it is" if hidden else _quoted(text)
        raise UsageError(f"{setting.environment} is {shown}, and {error}") from None
    return Found(setting, value, "environment", setting.environment)


def _by_default(setting: Setting) -> Found:
    return Found(setting, setting.default(), "default")


def _quoted(value: object) -> str:
    return repr(value) if isinstance(value, str) else str(value).lower()
