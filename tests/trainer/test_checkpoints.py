"""Weights in the layouts of Apple and open_clip, held against the converters of open_clip and timm.

Apple's files cannot be had here. What their tensors are called is written down below from Apple's
published modules, and what they mean is written down as a forward pass on those names.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from apple_layout import State, apple_mct, apple_s0_layout
from click.testing import CliRunner
from narrow_models import narrow, narrow_models
from optional import module, needs_limits
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from trainer.cli import main
from trainer.models import config as configs
from trainer.models.checkpoints import detect_layout, from_ours, load_into, to_ours
from trainer.models.family import Clip, build
from trainer.models.folding import fold_batch_norms
from trainer.models.state import read_state, write_state
from trainer.torchvision_ops import ensure_torchvision

pytestmark = pytest.mark.slow

ensure_torchvision()
open_clip = module("open_clip")
timm = module("timm")

PUBLISHED = configs._FOLDER
BIASES = ("visual.trunk.head.fc.bias", "visual.trunk.head.bias")


class Unset(TorchFunctionMode):
    """Modules are made without the random weights that will not stay, which take longest."""

    def __torch_function__(
        self, function: Any, types: Any, arguments: Any = (), named: Any = None
    ) -> Any:
        if getattr(function, "__name__", "") in ("normal_", "uniform_", "erfinv_"):
            return arguments[0] if arguments else (named or {})["tensor"]
        return function(*arguments, **(named or {}))


def drawn(name: str) -> Clip:
    """The model of that name with weights of `randomised`."""
    with Unset():
        model = build(name)
    return randomised(model)


def randomised(model: Any) -> Any:
    """`model` in eval mode, with no tensor that could be taken for another or left out unseen."""
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for key, value in model.state_dict().items():
            if key.endswith(("running_var", "layer_scale")) or "gamma" in key:
                value.uniform_(0.3, 0.9, generator=generator)
            elif key.endswith("num_batches_tracked"):
                value.random_(1, 1000, generator=generator)
            elif key == "logit_scale":
                value.fill_(3.7)
            elif key in BIASES:
                value.zero_()  # Apple's projections have none
            elif value.ndim == 1 and key.endswith("weight"):
                value.uniform_(0.5, 1.5, generator=generator)
            elif value.ndim == 1:
                value.normal_(0, 0.1, generator=generator)
            elif "pos" in key or ("token" in key and "mixer" not in key):
                value.normal_(0, 0.3, generator=generator)
            else:
                bound = (3 / value[0].numel()) ** 0.5
                value.uniform_(-bound, bound, generator=generator)
    return model.eval()


def pixels(size: int) -> Tensor:
    """A flat image and a very noisy one, which even random weights tell apart."""
    torch.manual_seed(1)
    return torch.stack([torch.full((3, size, size), 0.2), 4 * torch.randn(3, size, size)])


def captions() -> Tensor:
    torch.manual_seed(2)
    ids = torch.zeros(3, 77, dtype=torch.int64)
    ids[:, 0], ids[:, 1:9], ids[:, 9] = 49406, torch.randint(1, 49406, (3, 8)), 49407
    ids[0, 4] = 49407
    return ids


def logits(outputs: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    image, text, scale = outputs
    return scale * image @ text.T


def equal(first: State, second: State) -> bool:
    return first.keys() == second.keys() and all(
        torch.equal(first[key], second[key]) for key in first
    )


@pytest.fixture(scope="module", autouse=True)
def narrow_texts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with narrow_models(tmp_path_factory.mktemp("narrow")):
        yield


def open_clips(name: str) -> nn.Module:
    """open_clip's model of that name, as narrow as ours, with weights that are to be replaced."""
    fields = open_clip.get_model_config(name)
    fields.pop("custom_text")
    fields["text_cfg"] = narrow(fields["text_cfg"])
    with Unset():
        model: nn.Module = open_clip.CustomTextCLIP(**fields)
    return model.eval()


@pytest.fixture(scope="module")
def s0(narrow_texts: None) -> Clip:
    return drawn("MobileCLIP-S0")


@pytest.fixture(scope="module")
def apples(s0: Clip) -> State:
    return from_ours(s0.state_dict(), "MobileCLIP-S0", "apple")


# --- what open_clip has too -----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["MobileCLIP-S1", "MobileCLIP-S2", "MobileCLIP-B"])
def test_open_clip_computes_the_same_from_either_layout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    size = 64
    if name == "MobileCLIP-B":
        # Only this tower has a fixed size: that of its table of positions.
        monkeypatch.setattr(timm, "create_model", partial(timm.create_model, img_size=size))
        transformer = timm.models.vision_transformer.VisionTransformer
        monkeypatch.setattr(transformer, "set_input_size", lambda self, **_: None)
    ours, theirs = drawn(name), open_clips(name)
    state = ours.state_dict()
    with torch.inference_mode():
        expected = logits(ours(pixels(size), captions()))
        assert expected.std(dim=0).max() > 1e-2  # or the tolerance would prove little
        assert expected.std(dim=1).max() > 1e-2

        apple = from_ours(state, name, "apple")
        assert detect_layout(apple) == "apple"
        assert equal(to_ours(apple, name), state)
        write_state(apple, tmp_path / "apple.pt")
        open_clip.load_checkpoint(theirs, str(tmp_path / "apple.pt"))  # strict, by its converter
        torch.testing.assert_close(
            logits(theirs(pixels(size), captions())), expected, rtol=0, atol=1e-5
        )

        for value in theirs.state_dict().values():
            value.zero_()
        theirs.load_state_dict(from_ours(state, name, "openclip"))
        torch.testing.assert_close(
            logits(theirs(pixels(size), captions())), expected, rtol=0, atol=1e-5
        )
    assert detect_layout(theirs.state_dict()) == "openclip"
    assert equal(to_ours(theirs.state_dict(), name), state)


def test_checkpoint_of_open_clips_own_training_starts_our_model(tmp_path: Path) -> None:
    theirs = randomised(open_clips("MobileCLIP2-S0"))
    # As distributed training writes it, and as Apple publishes MobileCLIP2.
    wrapped = {f"module.{key}": value for key, value in theirs.state_dict().items()}
    wrapped["module.logit_scale"] = wrapped["module.logit_scale"].reshape(1)
    torch.save({"epoch": 3, "state_dict": wrapped, "optimizer": {"step": 5}}, tmp_path / "e.pt")

    with Unset():
        ours = build("MobileCLIP2-S0").eval()
    assert load_into(ours, tmp_path / "e.pt") == "openclip"
    with torch.inference_mode():
        torch.testing.assert_close(
            logits(ours(pixels(64), captions())),
            logits(theirs(pixels(64), captions())),
            rtol=0,
            atol=1e-5,
        )


def test_s0_has_the_names_and_shapes_of_apples_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(configs, "_FOLDER", PUBLISHED)
    with torch.device("meta"):
        state = build("MobileCLIP-S0").state_dict()
    state[BIASES[0]] = torch.zeros(512)
    apples = from_ours(state, "MobileCLIP-S0", "apple")
    assert {key: tuple(value.shape) for key, value in apples.items()} == apple_s0_layout()
    assert len(apples) == 893


def test_s0_survives_the_way_to_apple_and_back(s0: Clip, apples: State) -> None:
    assert detect_layout(apples) == "apple"
    assert detect_layout(s0.state_dict()) == "ours"
    assert equal(to_ours(apples, "MobileCLIP-S0"), s0.state_dict())
    assert equal(from_ours(s0.state_dict(), "MobileCLIP-S0", "ours"), s0.state_dict())


def test_s0_in_apples_layout_computes_what_ours_does(s0: Clip, apples: State) -> None:
    from timm.models.fastvit import checkpoint_filter_fn

    image_tower = timm.create_model("fastvit_mci0", num_classes=512).eval()
    image_tower.load_state_dict(
        checkpoint_filter_fn(apples, image_tower)  # type: ignore[no-untyped-call]
    )
    with torch.inference_mode():
        expected = logits(s0(pixels(64), captions()))
        image = F.normalize(image_tower(pixels(64)), dim=-1)
        text = F.normalize(apple_mct(apples, captions()), dim=-1)
        actual = logits((image, text, apples["logit_scale"].exp()))
    assert expected.std(dim=0).max() > 1e-2
    assert expected.std(dim=1).max() > 1e-2
    torch.testing.assert_close(actual, expected, rtol=0, atol=1e-5)


# --- files and the command ------------------------------------------------------------------------


def test_command_converts_there_and_back(s0: Clip, tmp_path: Path) -> None:
    def convert(source: str, target: str, *more: str) -> tuple[int, str]:
        files = [str(tmp_path / source), str(tmp_path / target)]
        result = CliRunner().invoke(main, ["convert", *files, "--model", "MobileCLIP-S0", *more])
        return result.exit_code, result.output

    write_state(s0.state_dict(), tmp_path / "ours.safetensors")
    code, output = convert("ours.safetensors", "apple.pt", "--to", "apple")
    assert code == 0, output
    assert "MobileCLIP-S0, 893 tensors, from layout ours to apple" in output
    code, output = convert("apple.pt", "back.safetensors", "--to", "ours")
    assert code == 0, output
    assert equal(read_state(tmp_path / "back.safetensors"), s0.state_dict())

    before = (tmp_path / "apple.pt").stat()
    code, output = convert("ours.safetensors", "apple.pt", "--to", "apple")
    assert code == 1
    assert "apple.pt: already there" in output
    assert (tmp_path / "apple.pt").stat() == before
    code, output = convert("ours.safetensors", "apple.pt", "--to", "apple", "--replace")
    assert code == 0, output
    code, output = convert("apple.pt", "other.pt", "--to", "openclip")
    assert code == 1
    assert "apple.pt: open_clip has no model MobileCLIP-S0" in output
    code, output = convert("apple.pt", "other.pt", "--to", "elsewhere")
    assert code == 2
    assert {path.name for path in tmp_path.iterdir()} == {
        "ours.safetensors",
        "apple.pt",
        "back.safetensors",
    }


@pytest.mark.parametrize("name", ["weights.safetensors", "weights.pt"])
def test_written_tensors_are_read_again(tmp_path: Path, name: str) -> None:
    state = {"a.weight": torch.rand(2, 3), "n": torch.tensor(3), "half": torch.rand(4).bfloat16()}
    write_state(state, tmp_path / name)
    assert equal(read_state(tmp_path / name), state)
    assert [path.name for path in tmp_path.iterdir()] == [name]


@needs_limits
@pytest.mark.parametrize("name", ["weights.safetensors", "weights.pt"])
def test_failed_write_leaves_the_old_file_alone(tmp_path: Path, name: str) -> None:
    import resource

    file = tmp_path / name
    write_state({"a": torch.ones(2)}, file)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))  # as if the disk were full
    try:
        with pytest.raises(ValueError, match=rf"{name}: could not be written \("):
            write_state({"a": torch.rand(100_000)}, file)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert read_state(file)["a"].tolist() == [1, 1]
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(
    ("name", "complaint"), [("w.bin", r"w\.bin: .*\.safetensors or \.pt"), ("no/w.pt", "no such")]
)
def test_file_that_cannot_be_written_is_named(tmp_path: Path, name: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        write_state({"a": torch.ones(2)}, tmp_path / name)


# --- what is refused ------------------------------------------------------------------------------


def test_truncated_or_enlarged_checkpoint_is_refused_and_changes_nothing(
    s0: Clip, apples: State, tmp_path: Path
) -> None:
    before = {key: value.clone() for key, value in s0.state_dict().items()}
    faults: dict[str, tuple[State, str]] = {
        "short.pt": (
            {key: value for key, value in apples.items() if "transformer.3." not in key},
            r"12 missing \(text_encoder\.transformer\.3\.pre_norm_mha\.0\.weight, .*, \.\.\.\)",
        ),
        "long.pt": (
            apples | {"text_encoder.extra": torch.ones(1)},
            r"1 unknown \(text_encoder\.extra\)",
        ),
        "other.pt": (
            apples | {"image_encoder.model.head.proj": torch.ones(512, 1024)},
            r"1 misshapen \(image_encoder\.model\.head\.proj \(512, 1024\) instead of \(1024, 512",
        ),
    }
    for name, (state, complaint) in faults.items():
        torch.save({key: value + 1 for key, value in state.items()}, tmp_path / name)
        with pytest.raises(ValueError, match=f"{name}: not the weights of this model: {complaint}"):
            load_into(s0, tmp_path / name)
    assert equal(s0.state_dict(), before)


def test_half_a_file_is_refused(s0: Clip, tmp_path: Path) -> None:
    for name in ("half.pt", "half.safetensors"):
        write_state({"a": torch.rand(1000)}, tmp_path / name)
        content = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(content[: len(content) // 2])
        with pytest.raises(ValueError, match=f"{name}: not a weights file"):
            load_into(s0, tmp_path / name)


def test_weights_of_another_model_are_refused(s0: Clip, apples: State) -> None:
    for state in (s0.state_dict(), apples):
        with pytest.raises(ValueError, match="not the weights of this model"):
            to_ours(state, "MobileCLIP-S1")
    with pytest.raises(ValueError, match=r"missing .*unknown"):
        to_ours(apples, "MobileCLIP-S0", "openclip")


@pytest.mark.parametrize(
    "keys",
    [
        [],
        ["conv1.weight", "layer1.0.conv1.weight"],
        ["visual.trunk.stem.0.conv_kxk.0.conv.weight"],
        ["text_encoder.embedding_layer.weight"],
    ],
)
def test_foreign_checkpoint_is_refused(keys: list[str]) -> None:
    with pytest.raises(
        ValueError, match=r"^holds .*not a model of the MobileCLIP family"
    ) as caught:
        detect_layout({key: torch.ones(1) for key in keys})
    assert (keys or ["no tensor"])[0] in str(caught.value)


def test_weights_folded_for_inference_are_refused(s0: Clip, apples: State) -> None:
    folded = fold_batch_norms(s0).state_dict()
    with pytest.raises(ValueError, match=r"folded for inference \(.*reparam_conv"):
        to_ours(folded, "MobileCLIP-S0")
    text_alone = s0.state_dict() | {
        key: value for key, value in folded.items() if key.startswith("text.")
    }
    with pytest.raises(ValueError, match=r"folded for inference \(text\.blocks\.0\..*folded"):
        to_ours(text_alone, "MobileCLIP-S0")
    # Apple's own code folds to these names.
    for name in ("patch_embed.0.reparam_conv.bias", "network.1.proj.0.lkb_reparam.weight"):
        with pytest.raises(ValueError, match="folded for inference"):
            to_ours(apples | {f"image_encoder.model.{name}": torch.ones(1)}, "MobileCLIP-S0")


def test_bias_that_apple_has_no_place_for_is_not_dropped(s0: Clip) -> None:
    state = s0.state_dict()
    state[BIASES[0]] = torch.full((512,), 1e-8)
    with pytest.raises(ValueError, match=r"head\.fc\.bias is not zero.*freeze"):
        from_ours(state, "MobileCLIP-S0", "apple")


@pytest.mark.parametrize("name", ["MobileCLIP-Nano", "MobileCLIP2-S3", "MobileCLIP2-L-14"])
def test_models_that_apples_code_lacks_are_refused(name: str) -> None:
    with torch.device("meta"):
        state = build(name).state_dict()
    for key in BIASES:
        if key in state:
            state[key] = torch.zeros(768)
    with pytest.raises(ValueError, match="Apple's code has no such model"):
        from_ours(state, name, "apple")
