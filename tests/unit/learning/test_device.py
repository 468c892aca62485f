"""Devices: jobs on several GPUs take different ones, and release them however they end."""

import multiprocessing
import os
import signal
import tempfile

import pytest

from swapset.errors import ConfigError
from swapset.learning import device
from swapset.learning.device import claimed_device, visible_gpus


@pytest.fixture(autouse=True)
def own_locks(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


@pytest.fixture
def two_gpus(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,GPU-b2")


def _hold(connection, sharers):
    """Claim a place on a GPU, send its name, and keep it until a message comes."""
    with device._one_of(visible_gpus(), sharers) as gpu:
        connection.send(gpu)
        connection.recv()


def start_holder(sharers=1):
    here, there = multiprocessing.get_context("fork").Pipe()
    process = multiprocessing.get_context("fork").Process(target=_hold, args=(there, sharers))
    process.start()
    there.close()
    return process, here


def stop(*holders):
    for process, connection in holders:
        if process.is_alive():
            connection.send("done")
        process.join(10)


def test_two_jobs_take_different_gpus_and_a_third_waits(two_gpus):
    first, second = start_holder(), start_holder()
    assert first[1].poll(10)
    assert second[1].poll(10)
    assert {first[1].recv(), second[1].recv()} == {"0", "GPU-b2"}
    third = start_holder()
    assert not third[1].poll(0.5)
    stop(first)
    assert third[1].poll(10)
    third[1].recv()
    stop(second, third)


def test_some_share_a_gpu_and_others_take_it_alone(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    sharing = [start_holder(2), start_holder(2)]
    for _, connection in sharing:
        assert connection.poll(10)
    third, alone = start_holder(2), start_holder()
    assert not third[1].poll(0.5)
    assert not alone[1].poll(0.5)
    stop(sharing[0])
    assert third[1].poll(10)
    third[1].recv()
    assert not alone[1].poll(0.5)
    stop(sharing[1], third)
    assert alone[1].poll(10)
    alone[1].recv()
    stop(alone)


def test_a_killed_jobs_gpu_is_free_again(two_gpus, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    first = start_holder()
    assert first[1].poll(10)
    os.kill(first[0].pid, signal.SIGKILL)
    first[0].join(10)
    with device._one_of(visible_gpus()) as gpu:
        assert gpu == "3"


def test_the_claimed_gpu_is_the_only_one_that_is_seen(two_gpus):
    with claimed_device("auto"):
        assert os.environ["CUDA_VISIBLE_DEVICES"] in ("0", "GPU-b2")


def test_auto_without_a_gpu_is_the_processor(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with claimed_device("auto", threads=2) as found:
        import torch

        assert found.type == "cpu"
        assert torch.get_num_threads() == 2


def test_cpu_claims_no_gpu(two_gpus):
    holders = [start_holder(), start_holder()]
    assert all(connection.poll(10) for _, connection in holders)
    with claimed_device("cpu") as found:
        assert found.type == "cpu"
    stop(*holders)


@pytest.mark.parametrize(
    ("visible", "setting", "says"),
    [("", "cuda", "no GPU is visible"), ("-1", "cuda:0", "no GPU"), ("0,1", "cuda:2", "2 GPUs")],
)
def test_a_gpu_that_is_not_there_is_an_error(monkeypatch, visible, setting, says):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    with pytest.raises(ConfigError, match=says), claimed_device(setting):
        pass


def test_a_named_gpu_is_counted_among_the_visible(monkeypatch):
    assert device._choice("cuda:1", ["4", "7"]) == ["7"]
    assert device._choice("cuda", ["4", "7"]) == ["4", "7"]


def test_gpus_are_asked_of_the_driver(monkeypatch, tmp_path):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert visible_gpus() == []
    fake = driver(tmp_path, "GPU-a1", "GPU-b2")
    assert visible_gpus() == ["0", "1"]
    fake.write_text("#!/bin/sh\nexit 9\n")
    assert visible_gpus() == []


def driver(folder, *uuids):
    """Write a fake `nvidia-smi` that lists these GPUs."""
    fake = folder / "nvidia-smi"
    lines = "".join(f"echo {index}, {uuid}\n" for index, uuid in enumerate(uuids))
    fake.write_text("#!/bin/sh\n" + lines)
    fake.chmod(0o755)
    return fake


def test_jobs_that_each_see_one_gpu_as_number_0_do_not_wait_for_each_other(monkeypatch, tmp_path):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    monkeypatch.setenv("PATH", str(tmp_path))
    driver(tmp_path, "GPU-a1")
    first = start_holder()
    assert first[1].poll(10)
    driver(tmp_path, "GPU-b2")
    second = start_holder()
    assert second[1].poll(10)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-a")  # the start of a UUID is a name, too
    driver(tmp_path, "GPU-a1", "GPU-b2")
    third = start_holder()
    assert not third[1].poll(0.5)
    stop(first)
    assert third[1].poll(10)
    assert third[1].recv() == "GPU-a"
    stop(second, third)


def test_waiting_threads_sleep_unless_the_caller_wants_otherwise(monkeypatch):
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    device.let_threads_sleep()
    assert os.environ["OMP_WAIT_POLICY"] == "PASSIVE"
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    device.let_threads_sleep()
    assert os.environ["OMP_WAIT_POLICY"] == "ACTIVE"
