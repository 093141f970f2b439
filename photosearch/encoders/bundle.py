"""A model bundle: one folder that holds everything an encoder needs, checked when it is opened.

bundle.json   name, version, preprocessing, licence, metrics, and the sha256 of each file
image.onnx    input "image" float32 (n, 3, S, S), normalised; output "embedding" (n, d)
text.onnx     input "tokens" int64 (n, context); output "embedding" (n, d)
README.md     the model card
tokenizer.json  what makes the tokens, unless CLIP's does; as the library `tokenizers` writes it
background.npy  with a calibration: vectors (n, d) of ordinary photos, float16

A bundle may hold more files, in folders too, such as Core ML packages for other programs. Its key
"export", when there is one, says how far the files are from the trained model. Nothing here reads
it, so the schema fixes what it must hold and lets it hold more.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal

from photosearch.encoders.calibration import BACKGROUND, Calibration, read_calibration
from photosearch.errors import BundleError

MANIFEST = "bundle.json"
CARD = "README.md"
TOKENIZER = "tokenizer.json"
CLIP_BPE = "clip-bpe"
FORMAT = 1

# What the names of the files that are run here start with: weights too large for one ONNX file lie
# beside it, in image.onnx.data.
_NETWORKS = ("image.onnx", "text.onnx")
_FETCH = "fetch the bundle again"


@dataclass(frozen=True)
class ImageSettings:
    """How a picture becomes network input; the one definition of it.

    size: side in pixels; resize: "squash" to a square, or "shortest" side to `size`; crop:
    "center" cuts the square out of the middle; mean and std: per channel, of values in [0, 1].
    """

    size: int
    resize: Literal["shortest", "squash"]
    crop: Literal["center", "none"]
    interpolation: Literal["bicubic", "bilinear"]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]


@dataclass(frozen=True)
class TextSettings:
    """How a text becomes token ids.

    context_length: tokens that a text is cut to; tokenizer: "clip-bpe", or the name of the
    bundle's own file. For such a file also: padding, whether the texts of a batch are padded to the
    "longest" of them, which the network then has to mask, or to the context length; and pad_id,
    with what.
    """

    context_length: int
    tokenizer: str
    pad_id: int = 0
    padding: Literal["longest", "max_length"] = "max_length"


@dataclass(frozen=True)
class Bundle:
    """An opened bundle; `folder` holds the files and `manifest` all of bundle.json."""

    folder: Path
    manifest: dict[str, Any]

    @classmethod
    def open(cls, folder: str | os.PathLike[str], *, verify: bool = True) -> Bundle:
        """Read and check the bundle in `folder`.

        Every listed file must be there and have its size. With `verify`, its sha256 is checked
        too. Without, `checked` and `calibration` check that of what they read: a search should not
        wait until the image network, or Core ML packages that it never reads, are hashed.

        Raises `BundleError` when anything is missing, damaged, or of a format unknown here.
        """
        path = Path(folder)
        manifest = _read_manifest(path)
        for name, expected in manifest["files"].items():
            _check_file(path / name, expected, verify)
        return cls(path, manifest)

    def checked(self, name: str) -> Path:
        """A network or tokenizer.json, once the hashes of it and of its weights were checked.

        Raises `BundleError` when one is damaged.
        """
        self._verify(name)
        return self.folder / name

    def _verify(self, name: str) -> None:
        for file, expected in self.manifest["files"].items():
            if file.startswith(name):
                _check_file(self.folder / file, expected, True)

    @property
    def name(self) -> str:
        return str(self.manifest["name"])

    @property
    def version(self) -> str:
        return str(self.manifest["version"])

    @property
    def dim(self) -> int:
        return int(self.manifest["embedding_dim"])

    @cached_property
    def languages(self) -> frozenset[str] | None:
        """The codes of the languages that texts may be in; None when the bundle does not say.

        What has CLIP's tokenizer, and does not say, has learned English.
        """
        if "languages" in self.manifest:
            return frozenset(map(str, self.manifest["languages"]))
        return frozenset({"en"}) if self.text.tokenizer == CLIP_BPE else None

    @cached_property
    def image(self) -> ImageSettings:
        fields = dict(self.manifest["image"])
        for key in ("mean", "std"):
            # As JSON, 0 and 0.0 are one number; so they are in `id`.
            fields[key] = tuple(map(float, fields[key]))
        return ImageSettings(**fields)

    @cached_property
    def text(self) -> TextSettings:
        return TextSettings(**self.manifest["text"])

    def card(self) -> str | None:
        """The text of the model card; None when there is none, or it cannot be read."""
        if CARD not in self.manifest["files"]:
            return None
        with suppress(OSError):
            return (self.folder / CARD).read_text(encoding="utf-8", errors="replace")
        return None

    @cached_property
    def calibration(self) -> Calibration | None:
        """What tells which cosines mean something; None when the bundle does not say.

        Raises `BundleError` when it is damaged.
        """
        self._verify(BACKGROUND)
        return read_calibration(self.folder, self.manifest, self.dim)

    @cached_property
    def id(self) -> str:
        """Name, version, and a hash of the weights, the tokenizer and the preprocessing."""
        own = self.text.tokenizer != CLIP_BPE
        weights = {
            name: entry["sha256"]
            for name, entry in self.manifest["files"].items()
            if name.startswith(_NETWORKS) or (own and name == TOKENIZER)
        }
        # What bundles with CLIP's tokenizer do not say must not move the ids that they have.
        text = {k: v for k, v in asdict(self.text).items() if k in self.manifest["text"]}
        what = {"weights": weights, "image": asdict(self.image), "text": text}
        digest = hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()
        return f"{self.name}-{self.version}-{digest[:12]}"


def write_manifest(folder: str | os.PathLike[str], fields: dict[str, Any]) -> Bundle:
    """Write bundle.json for the files in `folder`, hashing each, and open the result.

    `fields` are all keys of the format but "format" and "files". Hidden files are left out.
    The file is replaced in one step, so a reader finds the old one or the new one.

    Raises `BundleError` when the result would not be a valid bundle; nothing is written then.
    """
    path = Path(folder) / MANIFEST
    manifest = {"format": FORMAT} | fields | {"files": _listing(path.parent)}
    if (fault := _schema_fault(manifest)) is not None:
        raise BundleError(f"{path}: {fault}; correct what is exported")
    beside = path.with_name(f".{MANIFEST}.part")
    with beside.open("w", encoding="utf-8") as file:
        json.dump(manifest, file, indent=2, ensure_ascii=False)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    return Bundle.open(path.parent)


def _listing(folder: Path) -> dict[str, Any]:
    """Each file in `folder` and below, by its path from there: its hash and size."""
    listed = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        hidden = any(part.startswith(".") for part in name.parts)
        if path.is_file() and not hidden and name.as_posix() != MANIFEST:
            listed[name.as_posix()] = {"sha256": _sha256(path), "bytes": path.stat().st_size}
    return listed


def _read_manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise BundleError(
            f"{folder}: no model bundle here ({MANIFEST} is missing); name the folder of one "
            "with --model, or install photosearch again for its own"
        ) from None
    except OSError as error:
        raise BundleError(f"{path}: cannot be read ({error.strerror}); make it readable") from None
    except (ValueError, RecursionError) as error:  # Broken JSON, or bytes that are not UTF-8.
        raise BundleError(f"{path}: is not valid JSON ({error}); {_FETCH}") from None
    if isinstance(manifest, dict):
        found = manifest.get("format")
        if isinstance(found, int) and found > FORMAT:
            raise BundleError(
                f"{path}: is of format {found}, and this photosearch reads up to {FORMAT}; "
                "upgrade photosearch"
            )
    if (fault := _schema_fault(manifest)) is not None:
        raise BundleError(f"{path}: {fault}; {_FETCH}")
    return dict(manifest)


@lru_cache(maxsize=1)
def _validator() -> Callable[[Any], Any]:
    """Checks a manifest; made once, since a process opens a bundle several times."""
    import fastjsonschema

    schema = json.loads(Path(__file__).with_name("bundle.schema.json").read_text("utf-8"))
    made: Callable[[Any], Any] = fastjsonschema.compile(schema)
    return made


def _schema_fault(manifest: Any) -> str | None:
    """What makes `manifest` no bundle of this format; None when nothing does."""
    # Of the JSON Schema validators, the one that imports in milliseconds.
    import fastjsonschema

    try:
        _validator()(manifest)
    except fastjsonschema.JsonSchemaValueException as error:
        # "data.image.size must be ..." becomes "image.size must be ...".
        return str(error.message).removeprefix("data").lstrip(". ")
    return None


def _check_file(path: Path, expected: dict[str, Any], verify: bool) -> None:
    try:
        size = path.stat().st_size
        if size != expected["bytes"]:
            raise BundleError(
                f"{path}: is damaged ({size} bytes, not the {expected['bytes']} listed); {_FETCH}"
            )
        if verify and _sha256(path) != expected["sha256"]:
            raise BundleError(f"{path}: is damaged (not the sha256 listed); {_FETCH}")
    except FileNotFoundError:
        raise BundleError(f"{path}: is missing; {_FETCH}") from None
    except OSError as error:
        raise BundleError(
            f"{path}: cannot be read ({error.strerror}); make it readable, or {_FETCH}"
        ) from None


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
