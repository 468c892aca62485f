import numpy as np
import pytest
from filterpy.kalman import KalmanFilter

from swapset.faces.smooth import INITIAL_SPEED, motion_model, segments, smooth_landmarks

DT, PROCESS, MEASUREMENT = 1 / 30, 0.5, 0.004


def noisy_motion(n=120, points=68, side=200.0, seed=0):
    """Return noisy and true positions of a face that sways and talks."""
    rng = np.random.default_rng(seed)
    t = np.arange(n)[:, None, None] / 30
    face = rng.uniform(0, side, (1, points, 2)) + 150
    sway = side * np.concatenate([0.15 * np.sin(4 * t), 0.1 * np.sin(5.5 * t + 1)], axis=2)
    true = face + sway + side * 0.01 * np.sin(12 * t)
    return true + rng.normal(0, MEASUREMENT * side, true.shape), true


def filterpy_smooth(track):
    """Smooth one point (n, 2) the conventional way: a four-state filter and its RTS pass."""
    one, noise = motion_model(DT, PROCESS)
    kalman = KalmanFilter(dim_x=4, dim_z=2)
    kalman.F, kalman.Q = np.kron(np.eye(2), one), np.kron(np.eye(2), noise)
    kalman.H = np.array([[1.0, 0, 0, 0], [0, 0, 1, 0]])
    kalman.R = MEASUREMENT**2 * np.eye(2)
    start = np.array([[track[0, 0]], [0], [track[0, 1]], [0]])
    spread = np.diag([MEASUREMENT**2, INITIAL_SPEED**2] * 2)
    kalman.x, kalman.P = start.copy(), spread.copy()
    later = [None if np.isnan(z).any() else z[:, None] for z in track[1:]]
    means, covariances, _, _ = kalman.batch_filter(later)
    means = np.concatenate([start[None], means])
    covariances = np.concatenate([spread[None], covariances])
    return kalman.rts_smoother(means, covariances)[0][:, [0, 2], 0]


def test_equals_filterpy_point_by_point_with_gaps():
    measured, _ = noisy_motion(60, points=3)
    measured[[7, 8, 9, 30]] = np.nan
    expected = np.stack([filterpy_smooth(measured[:, p]) for p in range(3)], axis=1)
    ours = smooth_landmarks(measured, process_noise=PROCESS, measurement_noise=MEASUREMENT)
    np.testing.assert_allclose(ours, expected, atol=1e-6, rtol=0)


def test_less_jitter_and_less_error_without_lag():
    measured, true = noisy_motion()
    smoothed = smooth_landmarks(measured)
    raw_error, error = measured - true, smoothed - true
    assert np.diff(error, axis=0).std() < 0.35 * np.diff(raw_error, axis=0).std()
    assert error.std() < 0.7 * raw_error.std()
    speed = np.gradient(true, axis=0)
    lag_in_frames = -(error * speed).sum() / (speed * speed).sum()
    assert abs(lag_in_frames) < 0.02


def test_steady_motion_passes_unchanged():
    t = np.arange(40.0)[:, None, None]
    line = np.array([[[10.0, 20.0], [30.0, 5.0]]]) + t * [0.5, -0.25]
    np.testing.assert_allclose(smooth_landmarks(line)[5:-5], line[5:-5], atol=2e-3)


def test_same_setting_for_every_face_size():
    measured, _ = noisy_motion()
    np.testing.assert_allclose(
        smooth_landmarks(measured * 3 + 100), smooth_landmarks(measured) * 3 + 100
    )


def test_gap_is_predicted_and_ends_stay_missing():
    measured, true = noisy_motion()
    measured[:5], measured[-4:], measured[50:56] = np.nan, np.nan, np.nan
    smoothed = smooth_landmarks(measured)
    assert np.isnan(smoothed[:5]).all()
    assert np.isnan(smoothed[-4:]).all()
    assert np.isfinite(smoothed[5:-4]).all()
    assert np.abs(smoothed[50:56] - true[50:56]).max() < 0.05 * 200


def test_long_gap_stays_missing_and_separates():
    measured, _ = noisy_motion()
    measured[40:60] = np.nan
    smoothed = smooth_landmarks(measured, max_gap=10)
    assert np.isnan(smoothed[40:60]).all()
    np.testing.assert_array_equal(smoothed[:40], smooth_landmarks(measured[:40]))
    np.testing.assert_array_equal(smoothed[60:], smooth_landmarks(measured[60:]))


def test_nothing_is_carried_over_a_cut():
    measured, _ = noisy_motion()
    measured[60:] += 300
    smoothed = smooth_landmarks(measured, restarts=[0, 60])
    np.testing.assert_array_equal(smoothed[:60], smooth_landmarks(measured[:60]))
    np.testing.assert_array_equal(smoothed[60:], smooth_landmarks(measured[60:]))


def test_gap_across_a_cut_is_not_bridged():
    present = np.array([1, 1, 0, 0, 1, 1, 0, 1], bool)
    assert segments(present, [3], 5) == [(0, 2), (4, 8)]
    assert segments(present, [], 5) == [(0, 8)]
    assert segments(present, [], 1) == [(0, 2), (4, 8)]
    assert segments(np.zeros(4, bool), [], 1) == []


def test_single_and_missing_frames():
    measured, _ = noisy_motion(1)
    np.testing.assert_array_equal(smooth_landmarks(measured), measured)
    assert np.isnan(smooth_landmarks(np.full((5, 68, 2), np.nan))).all()
    assert smooth_landmarks(np.empty((0, 68, 2))).shape == (0, 68, 2)


def test_half_the_frame_rate_smooths_alike():
    measured, true = noisy_motion(240)
    error = smooth_landmarks(measured[::2], fps=15) - true[::2]
    assert error.std() < 0.85 * (measured - true).std()


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match="68, 2"):
        smooth_landmarks(np.zeros((4, 136)))
    with pytest.raises(ValueError, match="positive"):
        smooth_landmarks(np.zeros((4, 68, 2)), process_noise=0)
