"""The table of plug-ins: what packages add to it, and what is said when they do it wrong."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from material.plugins import add_package

from swapset.errors import ConfigError
from swapset.plugins import Plugin, Plugins

OWN = {
    "ours": Plugin("swapset.detectors.head_pose:HeadPose", {"learns_from": "c23"}),
    "other": Plugin("swapset.errors:ConfigError"),
}
WHOLE = "class {0}:\n    name = {1!r}\n    def fit(self): ...\n"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


@pytest.fixture
def table() -> Callable[[], Plugins]:
    def made() -> Plugins:
        traits = {"learns_from": "original", "several": False}
        return Plugins("detector", OWN, methods=("fit",), traits=traits, reserved=("taken",))

    return made


def test_our_own_are_there_with_all_traits(table: Callable[[], Plugins]) -> None:
    own = table()
    assert list(own) == ["ours", "other"]
    assert dict(own.find("ours").traits) == {"learns_from": "c23", "several": False}
    assert dict(own.find("other").traits) == {"learns_from": "original", "several": False}
    assert own.find("ours").module == "swapset.detectors.head_pose"
    assert own.load("other") is ConfigError


def test_a_package_adds_its_own_and_nothing_is_imported_before_it_is_used(
    site: Path, table: Callable[[], Plugins]
) -> None:
    files = {"theirs/__init__.py": "", "theirs/one.py": WHOLE.format("One", "Number-1.0")}
    add_package(site, "their-package", {"detectors": {"Number-1.0": "theirs.one:One"}}, files)
    own = table()
    assert list(own) == ["ours", "other", "Number-1.0"]
    plugin = own.find("Number-1.0")
    assert plugin.module == "theirs.one"
    assert dict(plugin.traits) == {"learns_from": "original", "several": False}
    assert "theirs" not in sys.modules
    assert own.load("Number-1.0").__module__ == "theirs.one"


def test_a_record_says_the_traits_and_its_class_is_not_imported(
    site: Path, table: Callable[[], Plugins]
) -> None:
    record = "Plugin('theirs2.heavy:Heavy', {'several': True})"
    files = {
        "theirs2/__init__.py": "",
        "theirs2/light.py": (
            f"from swapset.plugins import Plugin\nPLUGINS = {{'heavy': {record}}}\n"
        ),
        "theirs2/heavy.py": WHOLE.format("Heavy", "heavy"),
    }
    add_package(site, "their-package", {"detectors": {"heavy": "theirs2.light:PLUGINS"}}, files)
    own = table()
    plugin = own.find("heavy")
    assert plugin.target == "theirs2.heavy:Heavy"
    assert dict(plugin.traits) == {"learns_from": "original", "several": True}
    assert "theirs2.heavy" not in sys.modules
    assert own.load("heavy").__name__ == "Heavy"


def test_an_unknown_name_is_refused_with_the_known_ones_and_the_key(
    site: Path, table: Callable[[], Plugins]
) -> None:
    add_package(site, "their-package", {"detectors": {"theirs": "nowhere:Theirs"}})
    with pytest.raises(ConfigError) as caught:
        table().find("their", "detectors")
    assert str(caught.value) == (
        "detectors: 'their' is not allowed: it is unknown; choose from ours, other, theirs, or "
        "install the package that adds it (entry point group swapset.detectors)"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import nothing_of_the_kind\n", "ModuleNotFoundError: No module named 'nothing_of_the"),
        ("raise RuntimeError('a driver\\nis missing')\n", "RuntimeError: a driver is missing"),
        ("def broken(:\n", "SyntaxError: "),
        ("raise SystemExit('no licence')\n", "SystemExit: no licence"),
        ("", "AttributeError: module 'broken' has no attribute 'Broken'"),
        (None, "ModuleNotFoundError: No module named 'broken'"),
    ],
)
def test_a_package_that_breaks_is_named_and_disturbs_nobody_else(
    site: Path, table: Callable[[], Plugins], text: str | None, said: str
) -> None:
    files = {} if text is None else {"broken.py": text}
    add_package(site, "broken-package", {"detectors": {"bad": "broken:Broken"}}, files)
    own = table()
    assert own.load("other") is ConfigError
    assert own.find("bad").module == "broken"
    with pytest.raises(ConfigError) as caught:
        own.load("bad")
    message = str(caught.value)
    assert message.startswith(
        f"detector 'bad' of package broken-package (broken:Broken) cannot be imported ({said}"
    )
    assert "repair or reinstall the package" in message
    assert "\n" not in message


def test_our_own_that_breaks_is_a_bug_with_its_traceback() -> None:
    own = Plugins("detector", {"bug": Plugin("swapset.nowhere:Bug")})
    with pytest.raises(ModuleNotFoundError):
        own.load("bug")


def test_two_packages_with_one_name_are_refused_where_it_is_used(
    site: Path, table: Callable[[], Plugins]
) -> None:
    add_package(site, "first", {"detectors": {"same": "first:One", "free": "first:Two"}})
    add_package(site, "second", {"detectors": {"same": "second:One"}})
    own = table()
    assert list(own) == ["ours", "other", "free", "same"]
    assert own.find("free").target == "first:Two"
    with pytest.raises(ConfigError) as caught:
        own.find("same", "detectors")
    assert str(caught.value) == (
        "detectors: 'same' is not allowed: it is in package first (first:One) and in package "
        "second (second:One); uninstall all but one"
    )


def test_a_package_that_shadows_our_own_is_refused(
    site: Path, table: Callable[[], Plugins]
) -> None:
    add_package(site, "shadow", {"detectors": {"ours": "shadow:Ours"}})
    own = table()
    assert list(own) == ["ours", "other"]
    assert own.load("other") is ConfigError
    with pytest.raises(ConfigError, match=r"in swapset itself and in package shadow \(shadow:Ours"):
        own.find("ours")


@pytest.mark.parametrize("name", ["a/b", "-x", "ä", "a b", "taken", "a+b", "1.5", "None"])
def test_names_that_cannot_be_part_of_a_path_are_refused(
    site: Path, table: Callable[[], Plugins], name: str
) -> None:
    add_package(site, "odd", {"detectors": {name: "odd:Odd"}})
    own = table()
    assert list(own) == ["ours", "other"]
    with pytest.raises(ConfigError, match=r"of package odd \(odd:Odd\) is not allowed as a name"):
        own.find(name)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Class = 3\n", "lacks fit"),
        (
            "from abc import ABC, abstractmethod\nclass Class(ABC):\n    name = 'x'\n"
            "    @abstractmethod\n    def fit(self): ...\n    @abstractmethod\n"
            "    def crop(self): ...\n",
            "lacks crop, fit",
        ),
        (WHOLE.format("Class", "another"), "has the `name` 'another'"),
    ],
)
def test_a_class_that_is_not_complete_is_named(
    site: Path, table: Callable[[], Plugins], text: str, said: str
) -> None:
    add_package(site, "half", {"detectors": {"x": "half:Class"}}, {"half.py": text})
    with pytest.raises(ConfigError) as caught:
        table().load("x")
    assert f"detector 'x' of package half (half:Class) {said}" in str(caught.value)
    assert "docs/extending.md" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("PLUGINS = {}\n", "is not among its PLUGINS"),
        ("PLUGINS = {'x': 'half3:Class'}\n", "is not among its PLUGINS"),
        ("PLUGINS = []\n", "is not among its PLUGINS"),
        ("import nothing_of_the_kind\n", "cannot be imported"),
        (
            "from swapset.plugins import Plugin\nPLUGINS = {'x': Plugin('m:C', {'learn': 1})}\n",
            "has the unknown trait 'learn'; allowed: learns_from, several",
        ),
    ],
)
def test_a_record_that_is_none_is_named(
    site: Path, table: Callable[[], Plugins], text: str, said: str
) -> None:
    add_package(site, "half2", {"detectors": {"x": "half2:PLUGINS"}}, {"half2.py": text})
    with pytest.raises(ConfigError) as caught:
        table().find("x")
    assert f"detector 'x' of package half2 (half2:PLUGINS) {said}" in str(caught.value)


def test_a_package_that_is_found_twice_counts_once(
    site: Path, tmp_path_factory: pytest.TempPathFactory, table: Callable[[], Plugins],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    second = tmp_path_factory.mktemp("second")
    for folder in (site, second):
        add_package(folder, "twice", {"detectors": {"x": "twice:X"}})
    monkeypatch.syspath_prepend(second)
    assert table().find("x").target == "twice:X"
