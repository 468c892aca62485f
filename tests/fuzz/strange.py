"""Hostile files made by hand: lists of other files and servers, and false sizes."""

from __future__ import annotations

import struct
import subprocess
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import faces
import imageio_ffmpeg
import numpy as np

Seeds = dict[str, bytes]
_INSIDE = (b"moov", b"trak", b"mdia", b"minf", b"dinf")


@dataclass(frozen=True)
class Lures:
    """Files and addresses that a hostile file tries to reach.

    Attributes
    ----------
    video, text : Path
        Local files that exist.
    port : int
        Port of a listener on loopback.
    seeds : dict of str to bytes
        Good files by extension.
    """

    video: Path
    text: Path
    port: int
    seeds: Seeds

    @property
    def urls(self) -> list[str]:
        """Return addresses of all kinds, of the listener and of local files."""
        host, near = f"127.0.0.1:{self.port}", f"../{self.video.parent.name}/{self.video.name}"
        remote = ("http", "tcp", "udp", "rtp", "rtmp", "rtsp", "ftp", "srt", "gopher", "mmsh")
        local = [str(self.video), near, f"file:{self.video}", f"file://{self.video}"]
        local += [f"concat:{self.video}|{self.text}", f"subfile,,start,0,end,999,,:{self.video}"]
        return [f"{kind}://{host}/a.ts" for kind in remote] + local + ["pipe:0", "crypto:a.ts"]


def _hls(lures: Lures) -> bytes:
    lines = [f"#EXTINF:1,\n{url}" for url in lures.urls]
    key = f'#EXT-X-KEY:METHOD=AES-128,URI="http://127.0.0.1:{lures.port}/key"'
    begin = f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:0\n{key}\n"
    return (begin + "\n".join(lines) + "\n#EXT-X-ENDLIST\n").encode()


def _hls_master(lures: Lures) -> bytes:
    lines = [f"#EXT-X-STREAM-INF:BANDWIDTH=1\n{url}" for url in lures.urls]
    return ("#EXTM3U\n" + "\n".join(lines) + "\n").encode()


def _hls_one(lures: Lures) -> bytes:
    return f"#EXTM3U\n#EXTINF:1,\nfile:{lures.video}\n#EXT-X-ENDLIST\n".encode()


def _concat(lures: Lures) -> bytes:
    return ("ffconcat version 1.0\n" + "".join(f"file '{u}'\n" for u in lures.urls)).encode()


def _concat_local(lures: Lures) -> bytes:
    return f"ffconcat version 1.0\nfile '{lures.video}'\n".encode()


def _sdp(lures: Lures) -> bytes:
    media = f"m=video {lures.port} RTP/AVP 96\na=rtpmap:96 H264/90000\n"
    return f"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n{media}".encode()


def _dash(lures: Lures) -> bytes:
    def part(url: str) -> str:
        about = '<Representation id="1" mimeType="video/mp4" bandwidth="1">'
        return f"<AdaptationSet>{about}<BaseURL>{url}</BaseURL></Representation></AdaptationSet>"

    parts = "".join(map(part, lures.urls))
    kind = 'xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT1S"'
    return f'<?xml version="1.0"?><MPD {kind}><Period>{parts}</Period></MPD>'.encode()


def _xml_entity(lures: Lures) -> bytes:
    entity = f'<!DOCTYPE a [<!ENTITY x SYSTEM "file://{lures.text}">]>'
    return f'<?xml version="1.0"?>{entity}<MPD><BaseURL>&x;</BaseURL></MPD>'.encode()


def _redirection(lures: Lures) -> bytes:
    return f"RTSPtextrtsp://127.0.0.1:{lures.port}/a\n".encode()


def _smil(lures: Lures) -> bytes:
    parts = "".join(f'<video src="{url}"/>' for url in lures.urls)
    return f"<smil><body>{parts}</body></smil>".encode()


def _svg(lures: Lures) -> bytes:
    space = 'xmlns="http://www.w3.org/2000/svg" xmlns:x="http://www.w3.org/1999/xlink"'
    parts = "".join(f'<image x:href="{url}" width="9" height="9"/>' for url in lures.urls)
    return f'<svg {space} width="64" height="64">{parts}</svg>'.encode()


def _postscript(lures: Lures) -> bytes:
    """Return PostScript, which some libraries pass to an interpreter that can run programs."""
    box = "%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\n%%EndComments\n"
    return (box + f"(%pipe%touch {lures.text}.run) (w) file\nshowpage\n%%EOF\n").encode()


def _script(lures: Lures) -> bytes:
    return f'DirectShowSource("{lures.video}")\nimport os; os.system("touch ran")\n'.encode()


def _filters(lures: Lures) -> bytes:
    return f"movie={lures.video}[out0]".encode()


def _subtitle_index(lures: Lures) -> bytes:
    return b"# VobSub index file, v7\nid: en, index: 0\ntimestamp: 00:00:00:000, filepos: 0\n"


def _referring(kind: bytes) -> Callable[[Lures], bytes]:
    """Return the maker of an .mp4 that places its samples in another file."""

    def make(lures: Lures) -> bytes:
        name = str(lures.video).encode()
        if kind == b"url ":
            entry = b"\0\0\0\0file://" + name + b"\0"
        else:
            entry = b"\0\0\0\0" + bytes(150) + struct.pack(">HH", 2, len(name)) + name
            entry += struct.pack(">HH", 18, 1) + b"/\0" + b"\xff\xff\0\0"
        reference = bytes(4) + struct.pack(">I", 1) + _box(kind, entry)
        return _with_box(lures.seeds["mp4"], b"dref", reference)

    return make


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 8 + len(content)) + kind + content


def _with_box(data: bytes, kind: bytes, content: bytes) -> bytes:
    """Replace the content of all boxes of a kind, and correct the sizes."""
    made, place = b"", 0
    while place + 8 <= len(data):
        size, name = struct.unpack(">I4s", data[place : place + 8])
        inner = data[place + 8 : place + size]
        if name in _INSIDE:
            inner = _with_box(inner, kind, content)
        made += _box(name, content if name == kind else inner)
        place += max(size, 8)
    return made


def _list_in_avi(lures: Lures) -> bytes:
    """Return an .avi with a playlist as subtitles (GAB2): the content selects their demuxer."""
    inner = _hls(lures)
    packet = b"GAB2\0" + struct.pack("<HIH", 2, 0, 4) + struct.pack("<I", len(inner)) + inner

    def chunk(name: bytes, content: bytes) -> bytes:
        return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)

    def stream(kind: bytes, about: bytes) -> bytes:
        head = kind + bytes(16) + struct.pack("<IIIII", 1, 25, 0, 2, 0) + bytes(16)
        return chunk(b"LIST", b"strl" + chunk(b"strh", head) + chunk(b"strf", about))

    picture = struct.pack("<IiiHH4sIiiII", 40, 16, 16, 1, 24, b"MJPG", 768, 0, 0, 0, 0)
    header = struct.pack("<14I", 40000, 0, 0, 0x10, 2, 0, 2, 0, 16, 16, 0, 0, 0, 0)
    streams = stream(b"vidsMJPG", picture) + stream(b"txts" + bytes(4), b"")
    listed = chunk(b"LIST", b"hdrl" + chunk(b"avih", header) + streams)
    moving = chunk(b"01tx", packet) + chunk(b"00dc", lures.seeds["jpg"])
    return chunk(b"RIFF", b"AVI " + listed + chunk(b"LIST", b"movi" + moving))


def _png(
    width: int, height: int, *, depth: int = 8, colours: int = 6, whole: bool = False
) -> bytes:
    """Return a black PNG file that ends after its first rows, unless it is `whole`."""
    channels = {0: 1, 2: 3, 6: 4}[colours]
    row = 1 + width * channels * depth // 8
    packer, packed = zlib.compressobj(1), b""
    for _ in range(height if whole else 16):
        packed += packer.compress(bytes(row))
    packed += packer.flush()

    def chunk(name: bytes, content: bytes) -> bytes:
        size, end = struct.pack(">I", len(content)), zlib.crc32(name + content)
        return size + name + content + struct.pack(">I", end)

    head = struct.pack(">IIBBBBB", width, height, depth, colours, 0, 0, 0)
    parts = chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def _gif(width: int, height: int) -> Callable[[Lures], bytes]:
    def make(lures: Lures) -> bytes:
        data = lures.seeds["gif"]
        return data[:6] + struct.pack("<HH", width, height) + data[10:]

    return make


def _y4m(head: str) -> Callable[[Lures], bytes]:
    return lambda lures: f"YUV4MPEG2 {head}\nFRAME\n".encode() + bytes(100_000)


def _tiff_circle(lures: Lures) -> bytes:
    entry = struct.pack("<HHIHHHHII", 0x100, 3, 1, 64, 0, 0x101, 3, 1, 64)
    return b"II*\0" + struct.pack("<IH", 8, 2) + entry[:24] + struct.pack("<I", 8)


def _deep_boxes(lures: Lures) -> bytes:
    data = b""
    for _ in range(2000):
        data = _box(b"moov", data)
    return lures.seeds["mp4"][:32] + data


def _deep_elements(lures: Lures) -> bytes:
    head = lures.seeds["mkv"][:64]
    return head[: head.find(b"\x18\x53\x80\x67")] + b"\x18\x53\x80\x67\xff" + b"\xae\x8f" * 20_000


def _no_streams(lures: Lures) -> bytes:
    return _with_box(lures.seeds["mp4"], b"trak", b"")


def _without_tracks(lures: Lures) -> bytes:
    data = lures.seeds["mkv"]
    place = data.find(b"\x16\x54\xae\x6b")
    return data[:place] + b"\xec" + data[place + 4 :]


def _by_ffmpeg(*options: str) -> Callable[[Lures], bytes]:
    """Return the maker of a file by ffmpeg with these options."""

    def make(lures: Lures) -> bytes:
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *options, "pipe:1"]
        return subprocess.run(command, check=True, capture_output=True).stdout

    return make


def _lavfi(graph: str) -> list[str]:
    return ["-f", "lavfi", "-i", graph]


_SMALL = [*_lavfi("color=black:s=64x64:r=10:d=1")]
_FAST = ["-c:v", "libx264", "-preset", "ultrafast", "-fflags", "+bitexact", "-threads", "1"]
_FRAGMENTS = ["-movflags", "frag_keyframe+empty_moov", "-f", "mp4"]
_AS_TIMED = ["-fps_mode", "passthrough"]
_MANY = [part for _ in range(120) for part in ("-map", "0")]

STRANGE: dict[str, tuple[str, Callable[[Lures], bytes]]] = {
    "a playlist": ("m3u8", _hls),
    "a playlist called a video": ("mp4", _hls_one),
    "a list of files": ("ffconcat", _concat),
    "a stream's description": ("sdp", _sdp),
    "a manifest": ("mpd", _dash),
    "a playlist as subtitles": ("avi", _list_in_avi),
    "samples elsewhere (url)": ("mp4", _referring(b"url ")),
    "samples elsewhere (alias)": ("mov", _referring(b"alis")),
    "PostScript called a picture": ("png", _postscript),
    "a gigantic GIF": ("gif", _gif(16000, 16000)),
    "a playlist of playlists": ("mkv", _hls_master),
    "one file listed": ("mkv", _concat_local),
    "an entity": ("mpd", _xml_entity),
    "a redirection": ("mov", _redirection),
    "a presentation": ("smil", _smil),
    "a drawing": ("svg", _svg),
    "a drawing called a picture": ("png", _svg),
    "PostScript": ("mp4", _postscript),
    "a script": ("avs", _script),
    "a graph of filters": ("mkv", _filters),
    "an index of subtitles": ("idx", _subtitle_index),
    "nothing": ("mp4", lambda lures: b""),
    "zeros": ("mp4", lambda lures: bytes(1 << 20)),
    "ones": ("ts", lambda lures: b"\xff" * (1 << 20)),
    "sync bytes": ("ts", lambda lures: b"\x47" * (1 << 20)),
    "deep boxes": ("mp4", _deep_boxes),
    "deep elements": ("mkv", _deep_elements),
    "no streams": ("mp4", _no_streams),
    "no tracks": ("mkv", _without_tracks),
    "an archive": ("mp4", lambda lures: b"PK\x03\x04" + zlib.compress(bytes(1 << 20))),
    "a wide GIF": ("gif", _gif(65535, 4000)),
    "gigantic raw video": ("y4m", _y4m("W16000 H16000 F30:1 C420")),
    "raw video without a rate": ("y4m", _y4m("W64 H64 F0:0 C420")),
    "raw video of a rate": ("y4m", _y4m("W64 H64 F2147483647:1 C420")),
    "raw video of a slow rate": ("y4m", _y4m("W64 H64 F1:2147483647 C420")),
    "raw video of long pixels": ("y4m", _y4m("W64 H64 F30:1 A1:2147483647 C420")),
    "raw video of one column": ("y4m", _y4m("W1 H1 F30:1 C420")),
    "a TIFF that bites its tail": ("tif", _tiff_circle),
    "a gigantic PNG": ("png", lambda lures: _png(30_000, 30_000)),
    "a PNG of 100 megapixels": ("png", lambda lures: _png(10_000, 9_999)),
    "a wide PNG": ("png", lambda lures: _png(2_000_000_000, 1, colours=0)),
    "a gigantic video": (
        "mkv",
        _by_ffmpeg(*_lavfi("color=black:s=7680x4320:r=10:d=0.3"), *_FAST, "-f", "matroska"),
    ),
    "a wide video": (
        "mkv",
        _by_ffmpeg(*_lavfi("color=black:s=60000x32:r=10:d=0.1"), "-c:v", "ffv1", "-f", "matroska"),
    ),
    "a video of wide pixels": (
        "mkv",
        _by_ffmpeg(
            *_lavfi("color=black:s=7680x4320:r=10:d=0.1,setsar=4"), *_FAST, "-f", "matroska"
        ),
    ),
    "a larger video": (
        "mp4",
        _by_ffmpeg(*_lavfi("color=black:s=12000x12000:r=10:d=0.1"), *_FAST, *_FRAGMENTS),
    ),
    "a gigantic PNG as a video": (
        "mkv",
        _by_ffmpeg(*_lavfi("color=black:s=15000x15000:d=0.04"), "-c:v", "png", "-f", "matroska"),
    ),
    "many streams": ("mp4", _by_ffmpeg(*_SMALL, *_MANY, *_FAST, *_FRAGMENTS)),
    "many streams of a kind": (
        "mkv",
        _by_ffmpeg(*_lavfi("sine=d=0.1"), *_MANY, "-c:a", "pcm_s16le", "-f", "matroska"),
    ),
    "frames ages apart": (
        "mkv",
        _by_ffmpeg(*_SMALL, "-vf", "setpts=N*40000/TB", *_FAST, *_AS_TIMED, "-f", "matroska"),
    ),
    "a thousand frames a second": (
        "mkv",
        _by_ffmpeg(*_lavfi("color=black:s=16x16:r=1000:d=20"), *_FAST, "-f", "matroska"),
    ),
    "frames of changing size": (
        "ts",
        lambda lures: lures.seeds["ts"] + _by_ffmpeg(*_SMALL, *_FAST, "-f", "mpegts")(lures),
    ),
    "a large 16-bit PNG": ("png", lambda lures: _png(9_000, 9_000, depth=16, whole=True)),
    "a large PNG": ("png", lambda lures: _png(9_900, 9_900, colours=2, whole=True)),
    "a crowd": ("png", lambda lures: faces.crowd()),
    "a face that fills a large picture": ("png", lambda lures: faces.filling()),
    "a face in a large picture": ("png", lambda lures: faces.lost(12_400)),
    "a face in a large 16-bit picture": ("png", lambda lures: faces.lost(6_200, np.uint16)),
}
"""Extension and maker by name; files that are expensive to make come last."""
