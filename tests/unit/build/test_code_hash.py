"""A rule's hash changes with the modules behind its script, and with nothing else."""

import ast
from pathlib import Path

import pytest

from swapset.build import code_hash as module
from swapset.build.code_hash import code_hash

SCRIPTS = Path(__file__).parents[3] / "workflow_scripts"


@pytest.fixture
def library(tmp_path, monkeypatch):
    """A library in which script -> media.near -> deep, and `apart` is used by nobody."""
    files = {
        "swapset/__init__.py": "",
        "swapset/media/__init__.py": "",
        "swapset/media/near.py": "def work():\n    import swapset.deep\n",
        "swapset/deep.py": "from swapset import media\n",
        "swapset/apart.py": "",
        "swapset/config/schema.py": "",
        "scripts/rule.py": "from swapset.media import near\nfrom swapset.config.schema import x\n",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.setattr(module, "__file__", str(tmp_path / "swapset" / "code_hash.py"))
    return tmp_path


def hashed(library):
    module._content.cache_clear()
    module._imported.cache_clear()
    code_hash.cache_clear()
    return code_hash(library / "scripts" / "rule.py")


@pytest.mark.parametrize("name", ["scripts/rule.py", "swapset/media/near.py", "swapset/deep.py"])
def test_a_changed_module_changes_the_hash(library, name):
    before = hashed(library)
    path = library / name
    path.write_text(path.read_text() + "\nvalue = 1\n")
    assert hashed(library) != before


@pytest.mark.parametrize("name", ["swapset/apart.py", "swapset/config/schema.py"])
def test_what_is_not_used_or_comes_as_a_param_does_not(library, name):
    before = hashed(library)
    (library / name).write_text("value = 1\n")
    assert hashed(library) == before


def test_times_and_places_play_no_part(library, tmp_path):
    before = hashed(library)
    for path in library.rglob("*.py"):
        path.touch()
    assert hashed(library) == before


def test_every_script_uses_the_modules_it_names():
    module._imported.cache_clear()
    code_hash.cache_clear()
    root = SCRIPTS.parent
    near = module._imported(SCRIPTS / "train.py", root)
    assert root / "swapset" / "generation" / "training.py" in near  # imported inside a block
    hashes = {path.stem: code_hash(path) for path in SCRIPTS.glob("*.py")}
    assert len(set(hashes.values())) == len(hashes)
    assert all(len(value) == 16 for value in hashes.values())


def test_imports_are_those_that_python_sees():
    root = SCRIPTS.parent
    for path in [*root.glob("swapset/**/*.py"), *SCRIPTS.glob("*.py")]:
        names = set()
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
        names -= module.NOT_FOLLOWED
        files = {root.joinpath(*name.split(".")).with_suffix(".py") for name in names}
        ours = {file for file in files if file.is_relative_to(root / "swapset") and file.is_file()}
        assert module._imported(path, root) == ours, path
