"""Steganalysis features, against a slow transcription of the original and by their symmetries."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from swapset.detectors.inputs import srm

T = 2
B = 2 * T + 1
DIFFERENCES = ["spam14", "22", "24", "34hv", "41", "34", "48", "54"]
SECOND = ["spam12", "21", "41", "24", "32"]
HALVES = ["spam14", "24", "22", "41"]
ORDER = [f"s1_{name}" for name in DIFFERENCES] + [f"s2_{name}" for name in SECOND]
ORDER += [f"s3_{name}" for name in DIFFERENCES] + [f"s3x3_{name}" for name in HALVES]
ORDER += [f"s5x5_{name}" for name in HALVES] + ["s3x3_spam11", "s5x5_spam11"]
NAMES = np.repeat(ORDER, [102 if "spam" in name else 200 for name in ORDER])


def noise(seed: int, shape: tuple[int, ...] = (12, 16, 3), spread: float = 3.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    values = 120 + 40 * np.sin(np.arange(np.prod(shape)).reshape(shape) / 37)
    return np.clip(values + rng.normal(0, spread, shape), 0, 255).astype(np.uint8)


# -- the original, pixel by pixel: SRMQ1CFA(X, 2, 'color') ---------------------------------------


def quant(residual, q):
    scaled = residual / q
    return np.clip(np.sign(scaled) * np.floor(np.abs(scaled) + 0.5), -T, T).astype(int)


def at(x, border):
    """Return a function of (dy, dx) as the original's X(I+dy, J+dx, :)."""
    height, width = x.shape[:2]

    def pixels(dy, dx):
        rows = slice(border + dy, height - border + dy)
        return x[rows, border + dx : width - border + dx].astype(float)

    return pixels


def cooc(*maps):
    """Return both halves of `CoocCFA(maps, 3, 'col', 2)`, maps one above the other."""
    counts = np.zeros((4, B, B, B))
    stacked = np.concatenate(maps)
    for y, x in np.ndindex(stacked.shape[:2]):
        r, g, b = stacked[y, x] + T
        counts[(y % 2) + 2 * (x % 2), r, g, b] += 1
    counts /= counts.sum()
    return counts[0] + counts[3].transpose(2, 1, 0), counts[1] + counts[2]


def bins():
    return itertools.product(range(-T, T + 1), repeat=3)


def merged(cube, alike, first=None):
    """Add up the bins of each orbit, orbits in the order of the original's loops."""
    found, done = [], set()
    for triple in itertools.chain([first] if first else [], bins()):
        if triple not in done:
            orbit = {tuple(other) for other in alike(*triple)}
            done |= orbit
            found.append(sum(cube[tuple(np.add(other, T))] for other in orbit))
    return found


def by_sign(cube):
    return merged(cube, lambda i, j, k: [(i, j, k), (-i, -j, -k)], (0, 0, 0))


def by_both(cube):
    return merged(
        cube,
        lambda i, j, k: [(i, j, k), (-i, -j, -k), (k, j, i), (-k, -j, -i)],
        (0, 0, 0),
    )


def by_direction(cube):
    return merged(cube, lambda i, j, k: [(i, j, k), (k, j, i)])


def spam(*calls):
    red_blue, green = (sum(parts) for parts in zip(*[cooc(*maps) for maps in calls], strict=True))
    return by_sign(red_blue) + by_both(green)


def minmax(*calls):
    """Take the minimum and the maximum of each group of maps; a call counts several groups."""
    low = [cooc(*[np.min(group, axis=0) for group in groups]) for groups in calls]
    high = [cooc(*[np.max(group, axis=0) for group in groups]) for groups in calls]
    red_blue, green = (
        sum(part[k] for part in low) + sum(part[k] for part in high)[::-1, ::-1, ::-1]
        for k in (0, 1)
    )
    return list(red_blue.ravel(order="F")) + by_direction(green)


def differences(x, order):
    p = at(x, 1 if order == 1 else 2)

    def along(dy, dx):
        if order == 1:
            return quant(p(dy, dx) - p(0, 0), 1)
        third = -p(2 * dy, 2 * dx) + 3 * p(dy, dx) - 3 * p(0, 0) + p(-dy, -dx)
        return quant(third, 3)

    r, l, u, d = along(0, 1), along(0, -1), along(-1, 0), along(1, 0)  # noqa: E741
    ru, lu, rd, ld = along(-1, 1), along(-1, -1), along(1, 1), along(1, -1)
    corners = [(r, u, ru), (r, d, rd), (l, u, lu), (l, d, ld)]
    ru2, rd2, ld2, lu2 = (r, u, ru, lu), (r, d, rd, ru), (l, d, ld, rd), (l, u, lu, ld)
    ru3, rd3, ld3, lu3 = (r, u, ru, rd), (r, d, rd, ld), (l, d, ld, lu), (l, u, lu, ru)
    found = spam([r], [u])
    found += minmax([(r, l)], [(u, d)])
    found += minmax([(r, u), (r, d), (l, u), (l, d)])
    found += minmax([(l, u, r), (r, d, l)], [(u, r, d), (d, l, u)])
    found += minmax([(r, l, u, d)])
    found += minmax(corners)
    found += minmax([ru2, ld2, rd3, lu3], [rd2, lu2, ru3, ld3])
    found += minmax(
        [(*ru2, rd), (*ld2, lu), (*rd3, ru), (*lu3, ld)],
        [(*rd2, ld), (*lu2, ru), (*ru3, lu), (*ld3, rd)],
    )
    return found


def second(x):
    p = at(x, 1)

    def line(dy, dx):
        return quant(p(-dy, -dx) - 2 * p(0, 0) + p(dy, dx), 2)

    h, v, d, m = line(0, 1), line(1, 0), line(1, 1), line(-1, 1)
    found = spam([h], [v]) + minmax([(h, v)]) + minmax([(h, v, d, m)])
    return found + minmax([(m, h), (d, h)], [(m, v), (d, v)]) + minmax([(h, v, m), (h, v, d)])


def halves(u, b, l, r):  # noqa: E741
    found = spam([u, b], [l, r]) + minmax([(u, l), (b, r), (u, r), (b, l)])
    return found + minmax([(u, b)], [(r, l)]) + minmax([(u, l, b, r)])


def kernel_3(x):
    p = at(x, 1)
    c = 4 * p(0, 0)
    u = 2 * p(-1, 0) + 2 * p(0, -1) + 2 * p(0, 1) - p(-1, -1) - p(-1, 1) - c
    b = 2 * p(1, 0) + 2 * p(0, -1) + 2 * p(0, 1) - p(1, -1) - p(1, 1) - c
    l = 2 * p(0, -1) + 2 * p(-1, 0) + 2 * p(1, 0) - p(-1, -1) - p(1, -1) - c  # noqa: E741
    r = 2 * p(0, 1) + 2 * p(-1, 0) + 2 * p(1, 0) - p(-1, 1) - p(1, 1) - c
    whole = -p(-1, -1) + 2 * p(-1, 0) - p(-1, 1) + 2 * p(0, -1) - c + 2 * p(0, 1)
    whole = whole - p(1, -1) + 2 * p(1, 0) - p(1, 1)
    return halves(*(quant(part, 4) for part in (u, b, l, r))), spam([quant(whole, 4)])


def half_5(p, turn):
    """Return the upper half of the 5x5 kernel at X(I, J), turned with the coordinates."""

    def q(dy, dx):
        return p(*turn(dy, dx))

    found = 8 * (q(0, -1) + q(-1, 0) + q(0, 1)) - 6 * (q(-1, -1) + q(-1, 1))
    found = found - 2 * (q(0, -2) + q(0, 2) + q(-2, 0)) - (q(-2, -2) + q(-2, 2))
    return found + 2 * (q(-1, -2) + q(-2, -1) + q(-2, 1) + q(-1, 2)) - 12 * q(0, 0)


def kernel_5(x):
    p = at(x, 2)
    turns = (
        lambda dy, dx: (dy, dx),
        lambda dy, dx: (-dy, -dx),
        lambda dy, dx: (-dx, dy),
        lambda dy, dx: (dx, -dy),
    )
    whole = 8 * (p(-1, 0) + p(1, 0) + p(0, -1) + p(0, 1)) - 12 * p(0, 0)
    whole = whole - 6 * (p(-1, 1) + p(-1, -1) + p(1, -1) + p(1, 1))
    whole = whole - 2 * (p(-2, 0) + p(2, 0) + p(0, 2) + p(0, -2))
    for dy, dx in itertools.product((-2, -1, 1, 2), repeat=2):
        if abs(dy) + abs(dx) == 3:
            whole = whole + 2 * p(dy, dx)
        elif abs(dy) + abs(dx) == 4:
            whole = whole - p(dy, dx)
    parts = [quant(half_5(p, turn), 12) for turn in turns]
    return halves(*parts), spam([quant(whole, 12)])


def original(x):
    halves_3, whole_3 = kernel_3(x)
    halves_5, whole_5 = kernel_5(x)
    found = differences(x, 1) + second(x) + differences(x, 3)
    return np.array(found + halves_3 + halves_5 + whole_3 + whole_5)


@pytest.mark.parametrize(("seed", "spread"), [(0, 1.0), (1, 3.0), (2, 20.0)])
def test_features_are_those_of_the_original(seed, spread):
    x = noise(seed, spread=spread)
    expected = original(x)
    assert expected.shape == (5514,)
    np.testing.assert_allclose(srm.features(x[None])[0], expected, atol=1e-6)


# -- relations -----------------------------------------------------------------------------------


def test_the_eight_features_that_the_original_names_are_small_positive_extremes():
    """The original notes: features 94, 95, 99, ... of s1_minmax41c count triples of 1s and 2s."""
    x = np.full((16, 16, 3), 100, np.uint8)
    x[::2, ::2] = 99  # every neighbour of these is one brighter: the minimum of 4 differences is 1
    found = srm.features(x[None])[0]
    assert np.flatnonzero(NAMES == "s1_41")[0] == 702
    assert found[702 + 94 - 1] == pytest.approx(0.25)


def test_patches_are_judged_one_by_one():
    patches = np.stack([noise(seed, (32, 32, 3)) for seed in range(11)])
    together = srm.features(patches)
    assert together.shape == (11, 5514)
    assert together.dtype == np.float32
    for patch, row in zip(patches, together, strict=True):
        np.testing.assert_array_equal(srm.features(patch[None])[0], row)


def test_brightness_changes_nothing():
    x = noise(5, (32, 32, 3))
    found = srm.features(x[None])
    np.testing.assert_array_equal(srm.features(x[None] + np.uint8(20)), found)


def test_transposition_changes_only_the_differences_to_the_right_and_upwards():
    x = noise(5, (32, 32, 3))
    turned = np.ascontiguousarray(x.transpose(1, 0, 2))
    found, other = srm.features(np.stack([x, turned]))
    one_sided = np.isin(NAMES, ("s1_spam14", "s3_spam14"))
    np.testing.assert_allclose(other[~one_sided], found[~one_sided], atol=1e-7)
    assert not np.allclose(other[one_sided], found[one_sided], atol=1e-3)


def test_shares_add_up_to_the_number_of_counts():
    found = srm.features(noise(6, (32, 32, 3))[None])[0].astype(float)
    assert found[NAMES == "s1_spam14"].sum() == pytest.approx(2)
    assert found[NAMES == "s1_24"].sum() == pytest.approx(2)
    assert found[NAMES == "s3_48"].sum() == pytest.approx(4)
    assert found[NAMES == "s5x5_spam11"].sum() == pytest.approx(1)


def test_green_pixels_are_counted_apart():
    """The residual starts at pixel (1, 1), so that red and blue are where y + x is even."""
    x = np.full((32, 32, 3), 90, np.uint8)
    x[1::2, 1::2] = 92  # second differences of 4 steps there and -2 on their green neighbours
    spam = srm.features(x[None])[0][NAMES == "s2_spam12"]
    moved = srm.features(np.roll(x, 1, axis=1)[None])[0][NAMES == "s2_spam12"]
    for part in (spam, moved):
        np.testing.assert_allclose(part[[0, 63]], 0.5)  # half of each class lies in flat lines
    assert np.count_nonzero(spam[:63]) == 2
    assert spam[1] == pytest.approx(0.5)  # (-2, -2, -2)
    assert moved[63 + 1] == pytest.approx(0.5)


@pytest.mark.parametrize("shape", [(33, 32), (32, 31), (6, 32)])
def test_sides_that_would_mix_the_pixels_of_the_filter_array_are_refused(shape):
    with pytest.raises(ValueError, match="even and at least 8"):
        srm.features(np.zeros((1, *shape, 3), np.uint8))
