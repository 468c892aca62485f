"""A job's errors: one line on the screen and in its log; mistakes of ours keep their traceback."""

import errno
import logging
import tempfile

import pytest

from swapset.build.job import RUN_ID, job
from swapset.errors import (
    DataError,
    DeviceError,
    FetchError,
    InterruptedTrainingError,
    MediaError,
)


@pytest.fixture(autouse=True)
def logging_as_before():
    root = logging.getLogger()
    handlers, level, raising = root.handlers[:], root.level, logging.raiseExceptions
    yield
    root.handlers[:], root.level, logging.raiseExceptions = handlers, level, raising


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (MediaError("a.mp4: cannot be read"), "a.mp4: cannot be read"),
        (ImportError("rows with a url need yt-dlp"), "rows with a url need yt-dlp"),
        (OSError(errno.ENOSPC, "No space", "big.npy"), "no space left on the disk of big.npy"),
        (
            OSError(errno.ENOSPC, "No space"),
            f"no space left on the disk of the results, or of TMPDIR, {tempfile.gettempdir()}",
        ),
        (
            OSError(errno.EROFS, "Read-only file system", "results/a.npy"),
            "results/a.npy: Read-only file system; change its permissions, or use another folder",
        ),
    ],
)
def test_errors_that_a_user_can_act_on_are_one_line(tmp_path, capsys, error, says):
    log = tmp_path / "logs" / "ingest.log"
    with pytest.raises(SystemExit) as done, job("ingest", str(log)):
        raise error
    assert done.value.code == 1
    assert capsys.readouterr().err == f"swapset: ingest: {says}\n"
    assert log.read_text().rstrip().endswith(f"ERROR {says}")


def test_a_log_without_room_is_no_error_of_its_own(tmp_path, capsys):
    log = tmp_path / "log"
    log.symlink_to("/dev/full")
    with pytest.raises(SystemExit), job("ingest", str(log)):
        raise MediaError("a.mp4: No space left on device")
    assert capsys.readouterr().err == "swapset: ingest: a.mp4: No space left on device\n"
    with job("ingest", str(log)) as stream:
        stream.write("10%")


def test_a_log_that_cannot_be_made_is_one_line(tmp_path, capsys, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("pathlib.Path.open", full)
    with pytest.raises(SystemExit), job("ingest", str(tmp_path / "log")):
        pass
    assert capsys.readouterr().err == (
        f"swapset: ingest: no space left on the disk of {tmp_path}/log\n"
    )


@pytest.mark.parametrize("error", [KeyError("x"), ModuleNotFoundError("x"), PermissionError("x")])
def test_other_errors_are_not_hidden(tmp_path, error):
    with pytest.raises(type(error)), job("ingest", str(tmp_path / "log")):
        raise error


def test_the_log_takes_messages_and_a_progress_bar(tmp_path):
    path = tmp_path / "log"
    with job("train", str(path)) as stream:
        logging.getLogger("swapset.x").info("began")
        stream.write("10%\n")
    assert "INFO began" in path.read_text()
    assert "10%" in path.read_text()


def test_a_new_try_starts_a_new_log(tmp_path):
    for word in ("first", "second"):
        with job("train", str(tmp_path / "log")):
            logging.info(word)
    assert "first" not in (tmp_path / "log").read_text()


@pytest.mark.parametrize(
    ("message", "advice"),
    [
        ("r/x/quality/id0.csv: damaged", "; delete r/x/quality/id0.csv and run again"),
        ("r/x/faces/id0/a.npy: damaged", "; delete r/x/faces/id0 and run again"),
        ("r/x/faces/id01/a.npy: damaged", ""),
        ("clips/a.mp4: damaged", ""),
    ],
)
def test_damaged_results_say_what_to_delete(tmp_path, capsys, monkeypatch, message, advice):
    """Never a source: only what the build made itself."""
    monkeypatch.chdir(tmp_path)
    given = ["clips/a.mp4", "r/x/faces/id0", "r/x/quality/id0.csv"]
    with pytest.raises(SystemExit), job("measure", "r/x/logs/measure/id0.log", given):
        raise DataError(message)
    assert capsys.readouterr().err == f"swapset: measure: {message}{advice}\n"


def _try(log, error, done):
    log.unlink(missing_ok=True)  # as Snakemake does before it starts a job
    with job("train", str(log)):
        done.append(type(error).__name__)
        raise error


@pytest.mark.parametrize(
    ("error", "tries"),
    [
        (DataError("a.npy: damaged"), 1),
        (ImportError("rows with a url need yt-dlp"), 1),
        (FetchError("http://x: cannot be fetched"), 2),
        (InterruptedTrainingError("terminated at step 3"), 2),
        (DeviceError("device: no GPU"), 2),
        (OSError(errno.ENOSPC, "No space"), 2),
        (MemoryError(), 2),
    ],
)
def test_what_fails_for_good_is_not_tried_twice(tmp_path, capsys, monkeypatch, error, tries):
    monkeypatch.setenv(RUN_ID, "first")
    done = []
    for _ in range(2):
        with pytest.raises((SystemExit, MemoryError)):
            _try(tmp_path / "log", error, done)
    assert len(done) == tries
    said = capsys.readouterr().err
    assert said.count("swapset: train: ") == (0 if isinstance(error, MemoryError) else tries)
    assert tries == 2 or str(error) in (tmp_path / "log").read_text()


@pytest.mark.parametrize("runs", [("first", "second"), ("", "")])
def test_another_run_tries_again(tmp_path, monkeypatch, runs):
    """The user may have mended the cause."""
    done = []
    for run in runs:
        monkeypatch.setenv(RUN_ID, run)
        with pytest.raises(SystemExit):
            _try(tmp_path / "log", DataError("a.npy: damaged"), done)
    assert len(done) == 2


def test_files_from_outside_have_to_be_there(tmp_path, capsys):
    log, there = str(tmp_path / "logs" / "ingest.log"), tmp_path / "there.mp4"
    there.touch()
    with job("ingest", log, outside=[str(there)]):
        pass
    with pytest.raises(SystemExit), job("ingest", log, outside=[str(there), "gone.mp4"]):
        pytest.fail("it began without the file")
    said = "gone.mp4: no longer exists; put it back and run again"
    assert capsys.readouterr().err == f"swapset: ingest: {said}\n"
