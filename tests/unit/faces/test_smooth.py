import subprocess
import sys

import numpy as np
import pytest
from filterpy.kalman import KalmanFilter

from swapset.config.text import ROOT
from swapset.faces.smooth import INITIAL_SPEED, segments, smooth_landmarks

DT, PROCESS, MEASUREMENT = 1 / 30, 0.5, 0.004


def noisy_motion(n=120, points=68, side=200.0, seed=0):
    """Return noisy and true positions of a face that sways and talks."""
    rng = np.random.default_rng(seed)
    t = np.arange(n)[:, None, None] / 30
    face = rng.uniform(0, side, (1, points, 2)) + 150
    sway = side * np.concatenate([0.15 * np.sin(4 * t), 0.1 * np.sin(5.5 * t + 1)], axis=2)
    true = face + sway + side * 0.01 * np.sin(12 * t)
    return true + rng.normal(0, MEASUREMENT * side, true.shape), true


def filterpy_smooth(track, fps=30.0, process=PROCESS, measurement=MEASUREMENT):
    """Smooth one stretch of one point (n, 2) the conventional way: a four-state filter and RTS."""
    dt = 1 / fps
    one = np.array([[1, dt], [0, 1]])
    noise = process**2 * np.array([[dt**3 / 3, dt**2 / 2], [dt**2 / 2, dt]])
    kalman = KalmanFilter(dim_x=4, dim_z=2)
    kalman.F, kalman.Q = np.kron(np.eye(2), one), np.kron(np.eye(2), noise)
    kalman.H = np.array([[1.0, 0, 0, 0], [0, 0, 1, 0]])
    kalman.R = measurement**2 * np.eye(2)
    start = np.array([[track[0, 0]], [0], [track[0, 1]], [0]])
    spread = np.diag([measurement**2, INITIAL_SPEED**2] * 2)
    kalman.x, kalman.P = start.copy(), spread.copy()
    later = [None if np.isnan(z).any() else z[:, None] for z in track[1:]]
    means, covariances, _, _ = kalman.batch_filter(later)
    means = np.concatenate([start[None], means])
    covariances = np.concatenate([spread[None], covariances])
    return kalman.rts_smoother(means, covariances)[0][:, [0, 2], 0]


def point_by_point(measured, *, cuts=(), max_gap=15, **model):
    """Smooth landmarks one stretch and one point after the other, found frame by frame."""
    stretches = []
    for frame in np.flatnonzero(np.isfinite(measured).all(axis=(1, 2))).tolist():
        last = stretches[-1][-1] if stretches else None
        if last is None or frame - last > max_gap + 1 or any(last < c <= frame for c in cuts):
            stretches.append([frame])
        else:
            stretches[-1].append(frame)
    result = np.full_like(measured, np.nan)
    for frames in stretches:
        part = slice(frames[0], frames[-1] + 1)
        for point in range(measured.shape[1]):
            result[part, point] = filterpy_smooth(measured[part, point], **model)
    return result


@pytest.mark.parametrize(
    ("missing", "cuts", "max_gap"),
    [
        pytest.param([], [], 15, id="all found"),
        pytest.param([7, 8, 9, 30], [], 15, id="gaps"),
        pytest.param([*range(5), *range(56, 60)], [], 15, id="ends missing"),
        pytest.param([*range(20, 31)], [], 10, id="gap too long"),
        pytest.param([], [0, 20, 41], 15, id="cuts"),
        pytest.param([18, 19, 20, 21, 40], [20, 40], 15, id="cuts in gaps"),
        pytest.param([], [20, 21, 59], 15, id="shots of one frame"),
        pytest.param([*range(1, 60, 2)], [30], 0, id="single frames"),
        pytest.param([*range(59)], [], 15, id="last frame alone"),
        pytest.param([*range(60)], [30], 15, id="all missing"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_equals_filterpy_point_by_point(missing, cuts, max_gap):
    measured, _ = noisy_motion(60, points=3)
    measured[missing] = np.nan
    expected = point_by_point(measured, cuts=cuts, max_gap=max_gap)
    ours = smooth_landmarks(
        measured,
        process_noise=PROCESS,
        measurement_noise=MEASUREMENT,
        restarts=cuts,
        max_gap=max_gap,
    )
    np.testing.assert_allclose(ours, expected, atol=1e-9, rtol=0)


@pytest.mark.parametrize(
    ("fps", "process", "measurement"), [(15, 0.5, 0.004), (59.94, 5, 0.001), (25, 0.05, 0.05)]
)
def test_equals_filterpy_for_other_settings(fps, process, measurement):
    measured, _ = noisy_motion(60, points=3)
    measured[[7, 8, 9, 30]] = np.nan
    expected = point_by_point(measured, fps=fps, process=process, measurement=measurement)
    ours = smooth_landmarks(measured, fps=fps, process_noise=process, measurement_noise=measurement)
    np.testing.assert_allclose(ours, expected, atol=1e-9, rtol=0)


def test_equals_least_squares_without_any_filter():
    """The smoother's result is the most likely path: one weighted least-squares problem."""
    measured, _ = noisy_motion(40, points=1)
    measured[[7, 8, 9, 30]] = np.nan
    z, n = measured[:, 0, 0], len(measured)
    noise = PROCESS**2 * np.array([[DT**3 / 3, DT**2 / 2], [DT**2 / 2, DT]])
    whiten = np.linalg.inv(np.linalg.cholesky(noise))
    rows, right = [], []
    for k in np.flatnonzero(np.isfinite(z)):  # the detections
        rows.append(np.eye(2 * n)[2 * k] / MEASUREMENT)
        right.append(z[k] / MEASUREMENT)
    rows.append(np.eye(2 * n)[1] / INITIAL_SPEED)  # the first speed, around 0
    right.append(0)
    for k in range(n - 1):  # the motion from frame to frame
        step = np.zeros((2, 2 * n))
        step[:, 2 * k : 2 * k + 4] = whiten @ np.array([[-1, -DT, 1, 0], [0, -1, 0, 1]])
        rows.extend(step)
        right.extend([0, 0])
    path = np.linalg.lstsq(np.array(rows), np.array(right), rcond=None)[0][::2]
    np.testing.assert_allclose(smooth_landmarks(measured)[:, 0, 0], path, atol=1e-9, rtol=0)


def test_filterpy_is_loaded_late_without_matplotlib_and_warns_of_nothing():
    code = (
        "import sys; import numpy as np; from swapset.faces.smooth import smooth_landmarks\n"
        "assert not {'filterpy', 'scipy'} & {*sys.modules}\n"
        "smooth_landmarks(np.random.default_rng(0).uniform(0, 99, (20, 68, 2)))\n"
        "assert 'filterpy' in sys.modules\n"
        "assert not {'matplotlib', 'pandas', 'torch'} & {*sys.modules}\n"
    )
    run = [sys.executable, "-W", "error", "-c", code]
    result = subprocess.run(run, capture_output=True, text=True, cwd=ROOT, check=False)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


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
