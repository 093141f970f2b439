"""Every setting, each declared once."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from photosearch.capacity import most_workers
from photosearch.settings.values import (
    Address,
    Choice,
    Flag,
    Kind,
    LibraryPlace,
    Number,
    Place,
    Text,
)


@dataclass(frozen=True)
class Setting:
    """What is known of one setting.

    `default_text` says in words what the default comes to. `options` are those of the command line
    that set it. One that is `secret` is shown to nobody, and never read from a file.
    `in_file` tells whether `config.toml` may have it.
    """

    name: str
    kind: Kind
    default: Callable[[], Any]
    environment: str
    help: str
    default_text: str
    options: tuple[str, ...] = ()
    secret: bool = False
    in_file: bool = True

    def in_environment(self) -> str | None:
        """What its variable holds; None when that is empty, or not there."""
        return os.environ.get(self.environment) or None


def _about(
    kind: Kind,
    environment: str,
    help: str,
    *,
    default: Any = None,
    default_text: str = "",
    **more: Any,
) -> dict[str, Any]:
    given = default if callable(default) else lambda: default
    text = default_text or (str(default).lower() if isinstance(default, bool) else f"{default}")
    about = {
        "kind": kind,
        "default": given,
        "environment": environment,
        "help": help,
        "default_text": text,
    }
    return about | more


def _user_library() -> Path:
    import platformdirs

    return platformdirs.user_data_path("photosearch", appauthor=False) / "library"


def _cores() -> int:
    return os.cpu_count() or 1


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of one library, as `photosearch.settings.read` finds them.

    None means that photosearch decides: see each one's default in `SETTINGS`.
    """

    library: Path = field(
        metadata=_about(
            LibraryPlace(),
            "PHOTOSEARCH_LIBRARY",
            "Folder that holds the library, or the address of a shared archive, as "
            "postgresql://HOST/NAME.",
            default=_user_library,
            default_text="in your user data folder",
            options=("--library",),
            in_file=False,
        )
    )
    model: Path | None = field(
        metadata=_about(
            Place(),
            "PHOTOSEARCH_MODEL",
            "Folder of a model bundle.",
            default_text="what `models use` chose, or the bundled one",
            options=("--model",),
        )
    )
    provider: str = field(
        metadata=_about(
            Choice(("auto", "cpu", "cuda", "coreml", "directml", "openvino")),
            "PHOTOSEARCH_PROVIDER",
            "What encodes photos; see docs/models.md.",
            default="auto",
        )
    )
    threads: int | None = field(
        metadata=_about(
            Number(1, _cores, by_machine="the number of cores"),
            "PHOTOSEARCH_THREADS",
            "Cores that the model may use.",
            default_text="all",
        )
    )
    workers: int | None = field(
        metadata=_about(
            Number(1, most_workers, by_machine="what cores and memory allow"),
            "PHOTOSEARCH_WORKERS",
            "Processes that decode pictures.",
            default_text="one a core",
            options=("index --workers", "watch --workers"),
        )
    )
    nice: bool = field(
        metadata=_about(
            Flag(),
            "PHOTOSEARCH_NICE",
            "Index at the lowest priority, and not while the machine runs on its battery.",
            default=False,
            options=("index --nice", "watch --nice"),
        )
    )
    decode_seconds: float = field(
        metadata=_about(
            Number(1, 3600, whole=False, metavar="SECONDS"),
            "PHOTOSEARCH_DECODE_SECONDS",
            "Seconds after which a picture is given up; reading it from a slow drive counts apart.",
            default=30.0,
        )
    )
    video_seconds: float = field(
        metadata=_about(
            Number(1, 3600, whole=False, metavar="SECONDS"),
            "PHOTOSEARCH_VIDEO_SECONDS",
            "The same of a video.",
            default=60.0,
        )
    )
    watch_interval: float = field(
        metadata=_about(
            Number(0.1, 86400, whole=False, metavar="SECONDS"),
            "PHOTOSEARCH_WATCH_INTERVAL",
            "Polling interval, for folders of which the system does not tell.",
            default=30.0,
            options=("watch --interval",),
        )
    )
    watch_address_interval: float = field(
        metadata=_about(
            Number(0.1, 604800, whole=False, metavar="SECONDS"),
            "PHOTOSEARCH_WATCH_ADDRESS_INTERVAL",
            "Time between two listings of an address; up to an hour while it is away.",
            default=300.0,
            options=("watch --address-interval",),
        )
    )
    watch_quiet: float = field(
        metadata=_about(
            Number(0, 3600, whole=False, metavar="SECONDS"),
            "PHOTOSEARCH_WATCH_QUIET",
            "Index what has changed when nothing more has happened in its folder for so long; "
            "after ten times as long at the latest.",
            default=2.0,
            options=("watch --quiet",),
        )
    )
    ui_host: str = field(
        metadata=_about(
            Text(metavar="ADDRESS"),
            "PHOTOSEARCH_UI_HOST",
            "Address to listen at; others than this machine's own need a password.",
            default="127.0.0.1",
            options=("ui --host",),
        )
    )
    ui_port: int | None = field(
        metadata=_about(
            Number(0, 65535),
            "PHOTOSEARCH_UI_PORT",
            "Port to listen at; 0 for any.",
            default_text="7860, or the next that is free",
            options=("ui --port",),
        )
    )
    password: str | None = field(
        metadata=_about(
            Text(),
            "PHOTOSEARCH_PASSWORD",
            "The password of `photosearch ui`; then it is asked for on this machine, too.",
            default_text="a key in the link, or a generated one where other machines can connect",
            secret=True,
            in_file=False,
        )
    )
    serve_host: str = field(
        metadata=_about(
            Text(metavar="ADDRESS"),
            "PHOTOSEARCH_SERVE_HOST",
            "Address to listen at; others than this machine's own need a token.",
            default="127.0.0.1",
            options=("serve --host",),
        )
    )
    serve_port: int = field(
        metadata=_about(
            Number(0, 65535),
            "PHOTOSEARCH_SERVE_PORT",
            "Port to listen at; 0 for any.",
            default=7870,
            options=("serve --port",),
        )
    )
    token: str | None = field(
        metadata=_about(
            Text(),
            "PHOTOSEARCH_TOKEN",
            "The token of `photosearch serve`.",
            default_text="that in the library folder, or a generated one where other machines can "
            "connect",
            secret=True,
            in_file=False,
        )
    )
    faces: bool = field(
        metadata=_about(
            Flag(),
            "PHOTOSEARCH_FACES",
            "Look for faces after each index run, as `faces on` and the page set it; see "
            "docs/privacy.md.",
            default=False,
        )
    )
    serve_faces: bool = field(
        metadata=_about(
            Flag(),
            "PHOTOSEARCH_SERVE_FACES",
            "Let other machines, and assistants, see which faces were found, and find people by "
            "them.",
            default=False,
        )
    )
    endpoint: str | None = field(
        metadata=_about(
            Address(),
            "HF_ENDPOINT",
            "Where `models pull` downloads from: the Hugging Face hub, or a mirror of it.",
            default_text="https://huggingface.co",
        )
    )
    offline: bool = field(
        metadata=_about(
            Flag(),
            "PHOTOSEARCH_OFFLINE",
            "Download nothing, also when asked to.",
            default=False,
        )
    )
    plugins: bool = field(
        metadata=_about(
            Flag(),
            "PHOTOSEARCH_PLUGINS",
            "Use what other packages add; see docs/plugins.md.",
            default=True,
            in_file=False,
        )
    )
    log_file: Path | None = field(
        metadata=_about(
            Place(is_folder=False),
            "PHOTOSEARCH_LOG_FILE",
            "File for the log.",
            default_text="photosearch.log in the library folder",
            options=("--log-file",),
        )
    )
    log_format: str = field(
        metadata=_about(
            Choice(("text", "json")),
            "PHOTOSEARCH_LOG_FORMAT",
            "How lines of the log are written: for people, or as an object of JSON each.",
            default="text",
            options=("--log-format",),
        )
    )


SETTINGS = {each.name: Setting(each.name, **each.metadata) for each in fields(Settings)}
