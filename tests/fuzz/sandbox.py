"""A folder for reading a hostile file, with detection of any access beyond it."""

from __future__ import annotations

import ctypes
import os
import shutil
import socket
import threading
from pathlib import Path

_IN_ACCESS, _IN_OPEN = 0x1, 0x20
_EVENT = 16  # bytes of an event before its name


class Sandbox:
    """Folders for a child process, a bait that nothing may open, and a listener on loopback.

    Has to be closed.

    Attributes
    ----------
    source, results, work, temporary, home : Path
        Folders of the hostile file, of files that may be written, and of the process.
    bait : Path
        Folder of files that must not be opened; the kernel reports every access.
    port : int
        TCP and UDP port on loopback that hostile files name.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        names = ("source", "results", "work", "temporary", "home", "bait")
        for name in names:
            (root / name).mkdir()
        self.source, self.results, self.work = (root / name for name in names[:3])
        self.temporary, self.home, self.bait = (root / name for name in names[3:])
        self.visits: list[str] = []
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._notices = self._libc.inotify_init1(os.O_NONBLOCK)
        if self._notices < 0:
            raise OSError(ctypes.get_errno(), "inotify")
        self._tcp, self._udp = _listening()
        self.port = self._tcp.getsockname()[1]
        self._ended = threading.Event()
        self._threads = [
            threading.Thread(target=answer, daemon=True) for answer in (self._accept, self._receive)
        ]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Stop listening."""
        self._ended.set()
        for thread in self._threads:
            thread.join()
        self._tcp.close()
        self._udp.close()
        os.close(self._notices)

    def set_bait(self, name: str, content: bytes) -> Path:
        """Put a file into the bait's folder and watch it from now on."""
        path = self.bait / name
        path.write_bytes(content)
        watched = self._libc.inotify_add_watch(
            self._notices, os.fsencode(path), _IN_OPEN | _IN_ACCESS
        )
        if watched < 0:
            raise OSError(ctypes.get_errno(), "inotify", str(path))
        return path

    def reached(self) -> list[str]:
        """Return the accesses since the last call: connections, datagrams, the bait."""
        visits, self.visits = self.visits, []
        try:
            read = os.read(self._notices, 1 << 16)
        except BlockingIOError:
            read = b""
        if len(read) >= _EVENT:
            visits.append("a local file was opened")
        return visits

    def strays(self) -> list[str]:
        """Return the files that do not belong there, delete them, and empty the results."""
        for path in list(self.results.iterdir()):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        strays = []
        for folder in (self.work, self.temporary, self.home):
            for path in list(folder.iterdir()):
                if path.name.startswith("torchinductor_"):
                    continue  # an empty folder of torch
                strays.append(f"{path} was left behind")
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        known = {self.source, self.results, self.work, self.temporary, self.home, self.bait}
        return strays + [f"{p} was written" for p in self.root.iterdir() if p not in known]

    def _accept(self) -> None:
        while not self._ended.is_set():
            try:
                connection, _ = self._tcp.accept()
            except TimeoutError:
                continue
            connection.close()
            self.visits.append("a connection was opened")

    def _receive(self) -> None:
        while not self._ended.is_set():
            try:
                self._udp.recvfrom(64)
            except TimeoutError:
                continue
            self.visits.append("a datagram was sent")


def _listening() -> tuple[socket.socket, socket.socket]:
    tcp = socket.create_server(("127.0.0.1", 0))
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(tcp.getsockname())
    for each in (tcp, udp):
        each.settimeout(0.2)
    return tcp, udp
