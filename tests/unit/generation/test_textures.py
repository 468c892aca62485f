"""Decoder of textures: known mixtures and shifts, masks, half the side, every size of network."""

from __future__ import annotations

import pytest
import torch
from material.expressive import person, talking
from material.generation import CPU, astronaut, training_recipe
from torch import Tensor
from torch.nn import functional

from swapset.config.recipes import TrainingRecipe
from swapset.generation.augment import plain_batch
from swapset.generation.autoencoder import SwapAutoencoder
from swapset.generation.expressions import group_centres, mean_faces
from swapset.generation.textures import DECISION, REACH, TextureDecoder

SIDE, PICTURE = 64, 72
MARGIN = (PICTURE - SIDE) // 2


def recipe(**changes: object) -> TrainingRecipe:
    """Return a recipe of the smallest network with three textures."""
    return training_recipe(**{"decoder": "textures", "textures": 3} | changes)


def noise(*shape: int, seed: int = 0, size: float = 1.0) -> Tensor:
    return size * torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def decoder(textures: Tensor, **changes: object) -> TextureDecoder:
    """Return a decoder with these logits (K, 3, PICTURE, PICTURE), and without corrections."""
    made = TextureDecoder(recipe(**{"textures": len(textures)} | changes))
    with torch.no_grad():
        made.textures.copy_(textures.flatten(0, 1))
        made.head.weight.zero_()
        made.head.bias.zero_()  # type: ignore[union-attr]
    return made.requires_grad_(False)


def maps(
    made: TextureDecoder, mixture: Tensor | None = None, flow: Tensor | None = None, count: int = 1
) -> Tensor:
    """Return maps of count faces: mixture (K,) and flow (K, 2) are the same everywhere."""
    textures = made.count
    values = [
        torch.zeros(made.channels),
        torch.zeros(textures) if mixture is None else mixture,
        torch.zeros(2 * textures) if flow is None else flow.flatten(),
    ]
    side = SIDE // 4
    return torch.cat(values)[None, :, None, None].expand(count, -1, side, side).clone()


def shift(pixels: Tensor) -> Tensor:
    """Return the flow before its limit that moves by these pixels of a texture."""
    return REACH * torch.atanh(2 * pixels / PICTURE / REACH)


def cut(textures: Tensor, right: int = 0, down: int = 0) -> Tensor:
    """Return the face's part of textures (..., PICTURE, PICTURE), further right and down."""
    rows, columns = slice(MARGIN + down, None), slice(MARGIN + right, None)
    return textures[..., rows, columns][..., :SIDE, :SIDE]


def close(one: Tensor, other: Tensor, most: float = 2e-5) -> bool:
    return one.shape == other.shape and float((one - other).abs().max()) < most


def test_without_motion_a_face_is_the_mixture_of_its_textures() -> None:
    textures = noise(3, 3, PICTURE, PICTURE)
    made = decoder(textures)
    even = torch.sigmoid(cut(textures.mean(dim=0)))[None]
    assert close(made(maps(made)), even)
    shares = torch.tensor([0.5, 0.3, 0.2])
    uneven = torch.sigmoid(cut((shares[:, None, None, None] * textures).sum(dim=0)))[None]
    assert close(made(maps(made, shares.log() / DECISION + 7)), uneven)


def test_each_place_has_its_own_mixture() -> None:
    made = decoder(torch.tensor([-2.0, 2.0])[:, None, None, None].expand(2, 3, PICTURE, PICTURE))
    chosen = maps(made)
    chosen[:, made.channels, :, :8] = 50  # the first texture on the left
    chosen[:, made.channels + 1, :, 8:] = 50
    face = made(chosen)
    assert close(face[..., :30], torch.full((1, 3, SIDE, 30), 0.11920292))
    assert close(face[..., 34:], torch.full((1, 3, SIDE, 30), 0.88079708))


@pytest.mark.parametrize(("right", "down"), [(3, 0), (0, 3), (-4, 2), (4, -4)])
def test_a_flow_takes_pixels_from_so_far_to_the_right_and_down(right: int, down: int) -> None:
    textures = noise(1, 3, PICTURE, PICTURE)
    made = decoder(textures)
    flow = shift(torch.tensor([[float(right), float(down)]]))
    assert close(made(maps(made, flow=flow)), torch.sigmoid(cut(textures, right, down)), 1e-3)


def test_textures_move_one_by_one() -> None:
    textures = noise(2, 3, PICTURE, PICTURE)
    made = decoder(textures)
    flow = shift(torch.tensor([[2.0, 1.0], [-1.0, -3.0]]))
    mean = (cut(textures[:1], 2, 1) + cut(textures[1:], -1, -3)) / 2
    assert close(made(maps(made, flow=flow)), torch.sigmoid(mean), 1e-3)


def test_flows_end_at_their_reach() -> None:
    ramp = torch.linspace(-1, 1, PICTURE).expand(1, 3, PICTURE, PICTURE).contiguous()
    made = decoder(ramp)
    face = torch.logit(made(maps(made, flow=torch.tensor([[1e3, 0.0]]))))
    expected = ramp[..., MARGIN] + REACH  # a ramp from -1 to 1: the flow is what is added
    assert float(face[0, 0, 0, 0]) == pytest.approx(float(expected[0, 0, 0]), abs=0.01)
    assert float(face[0, 0, 0, -1]) == pytest.approx(1, abs=1e-3)  # the border, repeated


def test_corrections_are_the_persons_own() -> None:
    textures = noise(2, 3, PICTURE, PICTURE)
    made = decoder(textures)
    gain, residual = torch.tensor([0.5, 0.0, -0.5]), torch.tensor([0.0, 1.0, -1.0])
    made.head.bias.copy_(torch.cat([gain, residual]))  # type: ignore[union-attr]
    logits = cut(textures.mean(dim=0)) * (1 + gain[:, None, None]) + residual[:, None, None]
    assert close(made(maps(made)), torch.sigmoid(logits)[None])


@pytest.mark.parametrize("kind", ["face", "attention"])
def test_the_mask_is_a_fourth_channel_that_nothing_moves(kind: str) -> None:
    textures = noise(2, 3, PICTURE, PICTURE)
    needed = {"face": "mask", "attention": "adversarial"}[kind]
    made = decoder(textures, learned_mask=kind, losses={"l1": 1.0, needed: 1.0})
    made.head.bias[6] = 2.0  # type: ignore[index]
    flow = shift(torch.tensor([[3.0, 0.0], [3.0, 0.0]]))
    face = made(maps(made, flow=flow))
    assert face.shape == (1, 4, SIDE, SIDE)
    assert close(face[:, 3], torch.full((1, SIDE, SIDE), 0.88079708))
    plain = decoder(textures)
    assert close(face[:, :3], plain(maps(plain, flow=flow)))


def portrait() -> Tensor:
    """Return the astronaut's face as a picture (3, PICTURE, PICTURE) float32 in [0, 1]."""
    face = torch.from_numpy(astronaut()[60:204, 150:294]).permute(2, 0, 1).float() / 255
    return functional.avg_pool2d(face, 2)


def test_faces_of_half_the_side_show_the_same() -> None:
    one = portrait().clamp(0.02, 0.98)
    textures = torch.logit(torch.stack([one, one.flip(-1)]))
    made = decoder(textures)
    moving = maps(made, count=3)
    moving[:, made.channels :] = functional.interpolate(
        noise(3, 6, 3, 3, size=0.1), size=(16, 16), mode="bilinear"
    )
    fine, coarse = made(moving), made(moving, coarse=True)
    assert coarse.shape == (3, 3, SIDE // 2, SIDE // 2)
    expected = functional.avg_pool2d(fine, 2)
    error = (coarse - expected).abs()
    # Half a pixel beside would be seen.
    beside = (expected.roll(1, dims=-1) / 2 + expected / 2 - expected).abs()
    assert float(error.mean()) < 0.5 * float(beside.mean())


def test_faces_in_a_batch_do_not_mix() -> None:
    made = decoder(noise(3, 3, PICTURE, PICTURE))
    torch.nn.init.normal_(made.head.weight)
    many = noise(5, made.channels + 9, 16, 16, size=0.2)
    for coarse in (False, True):
        alone = torch.cat([made(each[None], coarse=coarse) for each in many])
        assert close(made(many, coarse=coarse), alone, 1e-5)


def test_bf16_does_not_move_positions() -> None:
    # A chequerboard turns grey half a pixel beside.
    squares = (torch.arange(PICTURE)[:, None] + torch.arange(PICTURE)) % 2 * 4.0 - 2
    made = decoder(squares.expand(1, 3, -1, -1).contiguous())
    expected = torch.sigmoid(cut(squares)).expand(1, 3, -1, -1)
    with torch.autocast("cpu", torch.bfloat16):
        face = made(maps(made).bfloat16())
    assert face.dtype == torch.float32
    assert close(face, expected, 1e-4)


def test_textures_start_as_the_persons_faces() -> None:
    bank = person(talking(1) * 4)
    made = decoder(torch.zeros(3, 3, PICTURE, PICTURE))
    centres = group_centres({"id0": bank}, 3, seed=0)
    made.start(mean_faces(bank, centres, PICTURE, bank.share * PICTURE / SIDE))
    seen = plain_batch(bank, torch.tensor([0]), SIDE).target
    assert close(made(maps(made)), seen.clamp(0.02, 0.98), 1e-4)


@pytest.mark.parametrize("resolution", [64, 96, 128, 192, 256])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"width": 9, "kernel": 3, "textures": 1, "residual": True},
        {"half": True, "attention": True, "textures": 5},
    ],
)
def test_every_side_works(resolution: int, changes: dict[str, object]) -> None:
    asked = dict(changes)
    if asked.pop("half", False) and resolution >= 128:
        asked["input_resolution"] = resolution // 2
    made = recipe(resolution=resolution, **asked)
    torch.manual_seed(0)
    model = SwapAutoencoder(made, ["id0", "id1"]).placed(CPU)
    faces = noise(2, 3, made.input_side, made.input_side).sigmoid()
    motion = model.encoder(faces)
    assert motion.shape[-2:] == (resolution // 4, resolution // 4)
    for coarse in (False, True):
        made_faces = model.reconstruct({"id0": faces[:1], "id1": faces[1:]}, coarse=coarse)
        side = resolution // 2 if coarse else resolution
        for face in made_faces.values():
            assert face.shape == (1, 3, side, side)
            assert face.dtype == torch.float32
            assert bool(((face > 0) & (face < 1)).all())


@pytest.mark.parametrize("halvings", [2, 3, 4, 5])
def test_maps_are_a_quarter_of_the_side_whatever_the_encoder_leaves(halvings: int) -> None:
    made = recipe(resolution=128, input_resolution=64, halvings=halvings)
    model = SwapAutoencoder(made, ["id0"])
    assert model.encoder(noise(1, 3, 64, 64)).shape[-1] == 32
    assert model(noise(1, 3, 64, 64), "id0").shape == (1, 3, 128, 128)


def test_names_of_weights_are_stable() -> None:
    # Stored models depend on them. Nothing else is stored, or computed when a model is read.
    layers = {f"encoder.downs.{number}.conv" for number in range(4)}
    layers |= {"encoder.code", "encoder.spread", "encoder.up.conv"}
    layers |= {"encoder.motion.ups.0.conv", "encoder.motion.head"}
    layers |= {f"decoders.{subject}.head" for subject in ("id0", "id1")}
    expected = {f"{layer}.{part}" for layer in layers for part in ("weight", "bias")}
    expected |= {f"decoders.{subject}.textures" for subject in ("id0", "id1")}
    model = SwapAutoencoder(recipe(), ["id0", "id1"])
    assert set(model.state_dict()) == expected | {"encoder.motion.centres"}
    assert [name for name, _ in model.named_buffers()] == ["encoder.motion.centres"]
    assert model.decoders["id0"].textures.shape == (9, PICTURE, PICTURE)


def test_all_weights_learn_and_the_same_way_each_time() -> None:
    gradients = []
    for _ in range(2):
        torch.manual_seed(0)
        model = SwapAutoencoder(recipe(), ["id0", "id1"]).placed(CPU)
        torch.nn.init.normal_(model.decoders["id0"].textures)
        model(noise(3, 3, 64, 64).sigmoid(), "id0").square().mean().backward()
        gradients.append({name: each.grad for name, each in model.named_parameters()})
    for name, gradient in gradients[0].items():
        if name.startswith("decoders.id1"):
            assert gradient is None
        else:
            assert gradient.any(), name
            assert torch.equal(gradient, gradients[1][name]), name


def test_copied_textures_are_known_peoples_alone() -> None:
    base, model = (SwapAutoencoder(recipe(), people) for people in (["a", "b"], ["b", "new"]))
    for number, each in enumerate([*base.textures(), *model.textures()]):
        each.data.fill_(number)
    base.encoder.motion.centres.fill_(3)
    model.copy_weights(base, {"b": "b", "new": "a"})
    assert [float(each.detach().mean()) for each in model.textures()] == [1, 3]
    for mine, source in (("b", "b"), ("new", "a")):
        assert torch.equal(model.decoders[mine].head.weight, base.decoders[source].head.weight)
    assert float(model.encoder.motion.centres.mean()) == 3


def test_maps_without_numbers_spoil_the_loss_and_not_the_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On a processor, sampling at places that are no numbers reads wherever it likes."""
    recipe = training_recipe(decoder="textures", textures=2)
    decoder, places = TextureDecoder(recipe), []
    sample = functional.grid_sample

    def watched(pictures: Tensor, grid: Tensor, **settings: object) -> Tensor:
        places.append(grid.detach())
        return sample(pictures, grid.nan_to_num(), **settings)

    monkeypatch.setattr(functional, "grid_sample", watched)
    faces = decoder(torch.full((2, decoder.channels + 6, 16, 16), torch.nan))
    assert all(each.isfinite().all() for each in places)
    assert len(places) == 1
    assert faces.isnan().all()
