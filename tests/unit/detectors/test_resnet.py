"""ResNet-50 and its pyramid: names of the published weights, and outputs computed differently."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from swapset.detectors.networks.resnet import PyramidResNet50, ResNet50, pyramid, take_imagenet
from swapset.errors import DataError
from swapset.learning.state_dicts import read_state


def expected_shapes(classes: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield torchvision's names and shapes of ResNet-50, in its order."""

    def norm(name: str, size: int) -> Iterator[tuple[str, tuple[int, ...]]]:
        for part in ("weight", "bias", "running_mean", "running_var"):
            yield f"{name}.{part}", (size,)
        yield f"{name}.num_batches_tracked", ()

    yield "conv1.weight", (64, 3, 7, 7)
    yield from norm("bn1", 64)
    inputs = 64
    for layer, (width, blocks) in enumerate(((64, 3), (128, 4), (256, 6), (512, 3)), 1):
        for block in range(blocks):
            at = f"layer{layer}.{block}"
            for number, shape in enumerate(
                ((width, inputs, 1, 1), (width, width, 3, 3), (4 * width, width, 1, 1)), 1
            ):
                yield f"{at}.conv{number}.weight", shape
                yield from norm(f"{at}.bn{number}", shape[0])
            if block == 0:
                yield f"{at}.downsample.0.weight", (4 * width, inputs, 1, 1)
                yield from norm(f"{at}.downsample.1", 4 * width)
            inputs = 4 * width
    yield "fc.weight", (classes, 2048)
    yield "fc.bias", (classes,)


def shaken(network: torch.nn.Module) -> torch.nn.Module:
    """Give every BatchNorm random statistics and weights."""
    generator = torch.Generator().manual_seed(1)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.2, generator=generator)
            module.running_var.uniform_(0.5, 1.5, generator=generator)
            module.weight.data.uniform_(0.4, 1.0, generator=generator)
            module.bias.data.normal_(0, 0.2, generator=generator)
    return network.eval()


def computed(state: dict[str, Tensor], x: Tensor) -> Tensor:
    """Compute the last feature map from a state dict, without the network's code."""

    def norm(y: Tensor, name: str) -> Tensor:
        mean, var, weight, bias = (
            state[f"{name}.{part}"].double()[:, None, None]
            for part in ("running_mean", "running_var", "weight", "bias")
        )
        return (y - mean) / torch.sqrt(var + 1e-5) * weight + bias

    def conv(y: Tensor, name: str, stride: int = 1) -> Tensor:
        kernel = state[f"{name}.weight"].double()
        return functional.conv2d(y, kernel, stride=stride, padding=kernel.shape[-1] // 2)

    x = norm(conv(x.double(), "conv1", 2), "bn1").clamp(min=0)
    x = functional.max_pool2d(functional.pad(x, (1, 1, 1, 1), value=-torch.inf), 3, 2)
    for layer, blocks in enumerate((3, 4, 6, 3), 1):
        for block in range(blocks):
            at, stride = f"layer{layer}.{block}", 2 if layer > 1 and block == 0 else 1
            y = norm(conv(x, f"{at}.conv1"), f"{at}.bn1").clamp(min=0)
            y = norm(conv(y, f"{at}.conv2", stride), f"{at}.bn2").clamp(min=0)
            y = norm(conv(y, f"{at}.conv3"), f"{at}.bn3")
            if block == 0:
                x = norm(conv(x, f"{at}.downsample.0", stride), f"{at}.downsample.1")
            x = (x + y).clamp(min=0)
    return x


def test_names_shapes_and_size_are_those_of_torchvision() -> None:
    network = ResNet50(1000)
    assert [(name, tuple(part.shape)) for name, part in network.state_dict().items()] == list(
        expected_shapes(1000)
    )
    assert sum(part.numel() for part in network.parameters()) == 25_557_032


def test_names_of_the_pyramid_are_those_of_the_published_checkpoint() -> None:
    found = {name: tuple(part.shape) for name, part in PyramidResNet50().state_dict().items()}
    assert found == {
        **{f"resnet.resnet.{name}": shape for name, shape in expected_shapes(1000)},
        "resnet.fc.weight": (2, 2048),
        "resnet.fc.bias": (2,),
        "classifier.weight": (2, 2048 * (1 + 4 + 36)),
        "classifier.bias": (2,),
    }


def test_output_is_that_of_a_computation_from_the_weights_alone() -> None:
    torch.manual_seed(0)
    network = shaken(ResNet50(2))
    x = torch.randn(2, 3, 64, 96)
    state = network.state_dict()
    features = computed(state, x).mean((2, 3))
    expected = features @ state["fc.weight"].double().T + state["fc.bias"]
    with torch.inference_mode():
        found = network(x)
    assert found.std() > 0.05
    torch.testing.assert_close(found.double(), expected, atol=1e-5, rtol=1e-5)


def test_pyramid_takes_the_largest_of_each_cell_level_by_level() -> None:
    x = torch.randn(2, 3, 7, 7, generator=torch.Generator().manual_seed(0))
    cells = {1: [(0, 7)], 2: [(0, 4), (3, 7)], 6: [(k, k + 2) for k in range(6)]}
    expected = [
        x[:, channel, top:bottom, left:right].amax((1, 2))
        for level in (1, 2, 6)
        for channel in range(3)
        for top, bottom in cells[level]
        for left, right in cells[level]
    ]
    assert torch.equal(pyramid(x, (1, 2, 6)), torch.stack(expected, 1))


def test_pyramid_network_ignores_the_layers_that_it_only_carries() -> None:
    torch.manual_seed(0)
    network = PyramidResNet50().eval()
    x = torch.randn(1, 3, 224, 224)
    with torch.inference_mode():
        before = network(x)
        for carried in (network.resnet.fc, network.resnet.resnet.fc):
            carried.weight.zero_()
        assert torch.equal(network(x), before)
        network.classifier.bias[1] += 3
        torch.testing.assert_close(network(x) - before, torch.tensor([[0.0, 3.0]]))


@pytest.mark.parametrize("counted", [True, False], ids=["new", "before-counting"])
def test_imagenet_weights_fill_all_but_the_last_layer(tmp_path: Path, counted: bool) -> None:
    state = shaken(ResNet50(1000)).state_dict()
    if not counted:
        state = {name: part for name, part in state.items() if "num_batches" not in name}
    torch.save(state, tmp_path / "resnet50.pth")
    network = ResNet50(2)
    last = network.fc.weight.clone()
    take_imagenet(network, tmp_path / "resnet50.pth")
    found = network.state_dict()
    assert torch.equal(found["fc.weight"], last)
    assert all(
        torch.equal(part, state[name])
        for name, part in found.items()
        if name in state and not name.startswith("fc.")
    )


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    state = ResNet50(2).state_dict()
    path = tmp_path / "other.pth"
    for wrong in (
        {name: part for name, part in state.items() if name != "layer3.2.conv1.weight"},
        {**state, "layer3.2.conv1.weight": torch.zeros(256, 1024, 3, 3)},
        {**state, "layer3.6.conv1.weight": torch.zeros(1)},
    ):
        torch.save(wrong, path)
        with pytest.raises(DataError, match=r"other\.pth: is no ResNet-50.*layer3\.[26]\.conv1"):
            take_imagenet(ResNet50(2), path)


class _Trap:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("sprung",)


def test_only_state_dicts_are_read_and_no_code_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "held.pth"
    with pytest.raises(DataError, match=r"held\.pth: cannot be read"):
        read_state(path)
    path.write_bytes(b"no weights at all")
    with pytest.raises(DataError, match=r"held\.pth: cannot be read"):
        read_state(path)
    torch.save({"net": _Trap()}, path)
    with pytest.raises(DataError, match=r"held\.pth: cannot be read"):
        read_state(path, "net")
    assert not (tmp_path / "sprung").exists()
    torch.save([torch.zeros(1)], path)
    with pytest.raises(DataError, match="holds no state dict"):
        read_state(path)
    torch.save({"net": {"a": torch.ones(2)}, "epoch": 3}, path)
    assert list(read_state(path, "net")) == ["a"]
