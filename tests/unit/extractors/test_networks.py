"""Networks: names and shapes of the published weights, numbers of parameters, parts."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from swapset.extractors.avs_san import AVSSAN
from swapset.extractors.networks.avs_san import SANNetwork
from swapset.extractors.networks.fan import FANNetwork
from swapset.extractors.networks.hrnet import HRNetNetwork
from swapset.extractors.networks.styles import AverageStyle, Generator


def parameters(network: nn.Module) -> int:
    return sum(part.numel() for part in network.parameters())


def shapes(network: nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(part.shape) for name, part in network.state_dict().items()}


# The numbers of parameters come from the authors' classes with the same settings.


def test_hrnet_is_the_published_one():
    network = HRNetNetwork(98)
    assert parameters(network) == 9_662_528
    own = shapes(network)
    assert len(own) == 1839
    for name, shape in {
        "conv2.weight": (64, 64, 3, 3),
        "layer1.0.downsample.0.weight": (256, 64, 1, 1),
        "layer1.3.conv3.weight": (256, 64, 1, 1),
        "transition1.0.0.weight": (18, 256, 3, 3),
        "transition1.1.0.0.weight": (36, 256, 3, 3),
        "stage2.0.branches.1.3.bn2.running_var": (36,),
        "stage2.0.fuse_layers.0.1.0.weight": (18, 36, 1, 1),
        "transition2.2.0.0.weight": (72, 36, 3, 3),
        "stage3.3.fuse_layers.2.0.0.0.weight": (18, 18, 3, 3),
        "stage3.3.fuse_layers.2.0.1.0.weight": (72, 18, 3, 3),
        "transition3.3.0.0.weight": (144, 72, 3, 3),
        "stage4.2.fuse_layers.3.0.2.1.num_batches_tracked": (),
        "head.0.weight": (270, 270, 1, 1),
        "head.3.bias": (98,),
    }.items():
        assert own[name] == shape, name
    assert not any(name.startswith(("transition2.0", "transition3.2", "stage4.3")) for name in own)


def test_a_first_step_does_not_wipe_out_the_fresh_hrnet():
    torch.manual_seed(0)
    network = HRNetNetwork(68, stem=16, branch=4)
    before = {
        name: part.clone()
        for name, part in network.named_parameters()
        if part.dim() == 4 and not name.startswith("head")
    }
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)
    (network(torch.randn(2, 3, 64, 64)) - 1).square().mean().backward()
    optimiser.step()
    for name, part in network.named_parameters():
        if name in before:
            alike = torch.nn.functional.cosine_similarity(part.flatten(), before[name].flatten(), 0)
            assert alike > 0.99, name


def test_fan_is_the_published_one():
    network = FANNetwork(68)
    assert parameters(network) == 6_249_668
    own = shapes(network)
    for name, shape in {
        "conv1.weight": (64, 3, 7, 7),
        "conv1.bias": (64,),
        "conv2.downsample.2.weight": (128, 64, 1, 1),
        "conv4.conv2.weight": (64, 128, 3, 3),
        "m0.b1_4.bn1.running_mean": (256,),
        "m0.b2_plus_1.conv3.weight": (64, 64, 3, 3),
        "m0.b3_1.conv1.weight": (128, 256, 3, 3),
        "top_m_0.conv1.weight": (128, 256, 3, 3),
        "conv_last0.bias": (256,),
        "bn_end0.weight": (256,),
        "l0.weight": (68, 256, 1, 1),
    }.items():
        assert own[name] == shape, name
    assert "conv3.downsample.0.weight" not in own
    assert "m0.b2_plus_2.conv1.weight" not in own


def test_san_is_the_published_one():
    network = SANNetwork(98, generators=True)
    own = shapes(network)
    for name, shape in {
        "netG_A.model.1.weight": (64, 3, 7, 7),
        "netG_A.model.10.conv_block.5.weight": (256, 256, 3, 3),
        "netG_B.model.16.weight": (256, 128, 3, 3),
        "netG_B.model.23.bias": (3,),
        "features.0.weight": (64, 3, 3, 3),
        "features.21.weight": (512, 512, 3, 3),
        "CPM_feature.2.weight": (128, 256, 3, 3),
        "stage1.8.weight": (512, 128, 1, 1),
        "stage1.10.weight": (99, 512, 1, 1),
        "stage2.0.weight": (128, 128 * 2 + 99 * 2, 7, 7),
        "stage3.0.weight": (128, 128 * 2 + 99, 7, 7),
        "stage3.16.weight": (99, 128, 1, 1),
    }.items():
        assert own[name] == shape, name
    assert len(own) == 2 * 36 + 2 * (10 + 2 + 6 + 9 + 9)


def test_fixed_styles_add_nothing_to_the_weights():
    own = shapes(SANNetwork(68, 0.1))
    assert not any(name.startswith(("netG", "styles")) for name in own)


def test_a_generator_keeps_shape_and_range():
    made = Generator()(torch.rand(1, 3, 32, 32) * 2 - 1)
    assert made.shape == (1, 3, 32, 32)
    assert made.abs().max() <= 1


def test_generators_never_learn():
    extractor = AVSSAN(width=0.1, generators=True)
    for extractor.pretrained in (False, True):
        groups = extractor.optimiser(1).param_groups
        learning = {id(part) for group in groups for part in group["params"]}
        for name, part in extractor.network.named_parameters():
            assert (id(part) in learning) is part.requires_grad is not name.startswith("netG")


def test_later_stages_and_biases_learn_faster():
    extractor = AVSSAN(width=0.1)
    extractor.pretrained = True
    named = {id(part): name for name, part in extractor.network.named_parameters()}
    pace = {
        named[id(part)]: (group["lr"], group["weight_decay"])
        for group in extractor.optimiser(0.5).param_groups
        for part in group["params"]
    }
    assert set(pace) == set(named.values())
    assert pace["features.0.weight"] == (0.5, 5e-4)
    assert pace["stage1.0.bias"] == (1, 0)
    assert pace["stage2.0.weight"] == (2, 5e-4)
    assert pace["stage3.16.bias"] == (4, 0)


def test_the_average_style_knows_no_contrast_nor_cast():
    face = torch.rand(1, 3, 64, 64) - 0.5
    style = AverageStyle()

    def colourless(x: Tensor) -> Tensor:
        return style(x) - (x * style.luma).sum(1, keepdim=True) / 2

    cast = torch.tensor([0.3, -0.1, 0.2]).view(1, 3, 1, 1)
    torch.testing.assert_close(colourless(0.6 * face + cast), colourless(face), atol=0.02, rtol=0)


def test_the_average_style_of_a_plain_picture_has_a_gradient():
    plain = torch.full((1, 3, 8, 8), 0.2, requires_grad=True)
    AverageStyle()(plain).sum().backward()
    assert plain.grad is not None
    assert plain.grad.isfinite().all()


@pytest.mark.parametrize("width", [0.05, 0.3, 0.77])
def test_any_width_makes_a_network(width):
    for network in (
        FANNetwork(68, 4 * max(1, round(16 * width))),
        HRNetNetwork(98, max(4, round(64 * width)), max(2, round(18 * width))),
        SANNetwork(68, width),
    ):
        with torch.inference_mode():
            made = network.eval()(torch.zeros(1, 3, 64, 64))
        assert isinstance(made, list | Tensor)
