"""Models that are published as ONNX: from a hub on this machine to vectors, without PyTorch."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import published_models
import pytest
from hub_server import COMMIT, Hub, serving
from onnx.external_data_helper import convert_model_to_external_data
from PIL import Image
from published_models import Original, texts
from test_models_pull import Command

from photosearch.encoders import Bundle, BundleStore, open_encoder, open_tokenizer
from photosearch.errors import BundleError, DownloadError
from photosearch.pulling import download
from photosearch.pulling.layouts import layout_of
from photosearch.pulling.offers import Offer, find_offer
from photosearch.pulling.run import Downloading, Pulled, pull

pytestmark = pytest.mark.slow

CLIP = find_offer("ViT-B-32__openai")
SIGLIP = find_offer("ViT-B-16-SigLIP2__webli")
XLM = find_offer("XLM-Roberta-Base-ViT-B-32__laion5b_s13b_b90k")
HF_CLIP = find_offer("clip-vit-base-patch32")
IMAGE, TEXT = layout_of("open_clip").image, layout_of("open_clip").text
MADE: list[tuple[Offer, Callable[[Path], Original]]] = [
    (CLIP, published_models.clip),
    (SIGLIP, published_models.siglip),
    (XLM, published_models.xlm_roberta),
    (HF_CLIP, published_models.transformers_clip),
]


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Original]]:
    """By the name of an offer what its repository holds, and the model that was exported."""
    place = tmp_path_factory.mktemp("published")
    return {offer.name: (place / offer.name, make(place / offer.name)) for offer, make in MADE}


@pytest.fixture
def hub(published: dict[str, tuple[Path, Original]]) -> Iterator[Hub]:
    with serving() as running:
        for offer, _ in MADE:
            running.add(offer.repository, published[offer.name][0])
        yield running


@pytest.fixture
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "_PAUSES", (0.0, 0.0))


@pytest.fixture
def command(tmp_path: Path, hub: Hub) -> Iterator[Command]:
    found = Command(tmp_path, hub)
    yield found
    found.end()


def pulled(store: BundleStore, offer: Offer, hub: Hub) -> Bundle:
    *_, last = pull(store, offer, endpoint=hub.url)
    assert isinstance(last, Pulled)
    return Bundle.open(store.place(last.id))


@pytest.mark.parametrize("offer", [offer for offer, _ in MADE], ids=lambda offer: offer.name)
def test_vectors_and_tokens_are_those_of_the_original(
    hub: Hub,
    published: dict[str, tuple[Path, Original]],
    pictures: Path,
    tmp_path: Path,
    offer: Offer,
) -> None:
    original = published[offer.name][1]
    bundle = pulled(BundleStore(tmp_path / "models"), offer, hub)
    given = texts()

    tokens = open_tokenizer(bundle)(given)
    np.testing.assert_array_equal(tokens, original.ids(given))
    encoder = open_encoder(bundle.folder)
    np.testing.assert_allclose(encoder.encode_texts(given), original.texts(given), atol=1e-4)
    photos = [Image.open(path).convert("RGB") for path in sorted(pictures.iterdir())]
    np.testing.assert_allclose(encoder.encode_images(photos), original.images(photos), atol=1e-4)

    source = bundle.manifest["provenance"]["source"]
    assert (source["repository"], source["commit"]) == (offer.repository, COMMIT)
    layout = layout_of(offer.kind)
    assert {layout.image, layout.text} <= source["files"].keys()
    assert bundle.manifest["licence"] == offer.licence
    assert bundle.languages == (None if offer.languages is None else set(offer.languages))
    assert (bundle.folder / bundle.network("image").file).read_bytes() == (
        hub.files[f"{offer.repository}/{layout.image}"]
    )


def test_the_8_bit_one_is_another_file_of_the_same(
    hub: Hub, published: dict[str, tuple[Path, Original]], tmp_path: Path
) -> None:
    offer = find_offer("clip-vit-base-patch32-int8")
    bundle = pulled(BundleStore(tmp_path / "models"), offer, hub)
    assert bundle.network("text").file == "text/text_model_quantized.onnx"
    given = texts(20)
    exact = published[HF_CLIP.name][1].texts(given)
    cosines = (open_encoder(bundle.folder).encode_texts(given) * exact).sum(1)
    assert cosines.min() > 0.95


def test_it_pulls_encodes_and_searches_without_pytorch(
    command: Command, photos: Path, tmp_path: Path
) -> None:
    """In a Python in which nothing of the trainer can be imported."""
    gone = ("torch", "torchvision", "transformers", "onnx", "onnxscript", "open_clip", "timm")
    (tmp_path / "sitecustomize.py").write_text(
        f"import sys\nsys.modules.update(dict.fromkeys({(*gone, 'trainer')}))\n"
    )
    paths = f"{tmp_path}:{command.environment['PYTHONPATH']}"
    code, out, error = command("models", "pull", SIGLIP.name, PYTHONPATH=paths)
    assert code == 0, error
    assert out.startswith(f"Added {SIGLIP.name}-1-")
    assert command("index", photos, PYTHONPATH=paths)[0] == 0
    code, out, error = command("models", "use", SIGLIP.name, PYTHONPATH=paths)
    assert "Searches now use" in out, error
    assert len(command("search", "собака", PYTHONPATH=paths)[1].splitlines()) == 6


def test_one_trained_with_a_sigmoid_says_what_does_not_fit(
    hub: Hub, published: dict[str, tuple[Path, Original]], tmp_path: Path
) -> None:
    """By the scale and the bias that only the original weights hold."""
    assert SIGLIP.sigmoid == "timm/ViT-B-16-SigLIP2"
    assert pulled(BundleStore(tmp_path / "without"), SIGLIP, hub).calibration is None
    weights = published[SIGLIP.name][0].with_name(f"{SIGLIP.name}-torch")
    hub.add(SIGLIP.sigmoid, weights)
    asked = len(hub.asked)
    bundle = pulled(BundleStore(tmp_path / "models"), SIGLIP, hub)
    assert any(part == "bytes=0-7" for _, _, part in hub.asked[asked:])

    calibration = bundle.calibration
    assert calibration is not None
    assert bundle.manifest["logit_scale"] == pytest.approx(50)
    text = np.eye(1, bundle.dim, dtype=np.float32)
    # write_folder's bias is 0.1: half of the pairs belong together at a cosine just below 0.
    assert calibration.log_ratio(text, np.array([[-0.002]]))[0, 0] == pytest.approx(0, abs=1e-5)
    least = calibration.least(text[0], 100)
    assert 1 / (1 + np.exp(-(50 * least + 0.1))) == pytest.approx(0.001)
    assert calibration.least(text[0], 10**6) == least
    assert calibration.cutoff(text[0], least - 0.01, 100) > least - 0.01
    assert calibration.cutoff(text[0], 0.3, 100) == pytest.approx(0.3 - 4 / 50)


def shapes(path: Path, edit: Callable[[onnx.ModelProto], None]) -> bytes:
    """The ONNX file after `edit`."""
    model = onnx.load(path)
    edit(model)
    return model.SerializeToString()


def apart(path: Path, location: str, folder: Path) -> tuple[bytes, bytes]:
    """The ONNX file with its weights in a file called `location`, and that file."""
    folder.mkdir()
    model = onnx.load(path)
    convert_model_to_external_data(model, location="weights", size_threshold=0)
    onnx.save(model, folder / "model.onnx")
    moved = onnx.load(folder / "model.onnx", load_external_data=False)
    for tensor in moved.graph.initializer:
        for entry in tensor.external_data:
            if entry.key == "location":
                entry.value = location
    return moved.SerializeToString(), (folder / "weights").read_bytes()


def test_weights_beside_the_graph_come_along_and_are_checked(
    hub: Hub, published: dict[str, tuple[Path, Original]], tmp_path: Path
) -> None:
    folder, original = published[CLIP.name]
    for tower, graph in (("visual", IMAGE), ("textual", TEXT)):
        # The same name for both, as exports have it.
        alone, weights = apart(folder / graph, "model.onnx_data", tmp_path / tower)
        hub.files[f"{CLIP.repository}/{graph}"] = alone
        hub.files[f"{CLIP.repository}/{tower}/model.onnx_data"] = weights
    bundle = pulled(BundleStore(tmp_path / "models"), CLIP, hub)
    given = ["a dog", "a red house"]
    encoder = open_encoder(bundle.folder)
    np.testing.assert_allclose(encoder.encode_texts(given), original.texts(given), atol=1e-4)

    (bundle.folder / "text/model.onnx_data").write_bytes(bytes(len(weights)))
    with pytest.raises(BundleError, match=r"model.onnx_data: is damaged"):
        open_encoder(bundle.folder).encode_texts(given)
    # Its id, by which vectors are kept, follows from them.
    entry = bundle.manifest["files"]["image/model.onnx_data"] | {"sha256": "0" * 64}
    files = bundle.manifest["files"] | {"image/model.onnx_data": entry}
    assert Bundle(bundle.folder, bundle.manifest | {"files": files}).id != bundle.id


@pytest.mark.parametrize("location", ["../other", "/etc/passwd", ".hidden", "a/../../b", "C:\\x"])
def test_weights_outside_the_bundle_are_refused(
    hub: Hub, published: dict[str, tuple[Path, Original]], tmp_path: Path, location: str
) -> None:
    graph, _ = apart(published[CLIP.name][0] / IMAGE, location, tmp_path / "apart")
    hub.files[f"{CLIP.repository}/{IMAGE}"] = graph
    store = BundleStore(tmp_path / "models")
    with pytest.raises(DownloadError, match=r"visual/model\.onnx: keeps weights in .*no file besi"):
        list(pull(store, CLIP, endpoint=hub.url))
    assert store.ids() == []


def test_pixels_as_they_are_and_one_at_a_time(
    hub: Hub,
    published: dict[str, tuple[Path, Original]],
    pictures: Path,
    tmp_path: Path,
) -> None:
    """A graph that normalises by itself, (1, H, W, 3) as bytes."""
    folder, original = published[CLIP.name]
    mean, std = (
        np.array(published_models.PREPROCESSING[key], np.float32) for key in ("mean", "std")
    )

    def by_itself(model: onnx.ModelProto) -> None:
        helper, graph = onnx.helper, model.graph
        size = published_models.SIZE
        first = [
            helper.make_node("Cast", ["pixels"], ["float"], to=onnx.TensorProto.FLOAT),
            helper.make_node("Mul", ["float", "scale"], ["scaled"]),
            helper.make_node("Sub", ["scaled", "shift"], ["rows"]),
            helper.make_node("Transpose", ["rows"], ["image"], perm=[0, 3, 1, 2]),
        ]
        nodes = [*first, *graph.node]
        del graph.node[:], graph.input[:]
        graph.node.extend(nodes)
        graph.initializer.extend(
            [
                onnx.numpy_helper.from_array(1 / (255 * std), "scale"),
                onnx.numpy_helper.from_array(mean / std, "shift"),
            ]
        )
        shape = [1, size, size, 3]
        graph.input.append(helper.make_tensor_value_info("pixels", onnx.TensorProto.UINT8, shape))
        graph.output[0].type.tensor_type.shape.dim[0].dim_value = 1

    hub.files[f"{CLIP.repository}/{IMAGE}"] = shapes(folder / IMAGE, by_itself)
    bundle = pulled(BundleStore(tmp_path / "models"), CLIP, hub)
    network = bundle.network("image")
    assert (network.layout, network.together, network.input) == ("nhwc", 1, "pixels")
    photos = [Image.open(path).convert("RGB") for path in sorted(pictures.iterdir())]
    found = open_encoder(bundle.folder).encode_images(photos)
    np.testing.assert_allclose(found, original.images(photos), atol=1e-4)


# What goes wrong


def test_a_hub_that_is_busy_is_asked_again(hub: Hub, tmp_path: Path, quickly: None) -> None:
    hub.busy = [(429, "0"), (503, None)]
    bundle = pulled(BundleStore(tmp_path / "models"), CLIP, hub)
    assert bundle.name == CLIP.name
    assert hub.busy == []
    hub.busy = [(503, None)] * 3
    store = BundleStore(tmp_path / "others")
    with pytest.raises(DownloadError, match="cannot be reached"):
        list(pull(store, CLIP, endpoint=hub.url))
    assert list(tmp_path.glob("others/*")) == []


def test_a_break_and_a_busy_hub_within_a_file(hub: Hub, tmp_path: Path, quickly: None) -> None:
    hub.cut = 1_000_000
    store = BundleStore(tmp_path / "models")
    for event in pull(store, CLIP, endpoint=hub.url):
        if isinstance(event, Downloading) and event.done and not hub.busy:
            hub.busy = [(429, "0")]
            hub.cut = None
    assert store.ids()


def test_a_wrong_hash_leaves_the_library_as_it_was(hub: Hub, tmp_path: Path) -> None:
    hub.altered = True
    store = BundleStore(tmp_path / "models")
    with pytest.raises(DownloadError, match="another hash"):
        list(pull(store, CLIP, endpoint=hub.url))
    assert store.ids() == []


def broken(hub: Hub, name: str, content: bytes | dict[str, Any] | None) -> None:
    where = f"{CLIP.repository}/{name}"
    if content is None:
        del hub.files[where]
    elif isinstance(content, dict):
        said = json.loads(hub.files[where]) | content
        hub.files[where] = json.dumps(said).encode()
    else:
        hub.files[where] = content


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("visual/model.onnx", None, r"has no visual/model\.onnx any more"),
        ("visual/model.onnx", b"no graph", r"model\.onnx: is no ONNX file"),
        ("textual/model.onnx", b"version https://git-lfs", r"model\.onnx: is no ONNX file"),
        ("config.json", b"{", r"config\.json: is not valid JSON"),
        ("config.json", b"[]", r"config\.json: is no JSON object"),
        ("visual/preprocess_cfg.json", {"resize_mode": "crop"}, "resized as 'crop'"),
        ("visual/preprocess_cfg.json", {"mean": None}, r"preprocess_cfg\.json: lacks what is need"),
        ("textual/tokenizer.json", b"{}", r'tokenizer\.json: has no "model"'),
    ],
)
def test_what_is_published_otherwise_is_refused(
    hub: Hub, tmp_path: Path, name: str, content: Any, message: str
) -> None:
    broken(hub, name, content)
    store = BundleStore(tmp_path / "models")
    with pytest.raises(DownloadError, match=message):
        list(pull(store, CLIP, endpoint=hub.url))
    assert store.ids() == []


def test_networks_that_do_not_encode_are_refused(
    hub: Hub, published: dict[str, tuple[Path, Original]], tmp_path: Path
) -> None:
    """Pictures of another size than the settings say, and vectors that are no numbers."""
    broken(hub, "visual/preprocess_cfg.json", {"size": 24})
    store = BundleStore(tmp_path / "models")
    with pytest.raises(BundleError, match=r"model\.onnx: (does not take|ONNX Runtime)"):
        list(pull(store, CLIP, endpoint=hub.url))

    def spoil(model: onnx.ModelProto) -> None:
        for each in model.graph.initializer:
            if onnx.numpy_helper.to_array(each).dtype == np.float32:
                values = np.full_like(onnx.numpy_helper.to_array(each), np.nan)
                each.CopyFrom(onnx.numpy_helper.from_array(values, each.name))

    broken(hub, "visual/preprocess_cfg.json", {"size": published_models.SIZE})
    broken(
        hub,
        "textual/model.onnx",
        shapes(published[CLIP.name][0] / TEXT, spoil),
    )
    other = BundleStore(tmp_path / "others")
    with pytest.raises(BundleError, match="gives no vectors"):
        list(pull(other, CLIP, endpoint=hub.url))
    assert store.ids() == other.ids() == []
