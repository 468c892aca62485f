"""Check what a run needs around it before Snakemake starts: options, folders, caches, byte code.

The profiles call `prepare`, because Snakemake uses these folders before it reads the Snakefile, and
would end in a traceback. Standard library only.
"""

from __future__ import annotations

import getpass
import marshal
import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from swapset.errors import ConfigError, SwapsetError

LEAST_TEMPORARY = 50_000_000
"""Least free space of a folder for temporary files, in bytes: a clip has to fit."""
_CODE = Path(__file__).parents[1]
_HEADER = 16
"""Bytes before the code in a file of byte code."""
_LISTS = {"--configfile": "configfile", "--configfiles": "configfile", "--config": "config"}
_LISTS["-C"] = "config"


def prepare(arguments: Sequence[str] | None = None, *, forbidden: str = "") -> None:
    """Make a run of Snakemake possible, or end it with one line that says what it needs.

    Parameters
    ----------
    arguments : sequence of str, optional
        Snakemake's options, by default those of this process.
    forbidden : str
        Characters that the path of the working folder must not have.

    Raises
    ------
    SystemExit
        With the message, if an option is wrong or a folder cannot be written.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        _check_current()
        _check_options(given)
        folder = _working_folder(given)
        _check_path(folder, forbidden)
        _check_writable(folder)
        _choose_temporary(folder)
        _choose_caches(folder)
        _name_user()
        _remove_cut_code(_CODE)
        _remove_cut_code(_snakefile(given, folder).parent / "swapset")
    except SwapsetError as error:
        raise SystemExit(f"swapset: {error}") from None


def _check_current() -> None:
    try:
        Path.cwd()
    except OSError as error:
        raise ConfigError("the current folder no longer exists; change to another one") from error


def _check_options(arguments: Sequence[str]) -> None:
    """Refuse targets after `--configfile` and `--config`, which take all words that follow."""
    for option, words in _words(arguments):
        for word in words:
            if _LISTS[option] == "configfile" and not Path(word).is_file():
                raise ConfigError(
                    f"{option}: there is no file {word!r}{_targets_first(word, word)}"
                )
            if _LISTS[option] == "config" and "=" not in word:
                raise ConfigError(f"{option}: {word!r} is not KEY=VALUE{_targets_first(word, '')}")


def _targets_first(word: str, file: str) -> str:
    if Path(file).suffix in (".yaml", ".yml", ".json"):
        return f" in {Path.cwd()}; correct the path"
    return f"; if it is a target, name it first: snakemake --cores 2 {word} ..."


def _words(arguments: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield the options that take several words, with these words."""
    option, words = "", []
    for word in (*arguments, "--"):
        if not word.startswith("-"):
            words.append(word)
            continue
        if option in _LISTS:
            yield option, words
        option, words = word, []
        name, equals, value = word.partition("=")
        if equals and name in _LISTS:  # written like this, it takes only that word
            yield name, [value]
        if word == "--":
            return


def _working_folder(arguments: Sequence[str]) -> Path:
    """Return the folder that a run works in: the current one, or that of `--directory`."""
    for place, word in enumerate(arguments):
        name, equals, value = word.partition("=")
        if name in ("-d", "--directory"):
            return Path(value if equals else (*arguments, "")[place + 1] or ".")
    return Path.cwd()


def _snakefile(arguments: Sequence[str], folder: Path) -> Path:
    """Return the Snakefile that is named, or the one in the working folder."""
    for place, word in enumerate(arguments):
        name, equals, value = word.partition("=")
        if name in ("-s", "--snakefile"):
            return Path(value if equals else (*arguments, "")[place + 1])
    return folder / "Snakefile"


def _check_path(folder: Path, forbidden: str) -> None:
    for character in forbidden:
        if character in str(folder.absolute()):
            raise ConfigError(
                f"{folder.absolute()}: this profile cannot submit jobs from a folder with "
                f"{character!r} in its path; rename the folder"
            )


def _check_writable(folder: Path) -> None:
    reason = why_not_writable(folder / ".snakemake")
    if reason:
        snakefile = str((folder / "Snakefile").resolve())
        raise SwapsetError(
            f"{folder}: snakemake cannot write here ({reason}); free it, or run in another folder: "
            f"snakemake --snakefile {shlex.quote(snakefile)} --directory FOLDER ..."
        )


def why_not_writable(folder: Path) -> str:
    """Return why no file can be made in a folder, which is made if needed; "" if one can."""
    probe = folder / f".swapset-{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _choose_temporary(folder: Path) -> None:
    """Set TMPDIR to a folder that can be used, for this process and all jobs."""
    wanted = next((os.environ[n] for n in ("TMPDIR", "TEMP", "TMP") if os.environ.get(n)), "")
    own = folder.resolve() / ".snakemake"
    places = [Path(wanted)] if wanted else []
    places += [Path("/tmp"), Path("/var/tmp"), own]  # noqa: S108
    reasons = {place: _unusable(place) for place in places}
    found = next((place for place, reason in reasons.items() if not reason), None)
    if found is None:
        listed = "; ".join(f"{place}: {reason}" for place, reason in reasons.items())
        raise SwapsetError(
            f"TMPDIR: temporary files cannot be written ({listed}); set TMPDIR to a folder with "
            "free space"
        )
    if found != places[0]:
        os.environ["TMPDIR"] = tempfile.tempdir = str(found)
        _say(
            f"TMPDIR: {places[0]} cannot be used ({reasons[places[0]]}); temporary files go to "
            f"{found}"
        )


def _unusable(folder: Path) -> str:
    """Return why temporary files cannot be in a folder; "" if they can."""
    if not folder.is_dir():
        return "no such folder"
    if reason := why_not_writable(folder):
        return reason
    free = shutil.disk_usage(folder).free
    return f"only {free >> 20} MB free" if free < LEAST_TEMPORARY else ""


def _choose_caches(folder: Path) -> None:
    """Put caches of Snakemake, matplotlib and torch into a folder that can be written."""
    home = Path(os.path.expanduser("~"))  # noqa: PTH111 - does not fail without a home
    cache = Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")
    reason = why_not_writable(cache / "snakemake")
    if reason:
        name = "XDG_CACHE_HOME" if os.environ.get("XDG_CACHE_HOME") else "HOME"
        _say(
            f"{name}: {cache} cannot be written ({reason}); caches go to {folder}/.snakemake/cache "
            "(XDG_CACHE_HOME sets another place)"
        )
        cache = folder.resolve() / ".snakemake" / "cache"
        os.environ["XDG_CACHE_HOME"] = str(cache)
    if reason or not os.access(home, os.W_OK):
        for name in ("MPLCONFIGDIR", "TRITON_CACHE_DIR", "TORCHINDUCTOR_CACHE_DIR"):
            os.environ.setdefault(name, str(cache / name.partition("_")[0].lower()))


def _name_user() -> None:
    """Give a user without a name, as containers have, one: Snakemake and torch ask for it."""
    try:
        getpass.getuser()
    except (KeyError, OSError, ImportError):
        os.environ["LOGNAME"] = f"uid{os.getuid()}"


def _remove_cut_code(package: Path) -> None:
    """Remove the library's files of byte code that are cut off.

    Python up to 3.13 leaves them where the disk was full, and then cannot import the module.
    """
    for path in package.rglob("__pycache__/*.pyc"):
        try:
            data = path.read_bytes()
        except OSError:
            continue
        try:
            marshal.loads(data[_HEADER:])  # noqa: S302 - what Python would load itself
        except (EOFError, ValueError, TypeError):
            with suppress(OSError):
                path.unlink()


def _say(notice: str) -> None:
    print(f"swapset: {notice}", file=sys.stderr)
