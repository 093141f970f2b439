"""A model bundle: one folder that holds everything an encoder needs, checked when it is opened.

bundle.json   name, version, preprocessing, licence, metrics, and the sha256 of each file
image.onnx    input "image" float32 (n, 3, S, S), normalised; output "embedding" (n, d)
text.onnx     input "tokens" int64 (n, context); output "embedding" (n, d)
README.md     the model card
image/, text/  in place of the two networks: graphs as somebody else published them, with the files
              that they keep weights in; "networks" of bundle.json says what they take and give
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
from photosearch.regular_file import open_regular
from photosearch.shipped import asset

MANIFEST = "bundle.json"
_DERIVED = ("format", "files")
# What nothing here reads is looked at only when all of the bundle is.
_UNREAD = ("export",)
CARD = "README.md"
TOKENIZER = "tokenizer.json"
CLIP_BPE = "clip-bpe"
FORMAT = 1

_FETCH = "fetch the bundle again"


@dataclass(frozen=True)
class ImageSettings:
    """How a picture becomes network input; the one definition of it.

    size: side in pixels, or the height, if `width` is another; resize: "squash" to these, or the
    "shortest" side to them, or the "longest", and the rest is filled with the grey `fill` (0 to
    255); crop: "center" cuts what is too long to its middle; mean and std: per channel, of values
    in [0, 1].
    """

    size: int
    resize: Literal["shortest", "squash", "longest"]
    crop: Literal["center", "none"]
    interpolation: Literal["bicubic", "bilinear", "lanczos", "nearest", "box", "hamming"]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    width: int | None = None
    fill: int = 0

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of what the network is shown, in pixels."""
        return self.size, self.size if self.width is None else self.width

    @property
    def fields(self) -> dict[str, Any]:
        """As bundle.json has it: without what it need not say."""
        return {key: value for key, value in asdict(self).items() if value not in (None, 0)}


@dataclass(frozen=True)
class TextSettings:
    """How a text becomes token ids.

    context_length: tokens that a text is cut to; tokenizer: "clip-bpe", or the name of the
    bundle's own file. For such a file also: padding, whether the texts of a batch are padded to the
    "longest" of them, which the network then has to mask, or to the context length; pad_id, with
    what; clean, what becomes of a text before: "none"; "whitespace", what is wrong with its
    characters is mended and white space made single blanks; "lower", that and lower case;
    "canonicalize", that without punctuation; and prefix, what is put in front of it then.
    """

    context_length: int
    tokenizer: str
    pad_id: int = 0
    padding: Literal["longest", "max_length"] = "max_length"
    clean: Literal["none", "whitespace", "lower", "canonicalize"] = "none"
    prefix: str = ""


@dataclass(frozen=True)
class Network:
    """A graph of the bundle: its file, and the names of what it takes and gives.

    layout: of pictures, normalised float (n, 3, H, W), or "nhwc", the pixels uint8 (n, H, W, 3) as
    they are; mask: an input that says which tokens are no padding; together: rows that it takes at
    once, any number when None.
    """

    file: str
    input: str
    output: str = "embedding"
    layout: Literal["nchw", "nhwc"] = "nchw"
    mask: str | None = None
    together: int | None = None

    def holds(self, name: str) -> bool:
        """Whether a file of the bundle is the graph, or one of those that it keeps weights in.

        These lie beside it, as image.onnx.data, or with it in a folder that holds nothing else.
        """
        folder, found, _ = self.file.partition("/")
        return name.startswith(f"{folder}/" if found else self.file)


# Of bundles that say nothing of them.
_NETWORKS = {"image": Network("image.onnx", "image"), "text": Network("text.onnx", "tokens")}
Tower = Literal["image", "text"]


@dataclass(frozen=True)
class Bundle:
    """An opened bundle; `folder` holds the files and `manifest` all of bundle.json."""

    folder: Path
    manifest: dict[str, Any]

    @classmethod
    def open(cls, folder: str | os.PathLike[str], *, verify: bool = True) -> Bundle:
        """Read and check the bundle in `folder`.

        Every listed file must be there and have its size. With `verify`, its sha256 is checked
        too, and what is said of its export. Without, `checked`, `checked_network` and `calibration`
        check the hashes of what they read: a search should not wait until the image network, or
        Core ML packages that it never reads, are hashed.

        Raises `BundleError` when anything is missing, damaged, or of a format unknown here.
        """
        path = Path(folder)
        # What comes with us was checked when it was made, and to check it takes a search too long.
        trusted = not verify and path.parent == asset("models")
        manifest = _read_manifest(path, () if verify else _UNREAD, trusted=trusted)
        for name, expected in manifest["files"].items():
            _check_file(path / name, expected, verify)
        return cls(path, manifest)

    def checked(self, name: str) -> Path:
        """tokenizer.json, or another file, once its hash was checked.

        Raises `BundleError` when it is damaged.
        """
        self._verify(lambda file: file == name)
        return self.folder / name

    def network(self, tower: Tower) -> Network:
        """What one of the two networks takes and gives."""
        said = self.manifest.get("networks")
        return _NETWORKS[tower] if said is None else Network(**said[tower])

    def checked_network(self, tower: Tower) -> Path:
        """The graph of a network, once the hashes of it and of its weights were checked.

        Raises `BundleError` when one is damaged.
        """
        network = self.network(tower)
        self._verify(network.holds)
        return self.folder / network.file

    def size(self, tower: Tower) -> int:
        """The bytes of a network, as the manifest has them."""
        holds = self.network(tower).holds
        return sum(one["bytes"] for name, one in self.manifest["files"].items() if holds(name))

    def _verify(self, wanted: Callable[[str], bool]) -> None:
        for file, expected in self.manifest["files"].items():
            if wanted(file):
                _check_file(self.folder / file, expected, True)

    @property
    def fields(self) -> dict[str, Any]:
        """All of bundle.json that `write_manifest` is given, and does not find out itself."""
        return {key: said for key, said in self.manifest.items() if key not in _DERIVED}

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
        self._verify(lambda file: file == BACKGROUND)
        return read_calibration(self.folder, self.manifest, self.dim)

    @cached_property
    def id(self) -> str:
        """Name, version, and a hash of the weights, the tokenizer and the preprocessing."""
        own = self.text.tokenizer != CLIP_BPE
        networks = self.network("image"), self.network("text")
        weights = {
            name: entry["sha256"]
            for name, entry in self.manifest["files"].items()
            if any(network.holds(name) for network in networks) or (own and name == TOKENIZER)
        }
        # What a bundle does not say must not move the id that it has.
        text = {k: v for k, v in asdict(self.text).items() if k in self.manifest["text"]}
        image = {k: v for k, v in asdict(self.image).items() if k in self.manifest["image"]}
        what = {"weights": weights, "image": image, "text": text}
        if "networks" in self.manifest:
            what["networks"] = self.manifest["networks"]
        digest = hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()
        return f"{self.name}-{self.version}-{digest[:12]}"


def write_manifest(folder: str | os.PathLike[str], fields: dict[str, Any]) -> Bundle:
    """Write bundle.json for the files in `folder`, hashing each, and open the result.

    `fields` are all keys of the format but "format" and "files", as in `Bundle.fields`. Hidden
    files are left out. The file is replaced in one step, so a reader finds the old one or the new
    one.

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


def _read_manifest(folder: Path, unread: tuple[str, ...], *, trusted: bool) -> dict[str, Any]:
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
    if not trusted and (fault := _schema_fault(manifest, unread)) is not None:
        raise BundleError(f"{path}: {fault}; {_FETCH}")
    return dict(manifest)


@lru_cache
def _validator(keys: frozenset[str], *, detailed: bool) -> Callable[[Any], Any]:
    """Checks a manifest, what it says under these keys; made once, since a process opens a bundle
    several times.

    To compile what the schema says of others would take a good part of the time of a search, and
    to compile messages that say what is wrong, `detailed`, three times as long.
    """
    # Of the JSON Schema validators, the one that imports in milliseconds.
    import fastjsonschema

    schema = json.loads(Path(__file__).with_name("bundle.schema.json").read_text("utf-8"))
    for key in schema["properties"].keys() - keys:
        schema["properties"][key] = {}
    made: Callable[[Any], Any] = fastjsonschema.compile(schema, detailed_exceptions=detailed)
    return made


def _schema_fault(manifest: Any, unread: tuple[str, ...] = ()) -> str | None:
    """What makes `manifest` no bundle of this format; None when nothing does.

    What it says under `unread` may be anything.
    """
    import fastjsonschema

    keys = frozenset(manifest.keys() - unread if isinstance(manifest, dict) else ())
    try:
        _validator(keys, detailed=False)(manifest)
    except fastjsonschema.JsonSchemaValueException:
        try:
            _validator(keys, detailed=True)(manifest)
        except fastjsonschema.JsonSchemaValueException as error:
            # "data.image.size must be ..." becomes "image.size must be ...".
            return str(error.message).removeprefix("data").lstrip(". ")
    said = manifest.get("networks")
    for tower, network in _NETWORKS.items():
        if (name := network.file if said is None else said[tower]["file"]) not in manifest["files"]:
            return f"files must contain {name}"
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
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
