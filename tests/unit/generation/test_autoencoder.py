"""The autoencoder: shapes, layers of the original, names of weights, initial weights."""

from __future__ import annotations

import itertools

import pytest
import torch
from material.generation import CPU, training_recipe
from torch import nn

from swapset.config.methods import BUILT_IN, training_of
from swapset.generation.autoencoder import SwapAutoencoder, composite, resized
from swapset.generation.blocks import Residual, SelfAttention, init_weights

RESOLUTIONS = (64, 96, 128, 192, 256)


def network(seed: int = 0, **changes: object) -> SwapAutoencoder:
    """Return a network with fresh weights from a seed."""
    torch.manual_seed(seed)
    return SwapAutoencoder(training_recipe(**changes), ["id0", "id1"])


def noise(count: int, resolution: int = 64, seed: int = 0) -> torch.Tensor:
    """Return noise as faces (count, 3, resolution, resolution)."""
    return torch.rand(
        count, 3, resolution, resolution, generator=torch.Generator().manual_seed(seed)
    )


@pytest.mark.parametrize("resolution", RESOLUTIONS)
@torch.inference_mode()
def test_shapes_through_the_network(resolution: int) -> None:
    model = network(resolution=resolution)
    codes: list[torch.Tensor] = []
    model.encoder.code.register_forward_hook(lambda *args: codes.append(args[2]))
    faces = noise(2, resolution)
    features = model.encoder(faces)
    side = training_recipe(resolution=resolution).smallest_side
    assert resolution % side == 0
    assert features.shape == (2, 4 * 8, 2 * side, 2 * side)
    assert codes[0].shape == (2, 16)
    made = model(faces, "id1")
    assert made.shape == faces.shape
    assert made.dtype == torch.float32
    assert float(made.min()) > 0
    assert float(made.max()) < 1


@pytest.mark.parametrize("resolution", RESOLUTIONS)
def test_odd_widths_work(resolution: int) -> None:
    with torch.inference_mode():
        assert network(resolution=resolution, width=9)(noise(1, resolution), "id0").isfinite().all()


def test_faceswap_is_the_original_basic_maker() -> None:
    with torch.device("meta"):
        model = SwapAutoencoder(training_of(BUILT_IN["faceswap"]), ["id0", "id1"])
    downs = [
        (conv.in_channels, conv.out_channels, conv.kernel_size, conv.stride)
        for conv in model.encoder.modules()
        if isinstance(conv, nn.Conv2d) and conv.stride == (2, 2)
    ]
    # github.com/deepfakes/faceswap, "original": 128-256-512-1024, dense 1024 and 4 x 4 x 1024.
    channels = [3, 128, 256, 512, 1024]
    assert downs == [(a, b, (5, 5), (2, 2)) for a, b in itertools.pairwise(channels)]
    code, spread = model.encoder.code, model.encoder.spread
    assert (code.in_features, code.out_features) == (1024 * 4 * 4, 1024)
    assert spread.out_features == 1024 * 4 * 4
    decoder = [conv for conv in model.decoders["id0"].modules() if isinstance(conv, nn.Conv2d)]
    assert [conv.out_channels // 4 for conv in decoder[:-1]] == [256, 128, 64]
    assert decoder[-1].out_channels == 3


def test_higher_resolutions_have_more_layers() -> None:
    depths = [len(network(resolution=resolution).encoder.downs) for resolution in (64, 128, 256)]
    assert depths == [4, 5, 6]
    assert [len(network(resolution=r).decoders["id0"].ups) for r in (96, 192)] == [3, 4]


@pytest.mark.parametrize(("resolution", "depth"), [(64, 4), (96, 4), (128, 5), (192, 5), (256, 6)])
def test_names_of_weights_are_stable(resolution: int, depth: int) -> None:
    # Stored models depend on them.
    layers = {f"encoder.downs.{number}.conv" for number in range(depth)}
    layers |= {"encoder.code", "encoder.spread", "encoder.up.conv"}
    for subject in ("id0", "id1"):
        layers |= {f"decoders.{subject}.ups.{number}.conv" for number in range(depth - 1)}
        layers |= {f"decoders.{subject}.to_rgb"}
    expected = {f"{layer}.{part}" for layer in layers for part in ("weight", "bias")}
    assert set(network(resolution=resolution).state_dict()) == expected


def test_subjects_share_the_encoder_and_nothing_else() -> None:
    model = network()
    model(noise(2), "id0").mean().backward()
    assert all(weight.grad is not None for weight in model.encoder.parameters())
    assert all(weight.grad is not None for weight in model.decoders["id0"].parameters())
    assert all(weight.grad is None for weight in model.decoders["id1"].parameters())
    with torch.inference_mode():
        assert not torch.equal(model(noise(2), "id0"), model(noise(2), "id1"))


@torch.inference_mode()
def test_reconstruction_is_each_subjects_own_decoder() -> None:
    model = network()
    faces = {"id1": noise(3, seed=1), "id0": noise(2, seed=2)}
    made = model.reconstruct(faces)
    assert list(made) == ["id1", "id0"]
    for subject, batch in faces.items():
        torch.testing.assert_close(made[subject], model(batch, subject))


@torch.inference_mode()
def test_faces_in_a_batch_do_not_mix() -> None:
    model = network()
    faces = noise(4)
    alone = torch.cat([model(face[None], "id0") for face in faces])
    torch.testing.assert_close(model(faces, "id0"), alone)


def test_seed_alone_decides_the_weights() -> None:
    one, same, other = (network(seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert any(not torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("resolution", [64, 256])
@torch.inference_mode()
def test_signal_keeps_its_size_at_the_start(resolution: int) -> None:
    faces = noise(4, resolution) * 2 - 1
    model = network(resolution=resolution, width=16, code=64)
    assert 0.5 < float(model.encoder.downs(faces).std() / faces.std()) < 2
    differences = float(model(faces, "id0").std(dim=0).mean())
    for module in model.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            module.reset_parameters()
    # With torch's default weights all outputs are nearly the same.
    assert differences > 20 * float(model(faces, "id0").std(dim=0).mean())


def test_placed_changes_the_layout_not_the_result() -> None:
    model = network()
    faces = noise(2)
    with torch.inference_mode():
        before = model(faces, "id0")
        placed = model.placed(CPU)
        torch.testing.assert_close(placed(faces, "id0"), before)
    weight = placed.encoder.downs[1].conv.weight
    assert weight.is_contiguous(memory_format=torch.channels_last)
    assert not weight.is_contiguous()


def test_unknown_subject() -> None:
    with pytest.raises(KeyError, match="id7"):
        network()(noise(1), "id7")


@pytest.mark.parametrize("method", sorted(BUILT_IN))
def test_every_method_makes_what_its_recipe_says(method: str) -> None:
    recipe = training_of(BUILT_IN[method]).model_copy(update={"width": 8, "code": 16})
    torch.manual_seed(0)
    model = SwapAutoencoder(recipe, ["id0", "id1"])
    with torch.inference_mode():
        made = model(noise(1, recipe.input_side), "id0")
    channels = 3 + (recipe.learned_mask != "none")
    assert made.shape == (1, channels, recipe.resolution, recipe.resolution)
    kinds = {type(part).__name__ for part in model.modules()}
    assert ("Residual" in kinds) is recipe.residual
    assert ("SelfAttention" in kinds) is recipe.attention


def test_fresh_attention_and_residual_blocks_are_the_identity() -> None:
    torch.manual_seed(0)
    features = torch.rand(2, 16, 8, 8)
    for block in (SelfAttention(16), Residual(16)):
        block.apply(init_weights)
        torch.testing.assert_close(block(features), features)


def test_attention_looks_at_other_places() -> None:
    torch.manual_seed(0)
    block = SelfAttention(16)
    with torch.no_grad():
        block.scale.fill_(1.0)
        features = torch.rand(1, 16, 8, 8)
        changed = features.clone()
        changed[..., 0, 0] += 1
        difference = (block(changed) - block(features)).abs().sum(dim=1)[0]
    assert float(difference[7, 7]) > 0


def test_copied_weights_are_those_of_the_other_model() -> None:
    base, model = network(0), network(1)
    model.copy_weights(base, {"id0": "id1", "id1": "id1"})
    assert torch.equal(model.encoder.code.weight, base.encoder.code.weight)
    for subject in ("id0", "id1"):
        taken = model.decoders[subject].to_rgb.weight
        assert torch.equal(taken, base.decoders["id1"].to_rgb.weight)
    model.decoders["id1"].to_rgb.weight.data.zero_()
    assert base.decoders["id1"].to_rgb.weight.any()


def test_a_mask_blends_the_face_over_the_input() -> None:
    made = torch.cat([torch.ones(1, 3, 8, 8), torch.zeros(1, 1, 8, 8)], dim=1)
    made[:, 3, :, 4:] = 1
    laid = composite(made, torch.zeros(1, 3, 4, 4))
    assert float(laid[..., :4].max()) == 0
    assert float(laid[..., 4:].min()) == 1
    assert float(composite(made[:, :3], torch.zeros(1, 3, 4, 4)).min()) == 1
    assert resized(made, 4).shape == (1, 4, 4, 4)
    assert resized(made, 8) is made
