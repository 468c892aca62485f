"""Hash the code that a job runs: its script and all modules that the script imports.

Snakemake does not look at a script's imports, and in a fresh checkout all files look new. A rule
with this hash in its `params` is run again if, and only if, code that it runs has changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from hashlib import blake2b
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from swapset.build.code_trees import Tree, TreeCache
from swapset.errors import ConfigError

PACKAGE = __name__.partition(".")[0]
NOT_FOLLOWED = frozenset(
    f"{PACKAGE}.{name}"
    for name in (
        "build.job",
        "config.detection",
        "config.methods",
        "config.recipes",
        "config.schema",
        "config.sections",
        "errors",
    )
)
"""Modules that are left out. Their values reach a job through its other params, so that a new
config key or a new recipe does not make everything run again."""

# The package's `__init__` holds the version: a new version alone makes nothing run again.
_LEFT_OUT = NOT_FOLLOWED | {PACKAGE}


def code_hash(script: Path, modules: Sequence[str] = ()) -> str:
    """Return 16 hex digits that change if, and only if, the code of a job changes.

    Comments, docstrings and imports for type checkers do not count.

    Parameters
    ----------
    script : Path
        A Python file. Its imports of this library are followed, also those inside functions.
    modules : sequence of str
        Dotted names of modules that the job imports by name, for example
        "swapset.detectors.mesonet". For a module of another installed package, imports of that
        package and of this library are followed.

    Raises
    ------
    ConfigError
        If a module is not found, or a file is not Python source.
    """
    return _hashed(script, tuple(modules))


def has_source(module: str) -> bool:
    """Return whether a module, by its dotted name, has a Python file."""
    return _code().has_source(module)


@cache
def _hashed(script: Path, modules: tuple[str, ...]) -> str:
    return _code().hash(script, modules)


@cache
def _code() -> Code:
    # Beside Snakemake's own records of the working folder.
    return Code(TreeCache(Path.cwd() / ".snakemake" / "swapset_code.json"))


class _Module(NamedTuple):
    """A module of a package: the digest of its code, and the modules that it imports directly."""

    digest: str
    imports: frozenset[str]


class Code:
    """The import graph of the library and of other packages; each module is read once.

    Parameters
    ----------
    trees : TreeCache
        Digests and imports of source files.
    """

    def __init__(self, trees: TreeCache):
        self._trees = trees
        self._modules: dict[str, _Module] = {}
        self._files: dict[str, Path | None] = {}
        self._folders: dict[str, list[Path]] = {}

    def hash(self, script: Path, modules: Sequence[str] = ()) -> str:
        """Return the hash of a script and of all that it imports; see `code_hash`."""
        tree = self._tree(script)
        first = {*self._direct(tree.imports, ""), *modules}
        for name in modules:
            first |= self._existing(_with_parents(name))
        digests = {name: self._module(name).digest for name in self._reached(first)}
        self._trees.save()
        # By name, so that the checkout may move; an `__init__` with only a docstring adds nothing.
        lines = sorted(f"{name} {digest}" for name, digest in digests.items() if digest)
        text = "\n".join([f"{script.stem} {tree.digest}", *lines])
        return blake2b(text.encode(), digest_size=8).hexdigest()

    def has_source(self, module: str) -> bool:
        """Return whether a module has a Python file."""
        return self._file(module) is not None

    def _reached(self, names: Iterable[str]) -> set[str]:
        """Return modules and all that they import, directly or through others."""
        reached = set(names)
        waiting = list(reached)
        while waiting:
            new = self._module(waiting.pop()).imports - reached
            reached |= new
            waiting += new
        return reached

    def _module(self, name: str) -> _Module:
        if name not in self._modules:
            path = self._file(name)
            if path is None:
                raise ConfigError(
                    f"module {name!r}: is not installed or not in Python; reinstall its package"
                )
            tree = self._tree(path)
            package = name if path.name == "__init__.py" else name.rpartition(".")[0]
            self._modules[name] = _Module(tree.digest, self._direct(tree.imports, package))
        return self._modules[name]

    def _tree(self, path: Path) -> Tree:
        try:
            return self._trees.tree(path.read_bytes())
        except SyntaxError as error:
            raise ConfigError(f"{path}, line {error.lineno}: {error.msg}") from None
        except ValueError as error:
            raise ConfigError(f"{path}: is not Python source ({error})") from None

    def _direct(self, imports: Iterable[str], package: str) -> frozenset[str]:
        """Return the followed modules among the imports of a module in `package`."""
        followed = (PACKAGE, package.partition(".")[0])
        return self._existing(
            name for name in _names(imports, package) if name.partition(".")[0] in followed
        )

    def _existing(self, names: Iterable[str]) -> frozenset[str]:
        return frozenset(name for name in {*names} - _LEFT_OUT if self._file(name))

    # -- files of modules ----------------------------------------------------------------------

    def _file(self, name: str) -> Path | None:
        """Return a module's Python file, or None if it has none."""
        if name not in self._files:
            package, _, last = name.rpartition(".")
            if package:
                folders = self._folders_of(package)
                ends = (f"{last}/__init__.py", f"{last}.py")
                paths = [folder / end for folder in folders for end in ends]
            else:
                origin = (spec := _spec(name)) and spec.origin
                paths = [Path(origin)] if origin and origin.endswith(".py") else []
            self._files[name] = next((path for path in paths if path.is_file()), None)
        return self._files[name]

    def _folders_of(self, package: str) -> list[Path]:
        """Return the folders of a package's modules; empty for a module that is not a package."""
        if package not in self._folders:
            parent, _, last = package.rpartition(".")
            if parent:
                folders = [folder / last for folder in self._folders_of(parent)]
            else:
                spec = _spec(package)
                folders = [Path(f) for f in (spec and spec.submodule_search_locations) or []]
            self._folders[package] = [folder for folder in folders if folder.is_dir()]
        return self._folders[package]


def _spec(package: str) -> ModuleSpec | None:
    """Return the spec of a top-level package, without importing the package."""
    try:
        return find_spec(package)
    except (ImportError, ValueError):
        return None


def _names(imports: Iterable[str], package: str) -> Iterator[str]:
    """Yield all names in import statements of a module in `package` that may be modules."""
    for statement in imports:
        module, *names = statement.split(" ")
        path = module.lstrip(".")
        if level := len(module) - len(path):
            around = package.rsplit(".", level - 1)[0]
            path = f"{around}.{path}" if path else around
        yield from _with_parents(path)
        yield from (f"{path}.{name}" for name in names)


def _with_parents(name: str) -> list[str]:
    """Return a module after the packages that contain it: their `__init__` runs first."""
    parts = name.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts) + 1)]
