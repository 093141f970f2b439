"""Photos as arguments of commands."""

from __future__ import annotations

from typing import Any

import click

from photosearch.photo import PhotoName, photo_named


class Photo(click.ParamType):  # type: ignore[type-arg]  # generic in newer releases only
    """An id, photo:ID, or a path; it becomes the id or the absolute path."""

    name = "photo"

    def convert(
        self, value: PhotoName, param: click.Parameter | None, ctx: click.Context | None
    ) -> int | str:
        return photo_named(value)


def photo_argument(command: Any) -> Any:
    """PHOTO, of commands that are about one."""
    return click.argument("photo", metavar="PHOTO", type=Photo())(command)


def photos_argument(command: Any) -> Any:
    """PHOTO, of commands that are about one or more."""
    return click.argument("photos", metavar="PHOTO...", type=Photo(), nargs=-1, required=True)(
        command
    )
