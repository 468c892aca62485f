"""Choose the processor that a job's networks run on; jobs on several GPUs take different ones."""

from __future__ import annotations

import fcntl
import itertools
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from swapset.errors import DeviceError

if TYPE_CHECKING:
    import torch


def visible_gpus() -> list[str]:
    """Return the names (indices or UUIDs) of the GPUs that this process may use.

    CUDA is not touched, because CUDA_VISIBLE_DEVICES has no effect afterwards.
    """
    limited = os.environ.get("CUDA_VISIBLE_DEVICES")
    if limited is not None:
        return [name.strip() for name in limited.split(",") if name.strip() not in ("", "-1")]
    return list(_uuids())


def _uuids() -> dict[str, str]:
    """Return the UUIDs of the GPUs that the driver lists, by index."""
    try:
        listed = subprocess.run(
            ["nvidia-smi", "--query-gpu=index,uuid", "--format=csv,noheader"],  # noqa: S607
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return {}
    pairs = (line.split(",") for line in listed.stdout.splitlines() if line.strip())
    return {index.strip(): uuid[0].strip() if uuid else "" for index, *uuid in pairs}


def _physical(gpu: str, uuids: dict[str, str]) -> str:
    """Return a GPU's UUID if it is known: every job that sees one GPU calls it number 0."""
    named = (uuid for uuid in uuids.values() if gpu.startswith("GPU-") and uuid.startswith(gpu))
    return uuids.get(gpu) or next(named, gpu)


def let_threads_sleep() -> None:
    """Let torch's threads sleep while they wait for each other; call it before torch is imported.

    OpenMP's threads spin by default. Where other programs use the same cores, a thread then burns
    whole time slices while the one that it waits for gets none: small networks have been measured
    to take ten times the processor time of one thread. OMP_WAIT_POLICY of the caller is kept.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def uses_bf16(precision: str, device: torch.device) -> bool:
    """Return whether networks run in bf16; "auto" means where the processor supports it.

    Parameters
    ----------
    precision : {"auto", "fp32", "bf16"}
    device : torch.device
    """
    import torch

    if precision != "auto":
        return precision == "bf16"
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    flags = torch.cpu.get_capabilities()
    return bool(flags.get("avx512_bf16") or flags.get("amx_bf16"))


@contextmanager
def claimed_device(setting: str, *, threads: int = 1, sharers: int = 1) -> Iterator[torch.device]:
    """Yield the configured torch device; lock a GPU for this process, or share it among `sharers`.

    With several GPUs, each job locks a place on a free one, waiting if necessary, and hides the
    others from itself by CUDA_VISIBLE_DEVICES. The system releases the lock when the process ends,
    even if it is killed.

    Parameters
    ----------
    setting : str
        "auto", "cpu", "cuda" or "cuda:<number>".
    threads : int
        CPU threads of torch. Their number changes results on the CPU, so it comes from the config.
    sharers : int
        Number of jobs of this kind that may share a GPU. With 1, the job takes the whole GPU.

    Yields
    ------
    torch.device

    Raises
    ------
    DeviceError
        If a GPU is asked for, but there is none, or not the one with that number.
    """
    gpus = [] if setting == "cpu" else visible_gpus()
    if setting.startswith("cuda") and not gpus:
        raise DeviceError(f"device: {setting!r} is asked for, but no GPU is visible; use 'cpu'")
    with _one_of(_choice(setting, gpus), sharers) as gpu:
        if gpu is not None:
            os.environ["CUDA_VISIBLE_DEVICES"] = gpu
        import torch

        torch.set_num_threads(threads)
        usable = gpu is not None and torch.cuda.is_available()
        if setting.startswith("cuda") and not usable:
            raise DeviceError(f"device: {setting!r}: this torch has no CUDA, or the driver fails")
        yield torch.device("cuda" if usable else "cpu")


def _choice(setting: str, gpus: list[str]) -> list[str]:
    _, _, number = setting.partition(":")
    if not number:
        return gpus
    if int(number) >= len(gpus):
        raise DeviceError(f"device: there is no {setting!r}; {len(gpus)} GPUs are visible")
    return [gpus[int(number)]]


@contextmanager
def _one_of(gpus: list[str], sharers: int = 1) -> Iterator[str | None]:
    """Lock a place on one of `gpus`, waiting until one is free; yield None if there are none.

    A job that does not share holds a GPU's lock exclusively; jobs that share hold it together, and
    each holds one of its `sharers` places.
    """
    if not gpus:
        yield None
        return
    kind = fcntl.LOCK_EX if sharers == 1 else fcntl.LOCK_SH
    uuids = _uuids()
    locks = {gpu: _physical(gpu, uuids) for gpu in gpus}
    while True:
        for gpu, place in itertools.product(gpus, range(sharers)):
            with (
                _lock_file(locks[gpu]).open("a") as whole,
                _lock_file(f"{locks[gpu]}-place-{place}").open("a") as part,
            ):
                if _locked(whole, kind) and (sharers == 1 or _locked(part, fcntl.LOCK_EX)):
                    yield gpu
                    return
        time.sleep(1)


def _lock_file(gpu: str) -> Path:
    safe = "".join(letter if letter.isalnum() else "-" for letter in gpu)
    return Path(tempfile.gettempdir()) / f"swapset-{os.getuid()}-gpu-{safe}.lock"


def _locked(stream: IO[str], kind: int) -> bool:
    try:
        fcntl.flock(stream, kind | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
