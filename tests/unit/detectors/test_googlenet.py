"""GoogLeNet: the published network and its ImageNet weights."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from swapset.detectors.networks.googlenet import GoogLeNet, InceptionE, read_imagenet
from swapset.errors import DataError


def test_googlenet_has_the_weights_of_torchvision():
    network = GoogLeNet(1000)
    assert sum(part.numel() for part in network.parameters()) == 27_161_264
    shapes = {name: tuple(part.shape) for name, part in network.state_dict().items()}
    assert len(shapes) == 580
    assert shapes["Conv2d_1a_3x3.conv.weight"] == (32, 3, 3, 3)
    assert shapes["Mixed_5b.branch3x3dbl_3.bn.running_var"] == (96,)
    assert shapes["Mixed_6c.branch7x7dbl_4.conv.weight"] == (160, 160, 7, 1)
    assert shapes["AuxLogits.conv1.conv.weight"] == (768, 128, 5, 5)
    assert shapes["Mixed_7c.branch3x3dbl_3a.conv.weight"] == (384, 384, 1, 3)
    assert shapes["fc.weight"] == (1000, 2048)
    assert network.Mixed_5b.branch1x1.bn.eps == 0.001


def test_the_last_block_is_what_its_weights_say():
    torch.manual_seed(3)
    block = InceptionE(8).eval()
    state = block.state_dict()
    x = torch.randn(2, 8, 6, 6)

    def conv(name, images, padding):
        found = F.conv2d(images, state[f"{name}.conv.weight"], padding=padding)
        norm = [state[f"{name}.bn.{part}"] for part in ("running_mean", "running_var")]
        return F.relu(F.batch_norm(found, *norm, eps=0.001))

    with torch.inference_mode():
        once = conv("branch3x3_1", x, 0)
        twice = conv("branch3x3dbl_2", conv("branch3x3dbl_1", x, 0), 1)
        mean = F.avg_pool2d(F.pad(x, (1, 1, 1, 1)), 3, stride=1)  # the border's zeros count
        expected = [
            conv("branch1x1", x, 0),
            conv("branch3x3_2a", once, (0, 1)),
            conv("branch3x3_2b", once, (1, 0)),
            conv("branch3x3dbl_3a", twice, (0, 1)),
            conv("branch3x3dbl_3b", twice, (1, 0)),
            conv("branch_pool", mean, 0),
        ]
        torch.testing.assert_close(block(x), torch.cat(expected, dim=1))


def test_weights_on_imagenet_come_without_the_last_layers(tmp_path):
    state = GoogLeNet(5).state_dict()
    old = {name: part for name, part in state.items() if "num_batches" not in name}
    torch.save(old, tmp_path / "inception.pth")
    network = GoogLeNet(2)
    last = network.fc.weight.clone()
    read_imagenet(tmp_path / "inception.pth", network)
    inner = "Mixed_6e.branch7x7_2.conv.weight"
    assert torch.equal(network.get_parameter(inner), old[inner])
    assert torch.equal(network.fc.weight, last)


@pytest.mark.parametrize("kind", ["missing", "text", "other", "list", "cut"])
def test_a_file_that_is_not_googlenet_is_refused(tmp_path, kind):
    path = tmp_path / "weights.pth"
    if kind == "text":
        path.write_text("no weights")
    elif kind == "other":
        torch.save({"conv.weight": torch.zeros(3)}, path)
    elif kind == "list":
        torch.save([torch.zeros(3)], path)
    elif kind == "cut":
        torch.save({"conv.weight": torch.zeros(3000)}, path)
        path.write_bytes(path.read_bytes()[:2000])
    said = r"weights\.pth.*inception_v3" if kind == "other" else r"weights\.pth"
    with pytest.raises(DataError, match=said):
        read_imagenet(path, GoogLeNet(2))
