"""Settings: where each value comes from, what may be set, and the file that keeps some of them."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from shell import Shell, message

from photosearch import Library, UsageError
from photosearch.capacity import most_workers
from photosearch.settings import CONFIG, SETTINGS, find, read, read_environment
from photosearch.settings.file import set_, unset

# A value for each setting that the file may have, as it is typed, and another for the environment.
VALUES: dict[str, tuple[str, str]] = {
    "model": ("/one", "/two"),
    "provider": ("cpu", "auto"),
    "nice": ("true", "false"),
    "threads": ("1", "1"),
    "workers": ("1", str(most_workers())),
    "decode_seconds": ("45", "12.5"),
    "video_seconds": ("90", "61"),
    "watch_interval": ("10", "0.5"),
    "watch_address_interval": ("600", "0.5"),
    "watch_quiet": ("0", "7"),
    "ui_host": ("0.0.0.0", "::1"),
    "ui_port": ("0", "8000"),
    "serve_host": ("0.0.0.0", "::1"),
    "serve_port": ("0", "8001"),
    "endpoint": ("https://mirror.example", "http://127.0.0.1:9"),
    "faces": ("true", "no"),
    "serve_faces": ("true", "no"),
    "offline": ("true", "no"),
    "log_file": ("/logs/one", "/logs/two"),
    "log_format": ("json", "text"),
}


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for setting in SETTINGS.values():
        monkeypatch.delenv(setting.environment, raising=False)


@pytest.fixture
def shell(shell: Shell) -> Shell:
    """Without the settings that others have."""
    del shell.environment["PHOTOSEARCH_WORKERS"]
    return shell


@pytest.fixture
def library(tmp_path: Path) -> Path:
    folder = tmp_path / "library"
    folder.mkdir()
    return folder


def write(library: Path, text: str) -> Path:
    path = library / CONFIG
    path.write_text(text, encoding="utf-8")
    return path


def test_each_may_be_in_the_file_or_says_why_not() -> None:
    assert {name for name, each in SETTINGS.items() if each.in_file} == set(VALUES)
    assert not any(each.in_file for each in SETTINGS.values() if each.secret)


@pytest.mark.parametrize("name", VALUES)
def test_an_option_goes_before_the_environment_that_before_the_file(
    library: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    setting, (kept, exported) = SETTINGS[name], VALUES[name]
    found = find(library)[name]
    assert (found.value, found.source) == (setting.default(), "default")

    set_(library, name, kept)
    found = find(library)[name]
    assert (found.value, found.source) == (setting.kind.parse(kept), "file")
    assert found.place == str(library / CONFIG)

    monkeypatch.setenv(setting.environment, exported)
    found = find(library)[name]
    value = setting.kind.parse(exported)
    assert (found.value, found.source) == (value, "environment")
    assert found.place == setting.environment
    assert getattr(read(library), name) == value
    assert getattr(read_environment(), name) == value

    if setting.options:
        given = setting.kind.parse(kept)
        found = find(library, **{name: given})[name]
        assert (found.value, found.source) == (given, "option")
        assert f" {found.place}" in f" {setting.options[0]}"

    monkeypatch.setenv(setting.environment, "")
    assert find(library)[name].source == "file"
    assert unset(library, name)
    assert find(library)[name].source == "default"
    assert not unset(library, name)


def test_the_library_is_the_given_one_or_that_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHOTOSEARCH_LIBRARY", str(tmp_path / "a"))
    assert read().library == tmp_path / "a"
    assert read(tmp_path / "b").library == tmp_path / "b"
    monkeypatch.chdir(tmp_path)
    assert read("b").library == tmp_path / "b"
    (tmp_path / "file").touch()
    monkeypatch.setenv("PHOTOSEARCH_LIBRARY", str(tmp_path / "file"))
    with pytest.raises(UsageError, match=r"PHOTOSEARCH_LIBRARY is .*file', and must be .* folder"):
        read()


def test_paths_in_the_file_count_from_the_library_folder(library: Path) -> None:
    write(library, 'model = "mine"\nlog_file = "logs/log"\n')
    assert read(library).model == library / "mine"
    assert read(library).log_file == library / "logs" / "log"
    write(library, 'model = "~/mine"\n')
    assert read(library).model == Path.home() / "mine"


def test_settings_are_not_changed(library: Path) -> None:
    with pytest.raises(FrozenInstanceError):
        read(library).workers = 2  # type: ignore[misc]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("workers = 0", f"workers is 0, and must be a whole number from 1 to {most_workers()}"),
        (f"workers = {most_workers() + 1}", "which this machine can take"),
        ("workers = true", "workers is true, and must be a whole number"),
        ("workers = 1.5", "workers is 1.5, and must be a whole number"),
        ('workers = "2"', "workers is '2', and must be a whole number"),
        ("threads = 100000", "which this machine can take"),
        ("decode_seconds = nan", "decode_seconds is nan, and must be a number from 1 to 3600"),
        ("video_seconds = 0.5", "from 1 to 3600"),
        ("ui_port = 65536", "ui_port is 65536, and must be a whole number from 0 to 65535"),
        ('provider = "gpu"', "must be auto, cpu, cuda, coreml, directml or openvino"),
        ("provider = 1", "must be auto, cpu, cuda, coreml, directml or openvino"),
        ("offline = 1", "offline is 1, and must be true or false"),
        ('endpoint = "hub.example"', "must be an address that begins with http:// or https://"),
        ('endpoint = "http://a:99999"', "must be an address that begins with http:// or https://"),
        ('ui_host = " "', "must be a text that is not empty"),
        ("ui_host = 1", "must be a text that is not empty"),
        ("model = 1", "must be the path of a folder"),
        ('log_file = "."', "must be the path of a file, and not of a folder"),
        ("worker = 2", "there is no setting 'worker'; did you mean workers?"),
        ("zzz = 2", "there is no setting 'zzz'; `photosearch config` lists them"),
        ("[index]\nworkers = 2", "there is no setting 'index'"),
        ('library = "/a"', "library cannot be set here, since the file lies in that folder"),
        ('password = "a"', "password cannot be set here, since others might read the file"),
        ("workers 2", "is not TOML"),
        ("workers = 2\nworkers = 3", "is not TOML"),
    ],
)
def test_what_the_file_may_not_hold(library: Path, line: str, reason: str) -> None:
    path = write(library, line)
    with pytest.raises(UsageError) as error:
        read(library)
    assert str(error.value).startswith(f"{path}: ")
    assert reason in str(error.value)


def test_a_wrong_line_is_told_also_where_something_goes_before_it(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(library, "workers = 0")
    monkeypatch.setenv("PHOTOSEARCH_WORKERS", "1")
    with pytest.raises(UsageError, match="workers is 0"):
        read(library, workers=1)


def test_a_file_that_is_no_text_or_cannot_be_read(library: Path) -> None:
    (library / CONFIG).write_bytes(b"model = '\xff'")
    with pytest.raises(UsageError, match="is not TOML"):
        read(library)
    (library / CONFIG).unlink()
    (library / CONFIG).mkdir()
    with pytest.raises(UsageError, match="cannot be read"):
        read(library)


@pytest.mark.parametrize(
    ("name", "value"), [("WORKERS", "none"), ("UI_PORT", "-1"), ("OFFLINE", "maybe")]
)
def test_a_wrong_variable_is_named(
    library: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"PHOTOSEARCH_{name}", value)
    with pytest.raises(UsageError, match=f"PHOTOSEARCH_{name} is '{value}', and must be "):
        read(library)


def test_a_wrong_secret_is_not_shown(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHOTOSEARCH_TOKEN", "   ")
    with pytest.raises(UsageError, match="PHOTOSEARCH_TOKEN is what it is"):
        read(library)


def test_the_other_lines_and_all_comments_stay(library: Path) -> None:
    path = write(library, "# mine\nworkers = 1 # few\n\nui_host = '::1#' # here\n'offline'=true")
    set_(library, "decode_seconds", "45")
    set_(library, "workers", str(most_workers()))
    set_(library, "ui_host", 'a"\\b\té')
    set_(library, "offline", "off")
    assert path.read_text(encoding="utf-8") == (
        f"# mine\nworkers = {most_workers()} # few\n\n"
        'ui_host = "a\\"\\\\b\\té" # here\noffline = false\ndecode_seconds = 45.0\n'
    )
    assert read(library).ui_host == 'a"\\b\té'
    unset(library, "workers")
    assert path.read_text(encoding="utf-8").startswith("# mine\n\nui_host")
    assert sorted(each.name for each in library.iterdir()) == [".config.lock", CONFIG]


def test_what_is_laid_out_in_another_way_is_left_alone(library: Path) -> None:
    text = 'endpoint = """\nhttps://a.example"""\n'
    path = write(library, text)
    with pytest.raises(UsageError, match="change it by hand"):
        set_(library, "endpoint", "https://b.example")
    assert path.read_text(encoding="utf-8") == text


def test_a_line_that_photosearch_does_not_know_can_be_taken_out(library: Path) -> None:
    path = write(library, "worker = 2\nworkers = 1\n")
    assert unset(library, "worker")
    assert path.read_text(encoding="utf-8") == "workers = 1\n"
    with pytest.raises(UsageError, match="there is no setting 'worker'"):
        unset(library, "worker")


@pytest.mark.slow
def test_two_that_write_at_once_lose_nothing(shell: Shell) -> None:
    names = ["workers=1", "ui_port=8000", "serve_port=8001", "decode_seconds=9", "offline=true"]
    running = [shell.start("config", "set", *each.split("=")) for each in names]
    assert [process.wait(300) for process in running] == [0] * len(names)
    for process in running:
        process.communicate()
    found = find(shell.library)
    assert [found[each.split("=")[0]].source for each in names] == ["file"] * len(names)


def listed(shell: Shell, *options: str, **environment: str) -> dict[str, Any]:
    done = shell(*options, "config", "--json", **environment)
    assert done.returncode == 0, done.stderr
    settings: dict[str, Any] = json.loads(done.stdout)["settings"]
    return settings


def test_config_shows_values_and_where_they_come_from(shell: Shell, tmp_path: Path) -> None:
    assert shell("config", "set", "workers", "1").returncode == 0
    settings = listed(shell, "--model", str(tmp_path), PHOTOSEARCH_PASSWORD="secret")
    assert list(settings) == list(SETTINGS)
    assert (settings["workers"]["value"], settings["workers"]["source"]) == (1, "file")
    assert settings["model"]["value"] == str(tmp_path)
    assert settings["model"]["place"] == "--model"
    assert settings["library"]["place"] == "PHOTOSEARCH_LIBRARY"
    assert settings["ui_port"]["source"] == "default"
    assert settings["password"]["source"] == "environment"
    told = shell("config", PHOTOSEARCH_PASSWORD="secret").stdout.decode()
    assert f"workers         1  [file: {shell.library / CONFIG}]" in told
    assert "password        (hidden)  [environment: PHOTOSEARCH_PASSWORD]" in told
    assert "secret" not in json.dumps(settings) + told
    assert not (shell.library / "catalogue.db").exists()


def test_config_set_tells_what_is_wrong_and_what_goes_before(shell: Shell) -> None:
    assert "workers must be a whole number from 1 to" in message(
        shell("config", "set", "workers", "0"), 2
    )
    assert "did you mean workers?" in message(shell("config", "set", "worker", "1"), 2)
    assert "use PHOTOSEARCH_TOKEN" in message(shell("config", "set", "token", "a"), 2)
    assert not (shell.library / CONFIG).exists()
    done = shell("config", "set", "workers", "1", PHOTOSEARCH_WORKERS="1")
    assert b"PHOTOSEARCH_WORKERS goes before it" in done.stderr
    assert shell("config", "unset", "workers").stdout == b"workers is not set any more.\n"
    assert shell("config", "unset", "workers").stdout == b"workers was not set.\n"


def test_a_command_with_a_wrong_file_names_it_and_config_mends_it(shell: Shell) -> None:
    shell.library.mkdir()
    path = write(shell.library, "worker = 2\n")
    assert f"{path}: there is no setting 'worker'" in message(shell("models", "use", "x"), 2)
    assert f"{path}: there is no setting 'worker'" in message(shell("config"), 2)
    assert shell("config", "unset", "worker").returncode == 0
    assert shell("config").returncode == 0


def test_downloads_are_refused_offline(shell: Shell) -> None:
    assert shell("config", "set", "offline", "true").returncode == 0
    assert "forbids it" in message(shell("models", "pull", "ViT-B-32"), 2)


def test_a_library_uses_what_the_file_says(
    tmp_path: Path, tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    Image.new("RGB", (40, 40), "red").save(photos / "red.png")
    folder = tmp_path / "library"
    monkeypatch.setenv("PHOTOSEARCH_WORKERS", "100000")
    with pytest.raises(UsageError, match="PHOTOSEARCH_WORKERS is '100000'"):
        Library.open(folder, model=tiny_bundle)
    monkeypatch.delenv("PHOTOSEARCH_WORKERS")
    set_(folder, "model", str(tiny_bundle))
    with Library.open(folder) as library:
        list(library.index([photos]))
        assert library.status().model.startswith("tiny")
