"""Convolutions on a quarter of the pixels equal the plain ones."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from swapset.generation.blocks import halving_convolution, same_size_convolution


def numbers(*shape: int) -> torch.Tensor:
    return torch.randn(
        *shape, dtype=torch.float64, generator=torch.Generator().manual_seed(len(shape))
    )


@pytest.mark.parametrize("kernel", [3, 4, 5])
@pytest.mark.parametrize("channels", [3, 6])
def test_halving_is_the_plain_convolution(kernel: int, channels: int) -> None:
    faces, weight = numbers(2, channels, 16, 24), numbers(5, channels, kernel, kernel)
    bias = numbers(5)
    plain = functional.conv2d(faces, weight, bias, stride=2, padding=(kernel - 1) // 2)
    assert torch.allclose(halving_convolution(faces, weight, bias), plain, atol=1e-12)


@pytest.mark.parametrize("kernel", [3, 5])
@pytest.mark.parametrize("outputs", [1, 3])
def test_keeping_is_the_plain_convolution(kernel: int, outputs: int) -> None:
    features, weight = numbers(2, 8, 12, 16), numbers(outputs, 8, kernel, kernel)
    bias = numbers(outputs)
    plain = functional.conv2d(features, weight, bias, padding=kernel // 2)
    assert torch.allclose(same_size_convolution(features, weight, bias), plain, atol=1e-12)


@pytest.mark.parametrize("kernel", [3, 5])
def test_gradients_equal_those_of_the_plain_convolution(kernel: int) -> None:
    features, weight, bias = numbers(2, 4, 8, 8), numbers(3, 4, kernel, kernel), numbers(3)
    gradients = []
    for convolution in (
        same_size_convolution,
        lambda *tensors: functional.conv2d(*tensors, padding=kernel // 2),
    ):
        learnt = weight.clone().requires_grad_()
        convolution(features, learnt, bias).square().sum().backward()
        gradients.append(learnt.grad)
    assert torch.allclose(gradients[0], gradients[1], atol=1e-9)
