import contextlib
import os
import pickle
import pickletools
import struct

import joblib
import numpy as np
import pytest
from material.faces import ASTRONAUT_BOX, portrait
from material.pickles import (
    DISTANCES,
    LOGISTIC,
    MACHINE,
    PERCEPTRON,
    PERCEPTRON_FEATURES,
    POSES,
    TEXTURES,
    write_python2,
)
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from swapset.detectors.face import cut_face
from swapset.detectors.head_pose import HeadPose
from swapset.detectors.inputs.laws import ENERGIES, PYTHON2_ORDER
from swapset.detectors.visual_artifacts import VAMLP, VALogReg
from swapset.detectors.weights import pickles
from swapset.detectors.weights.pickles import read_pickle
from swapset.errors import DataError
from swapset.faces.landmarks import LandmarkPredictor

RNG = np.random.default_rng(0)
WIDE = RNG.uniform(20, 120, (80, 18))
LABELS = (WIDE[:, 0] + WIDE[:, 4] > 140).astype(int)
NARROW = RNG.normal(size=(80, 12)) * np.arange(1, 13)
TURNED = (NARROW[:, 0] * NARROW[:, 1] > 0).astype(int)

# scikit-learn deprecates `probability`, but the authors' published models use it.
pytestmark = pytest.mark.filterwarnings(
    "ignore:The `probability` parameter", "ignore:Attribute `prob"
)


def by_pickle(protocol):
    return lambda model, path: path.write_bytes(pickle.dumps(model, protocol))


WRITERS = {f"pickle {k}": by_pickle(k) for k in range(6)} | {"joblib": joblib.dump}


@pytest.mark.parametrize("writer", WRITERS)
def test_models_of_the_installed_scikit_learn_score_the_same(writer, tmp_path):
    path = tmp_path / "model.pkl"
    scaler = StandardScaler().fit(NARROW)
    scaled = scaler.transform(NARROW)
    machine = SVC(kernel="rbf", probability=True, random_state=0).fit(scaled, TURNED)
    WRITERS[writer]([machine, scaler], path)
    detector = HeadPose.from_weights(path)
    same = {"rtol": 0, "atol": 1e-9}
    scores = detector.forward(NARROW)
    np.testing.assert_allclose(scores, machine.decision_function(scaled), **same)
    real = 1 / (1 + np.exp(machine.probB_ - machine.probA_ * scores))
    np.testing.assert_allclose(detector.probability(scores), 1 - real, **same)
    # libsvm's own probability is the same but for its coupling, which moves it by up to 0.005.
    libsvm = machine.predict_proba(scaled)[:, 1]
    np.testing.assert_allclose(detector.probability(scores), libsvm, atol=0.005)

    network = MLPClassifier((64, 64, 64), max_iter=3, random_state=0)
    logistic = LogisticRegression(solver="liblinear")
    for kind, model in ((VAMLP, network), (VALogReg, logistic)):
        with np.errstate(all="ignore"), pytest.MonkeyPatch.context() as patch:
            patch.setattr("warnings.warn", lambda *_, **__: None)
            model.fit(WIDE, LABELS)
        WRITERS[writer](model, path)
        detector = kind.from_weights(path)
        expected = model.predict_proba(WIDE)[:, 1]
        scores = detector.forward(WIDE)
        np.testing.assert_allclose(detector.probability(scores), expected, **same)
        assert detector.columns.tolist() == list(range(18))


def test_models_of_python_2_score_as_they_did_there(tmp_path):
    path = tmp_path / "model.pkl"
    logistic = VALogReg.from_weights(write_python2(path, "logistic"))
    chances = logistic.probability(logistic.forward(TEXTURES))
    np.testing.assert_allclose(chances, LOGISTIC, rtol=1e-9)
    network = VAMLP.from_weights(write_python2(path, "perceptron"))
    chances = network.probability(network.forward(PERCEPTRON_FEATURES))
    np.testing.assert_allclose(chances, PERCEPTRON, rtol=1e-9)
    machine = HeadPose.from_weights(write_python2(path, "machine"))
    scores = machine.forward(POSES)
    np.testing.assert_allclose(scores, DISTANCES, rtol=1e-9)
    # libsvm gives exactly 0.5 to all that are near it, whatever their order.
    np.testing.assert_allclose(machine.probability(scores), MACHINE, atol=0.005)
    assert MACHINE[1] == 0.5 != machine.probability(scores)[1]


def test_a_model_of_python_2_gets_its_features_in_the_order_of_python_2(tmp_path):
    frame = portrait("astronaut")
    face = cut_face(frame, LandmarkPredictor().predict(frame, ASTRONAUT_BOX))
    energies = dict(zip(ENERGIES, VALogReg(authors_box=True).crop(face)[:9], strict=True))
    published = VALogReg.from_weights(write_python2(tmp_path / "model.pkl", "logistic"))
    expected = [energies[name] for name in PYTHON2_ORDER]
    assert np.isfinite(expected).all()
    np.testing.assert_array_equal(published.crop(face)[:9], expected)
    published.save(tmp_path / "model.safetensors")
    loaded = VALogReg.load(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(loaded.crop(face), published.crop(face))
    np.testing.assert_array_equal(loaded.score_faces([face]), published.score_faces([face]))


class Calls:
    """Object whose pickle calls a function."""

    def __init__(self, function, *arguments):
        self._call = function, arguments

    def __reduce__(self):
        return self._call


def hostile(canary):
    """Return calls that would write a file, by the name that the refusal must contain."""
    text = f"open({str(canary)!r}, 'w').close()"
    return {
        f"{os.name}.system": Calls(os.system, f"touch {canary}"),
        "eval": Calls(eval, text),
        "exec": Calls(exec, text),
        "open": Calls(open, str(canary), "w"),
        "getattr": Calls(getattr, os, "system"),
        "save": Calls(np.save, str(canary), np.zeros(2)),
        "memmap": Calls(np.memmap, str(canary), "u1", "w+", 0, (4,)),
        "fromfile": Calls(np.fromfile, str(canary)),
        "KMeans": Calls(type("KMeans", (), {"__module__": "sklearn.cluster"})),
        "joblib.numpy_pickle.load": Calls(joblib.load, str(canary)),
    }


@pytest.mark.parametrize("name", hostile(""))
@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
def test_calls_of_anything_else_are_refused_by_name_and_not_run(name, protocol, tmp_path):
    canary, path = tmp_path / "canary", tmp_path / "model.pkl"
    call = hostile(canary)[name]
    if name == "getattr":
        data = b"c__builtin__\ngetattr\n(cos\nsystem\nS'x'\ntR."
    elif name == "KMeans":
        data = b"csklearn.cluster\nKMeans\n)R."
    else:
        data = pickle.dumps([{"coef_": call}], protocol)
    path.write_bytes(data)
    with pytest.raises(DataError, match=f"{name.replace('.', '[.]')}.*no code in it was run"):
        VALogReg.from_weights(path)
    assert not canary.exists()


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (b"(S'touch canary'\nios\nsystem\n.", "INST"),
        (b"(cos\nsystem\nS'touch canary'\no.", "os.system"),
        (b"\x80\x02\x82\x01.", "EXT1"),
        (b"Pnumber\n.", "PERSID"),
        (b"\x80\x05\x97.", "NEXT_BUFFER"),
        (b"\x80\x04\x8f.", "EMPTY_SET"),
        (b"cnumpy\nndarray\n((I9\nttR.", "numpy.ndarray"),
        (b"c__builtin__\nobject\n)R.", "__builtin__.object"),
        (b"ccopy_reg\n_reconstructor\n(c__builtin__\nobject\nc__builtin__\nobject\nNtR.", "class"),
        (b"I5\n)R.", "a call of something that is a int"),
        (b"](S'append'\nI1\ntb.", "a change of something that is a list"),
        (b"csklearn.svm.classes\nSVC\n}S'predict'\nI1\nsb.", "a change of .* is a Name"),
        (b"cnumpy\ndtype\n(S'O8'\ntRp0\ncjoblib.numpy_pickle\nNumpyArrayWrapper\n)R"
         b"}S'shape'\n(I3\ntsS'dtype'\ng0\nsS'order'\nS'C'\nsb.", "an array of objects"),
        (b"cnumpy\ndtype\n(S'V8'\ntR.", "arrays of the type 'V8'"),
    ],
)  # fmt: skip
def test_what_could_call_is_refused(data, named, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.pkl").write_bytes(data)
    with pytest.raises(DataError, match=f"refused.*{named}"):
        read_pickle(tmp_path / "model.pkl")
    assert [path.name for path in tmp_path.iterdir()] == ["model.pkl"]


@pytest.mark.parametrize("which", ["logistic", "machine", "installed"])
def test_damaged_files_end_with_one_clear_error(which, tmp_path):
    path = tmp_path / "model.pkl"
    if which == "installed":
        path.write_bytes(pickle.dumps(LogisticRegression(solver="liblinear").fit(WIDE, LABELS)))
    else:
        write_python2(path, which)
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    broken = [whole[:k] for k in range(0, len(whole) - 1, 97)]
    for _ in range(60):
        changed = bytearray(whole)
        changed[rng.integers(len(whole))] = rng.integers(256)
        broken.append(bytes(changed))
    kind = HeadPose if which == "machine" else VALogReg
    refused = 0
    for data in broken:
        path.write_bytes(data)
        with contextlib.suppress(DataError):
            kind.from_weights(path)
            continue
        refused += 1
    assert refused > len(whole) // 97


def test_arrays_must_fit_their_bytes_and_the_limit(tmp_path, monkeypatch):
    path = tmp_path / "model.pkl"
    begin = b"cnumpy.core.multiarray\n_reconstruct\n)Rp1\n(I1\n"
    kind = b"cnumpy\ndtype\n(S'f8'\ntR"
    path.write_bytes(begin + b"(I2\nt" + kind + b"I00\nS'" + 8 * b"x" + b"'\ntb.")
    with pytest.raises(DataError, match="damaged at byte"):
        read_pickle(path)
    path.write_bytes(begin + b"(I1000000000000\nt" + kind + b"I00\nI1000000000000\ntb.")
    with pytest.raises(DataError, match="damaged at byte"):
        read_pickle(path)
    array = b"(g1\n(I1\n(I100\nt" + kind + b"I00\ng5\ntb"
    text = b"S'" + 800 * b"x" + b"'\np5\n"
    monkeypatch.setattr(pickles, "LIMIT", 20_000)
    path.write_bytes(begin[:-4] + text + 20 * array + b".")
    assert read_pickle(path).python2
    path.write_bytes(begin[:-4] + text + 30 * array + b".")
    with pytest.raises(DataError, match="too much memory"):
        read_pickle(path)
    path.write_bytes(bytes(20_001))
    with pytest.raises(DataError, match="larger than"):
        read_pickle(path)


def test_values_nested_without_end_are_no_danger(tmp_path):
    path = tmp_path / "model.pkl"
    path.write_bytes(b"\x80\x02}I1\n" + 100_000 * b"\x85" + b"I1\ns.")
    with pytest.raises(DataError, match="damaged"):
        read_pickle(path)
    path.write_bytes(b"\x80\x04" + b"]" + 60 * b"q\x00](h\x00h\x00e" + b"\x8c\x01x\x93.")
    with pytest.raises(DataError, match="damaged"):
        read_pickle(path)


def test_every_instruction_with_a_large_argument_is_checked(tmp_path):
    path = tmp_path / "model.pkl"
    for code, size in ((b"B", "<I"), (b"\x8e", "<Q"), (b"X", "<I"), (b"T", "<i"), (b"\x8b", "<i")):
        path.write_bytes(code + struct.pack(size, 2_000_000_000) + b"abc.")
        with pytest.raises(DataError, match="damaged"):
            read_pickle(path)


def test_all_instructions_are_followed_skipped_or_refused(tmp_path):
    path = tmp_path / "model.pkl"
    for instruction in pickletools.opcodes:
        path.write_bytes(instruction.code.encode("latin-1") + 9 * b"\x00")
        with pytest.raises(DataError):
            read_pickle(path)


def test_other_models_are_named(tmp_path):
    path = tmp_path / "model.pkl"

    def refused(kind, model, words):
        path.write_bytes(pickle.dumps(model))
        with pytest.raises(DataError, match=f"model.pkl: is no published model of .*{words}"):
            kind.from_weights(path)

    logistic = LogisticRegression(solver="liblinear").fit(WIDE, LABELS)
    scaler = StandardScaler().fit(NARROW)
    refused(VAMLP, logistic, "holds LogisticRegression instead of MLPClassifier")
    refused(HeadPose, logistic, "not a list of an SVC and a StandardScaler")
    refused(HeadPose, [scaler, scaler], "holds StandardScaler instead of SVC")
    refused(VALogReg, LogisticRegression(), "has no attribute classes_; it was never fitted")
    refused(VALogReg, {"coef_": 1}, "holds dict instead of")
    short = LogisticRegression(solver="liblinear").fit(NARROW, TURNED)
    refused(VALogReg, short, "weights has the shape")
    linear = SVC(kernel="linear").fit(NARROW, TURNED)
    refused(HeadPose, [linear, scaler], "SVC.kernel is not 'rbf'")
    three = SVC().fit(NARROW, np.arange(80) % 3)
    refused(HeadPose, [three, scaler], "does not have two classes")
    logistic.coef_ = logistic.coef_ * np.nan
    refused(VALogReg, logistic, "not finite")


def test_a_machine_without_probabilities_scores_by_distance(tmp_path):
    path = tmp_path / "model.pkl"
    scaler = StandardScaler().fit(NARROW)
    machine = SVC().fit(scaler.transform(NARROW), TURNED)
    path.write_bytes(pickle.dumps([machine, scaler]))
    scores = HeadPose.from_weights(path).forward(NARROW)
    distances = machine.decision_function(scaler.transform(NARROW))
    np.testing.assert_allclose(scores, distances, rtol=0, atol=1e-9)
    assert np.corrcoef(scores, distances)[0, 1] > 0.99


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"absent\.pkl: cannot be read"):
        HeadPose.from_weights(tmp_path / "absent.pkl")
