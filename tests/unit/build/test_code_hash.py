"""A rule's hash changes with the code that its jobs run, and with nothing else."""

from __future__ import annotations

import dis
import re
import shutil
import sys
from collections.abc import Iterator
from functools import cache
from importlib.machinery import PathFinder
from pathlib import Path
from types import CodeType, SimpleNamespace

import pytest
import yaml

from swapset.build import build as facts
from swapset.build import code_hash as module
from swapset.build import code_trees
from swapset.build.code_hash import NOT_FOLLOWED, Code, code_hash
from swapset.build.code_trees import TreeCache
from swapset.build.workflow import Workflow
from swapset.detectors.registry import DETECTORS
from swapset.errors import ConfigError
from swapset.extractors.registry import EXTRACTORS
from swapset.obstruction.attacks.registry import ATTACKS, BREAKER, CLEAN, ROBUST

ROOT = Path(__file__).parents[3]
PLUGINS = {
    name: table.find(name).module
    for table in (DETECTORS, EXTRACTORS, ATTACKS)
    for name in table.built_in
}
"""The module of every detector, extractor and attack."""

# -- a small library, and a package from elsewhere ---------------------------------------------

FILES = {
    "swapset/__init__.py": "",
    "swapset/media/__init__.py": '"""Media."""\n',
    "swapset/media/near.py": "def work():\n    import swapset.deep\n",
    "swapset/deep.py": "from swapset import media\nfrom ._relative import x\n",
    "swapset/_relative.py": "x = 1\n",
    "swapset/typed.py": "",
    "swapset/apart.py": "",
    "swapset/errors.py": "import swapset.apart\n",
    "swapset/loaded.py": "",
    "theirs/__init__.py": "from theirs.setup import y\n",
    "theirs/setup.py": "y = 1\n",
    "theirs/plugins/detector.py": "from ..networks import one\nfrom . import beside\n",
    "theirs/plugins/beside.py": "import swapset.loaded\n",
    "theirs/networks/__init__.py": "",
    "theirs/networks/one.py": "import others\n",
    "theirs/unused.py": "",
    "others.py": "z = 1\n",
    "scripts/rule.py": (
        "from typing import TYPE_CHECKING\n"
        "from swapset.media import near\n"
        "from swapset.errors import x\n"
        "if TYPE_CHECKING:\n    import swapset.typed\n"
    ),
}
SCRIPT = ["scripts/rule.py", "swapset/media/__init__.py", "swapset/media/near.py"]
SCRIPT += ["swapset/deep.py", "swapset/_relative.py"]
PLUGIN = ["theirs/__init__.py", "theirs/setup.py", "theirs/plugins/detector.py"]
PLUGIN += ["theirs/plugins/beside.py", "theirs/networks/__init__.py", "theirs/networks/one.py"]
PLUGIN += ["swapset/loaded.py"]


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which packages are installed, with a script beside them."""
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    install(tmp_path, monkeypatch)
    return tmp_path


def install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let packages be found in a folder and nowhere else."""
    monkeypatch.setattr(module, "find_spec", lambda name: PathFinder.find_spec(name, [str(folder)]))


def hashed(library: Path, *modules: str) -> str:
    trees = TreeCache(library / "cache" / "trees.json")
    return Code(trees).hash(library / "scripts" / "rule.py", modules)


@pytest.mark.parametrize("name", FILES)
def test_a_changed_file_changes_the_hash_of_what_runs_it(library: Path, name: str) -> None:
    before = hashed(library), hashed(library, "theirs.plugins.detector")
    with (library / name).open("a") as stream:
        stream.write("\nvalue = 1\n")
    after = hashed(library), hashed(library, "theirs.plugins.detector")
    assert (before[0] != after[0]) == (name in SCRIPT)
    assert (before[1] != after[1]) == (name in SCRIPT + PLUGIN)


def test_names_of_files_count_and_places_do_not(library: Path, tmp_path: Path) -> None:
    before = hashed(library)
    with pytest.MonkeyPatch.context() as patch:
        elsewhere = tmp_path / "else where"
        shutil.copytree(library / "swapset", elsewhere / "swapset")
        shutil.copytree(library / "scripts", elsewhere / "scripts")
        install(elsewhere, patch)
        assert hashed(elsewhere) == before
    (library / "swapset" / "_renamed.py").write_text("x = 1\n")
    (library / "swapset" / "deep.py").write_text(
        "from swapset import media\nfrom ._renamed import x\n"
    )
    assert hashed(library) != before


def test_a_package_from_elsewhere_is_not_imported(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    monkeypatch.syspath_prepend(library)
    script = library / "scripts" / "rule.py"
    found = {code_hash(script, names) for names in ([], ["theirs.unused"], ["others"])}
    assert len(found) == 3
    assert not {name for name in sys.modules if name.startswith(("theirs", "others"))}


@pytest.mark.parametrize(
    "name", ["nobodys", "nobodys.detector", "theirs.missing", "theirs.unused.deeper", "", ".near"]
)
def test_a_module_that_is_not_there_is_named(library: Path, name: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(repr(name))):
        hashed(library, name)


def test_a_file_that_is_no_python_is_named(library: Path) -> None:
    (library / "theirs" / "unused.py").write_text("def broken(:\n")
    with pytest.raises(ConfigError, match=r"unused\.py.*line 1"):
        hashed(library, "theirs.unused")


def test_a_process_keeps_trees_where_snakemake_keeps_its_records(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(library)
    script = library / "scripts" / "rule.py"
    found = []
    for _ in range(2):
        module._code.cache_clear()
        module._hashed.cache_clear()
        found.append(code_hash(script))
        monkeypatch.setattr(code_trees, "read_tree", None)  # from now on nothing is parsed
    assert found[0] == found[1]
    assert [path.name for path in (library / ".snakemake").iterdir()] == ["swapset_code.json"]


# -- the real library, and all rules -----------------------------------------------------------


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy of the library and the scripts, which the rules of this checkout are asked about."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("swapset", "workflow_scripts"):
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, folder / name, ignore=ignore)
    with pytest.MonkeyPatch.context() as patch:
        install(folder, patch)
        patch.setattr(facts, "SCRIPTS", folder / "workflow_scripts")
        yield folder


@pytest.fixture(scope="module")
def stages() -> Workflow:
    return Workflow(yaml.safe_load((ROOT / "config.yaml").read_text()))


@pytest.fixture(scope="module")
def before(checkout: Path, stages: Workflow) -> dict[tuple[str, str], str]:
    return hashes(checkout, stages)


def choices() -> Iterator[SimpleNamespace]:
    """Yield wildcards in which every detector, extractor and attack is met."""
    first = {"detector": "Meso4", "extractor": "fan", "attack": BREAKER, "source": "fan"}
    first |= {"trained": "Meso4"}
    yield from (
        SimpleNamespace(**{**first, "detector": name, "trained": name}) for name in DETECTORS
    )
    yield from (SimpleNamespace(**{**first, "extractor": name}) for name in EXTRACTORS)
    for attack in ATTACKS:
        sources = [*EXTRACTORS, *(["+".join(EXTRACTORS)] if attack == ROBUST else [])]
        yield from (SimpleNamespace(**{**first, "attack": attack, "source": s}) for s in sources)


def rules() -> dict[str, str]:
    """Return the expression of every rule's `code`."""
    found = {}
    for path in (ROOT / "rules").glob("*.smk"):
        parts = re.split(r"^(?:rule|checkpoint) (\w+):\n", path.read_text(), flags=re.M)
        for name, text in zip(parts[1::2], parts[2::2], strict=True):
            own = re.split(r"^\S", text, maxsplit=1, flags=re.M)[0]
            if code := re.search(r"^        code=(.*?),\n(?=        \w|    \w)", own, re.M | re.S):
                found[name] = code[1]
    return found


RULES = rules()


def hashes(checkout: Path, stages: Workflow) -> dict[tuple[str, str], str]:
    """Return each rule's hash under all choices: what its `code` says in the rule's file."""
    known = {
        "build": stages.build,
        "detection": stages.detection,
        "breaker": stages.breaker,
        "protected": stages.protected,
        "BREAKER": BREAKER,
    }
    code = Code(TreeCache(checkout / "trees.json"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(facts, "code_hash", cache(code.hash))
        found = {}
        for rule, expression in RULES.items():
            value = eval(f"({expression})", dict(known))  # noqa: S307 - from our own files
            for wildcards in choices():
                found[rule, str(wildcards)] = value(wildcards) if callable(value) else value
    return found


def loaded(stages: Workflow, rule: str, w: SimpleNamespace) -> list[str]:
    """Return the detectors, extractors and attacks that a rule's script loads by name."""
    source = w.source.split("+")
    several = ATTACKS.find(w.attack).traits["several"]
    followed = [*source, *(stages.breaker.extractors if several else [])]
    by_rule: dict[str, list[str]] = {
        "fit_detector": [w.detector],
        "score": [w.detector],
        "score_matrix": [w.trained],
        "score_perturbed": [w.detector],
        "train_extractor": [w.extractor],
        "attack": [w.attack, *source],
        "measure_attack": stages.breaker.extractors,
        "sweep": [BREAKER, w.extractor, stages.breaker.reference],
        "landmark_breaker_figures": stages.breaker.extractors,
        "protect_clips": [] if w.attack == CLEAN else [w.attack, *followed],
        "find_landmarks": source,
    }
    return [PLUGINS[name] for name in by_rule.get(rule, [])]


def imported(code: CodeType) -> Iterator[str]:
    """Yield what compiled code imports: found another way than in the hash."""
    name = ""
    for step in dis.get_instructions(code):
        if step.opname == "IMPORT_NAME":
            name = step.argval
            yield name
        elif step.opname == "IMPORT_FROM":
            yield f"{name}.{step.argval}"
    for part in code.co_consts:
        if isinstance(part, CodeType):
            yield from imported(part)


def names_of(path: Path) -> set[str]:
    text = path.read_text().replace("if TYPE_CHECKING:", "if False:")  # compiled to nothing
    return set(imported(compile(text, path, "exec", dont_inherit=True)))


@pytest.fixture(scope="module")
def reach(checkout: Path, stages: Workflow) -> dict[tuple[str, str], set[str]]:
    """The modules that each rule's jobs import, under all choices."""
    files = {
        ".".join(path.relative_to(checkout).with_suffix("").parts): path
        for path in (checkout / "swapset").rglob("*.py")
        if path.name != "__init__.py"
    }
    graph = {name: names_of(path) & files.keys() - NOT_FOLLOWED for name, path in files.items()}

    found: dict[tuple[str, str], set[str]] = {}
    for rule in RULES:
        script = names_of(checkout / "workflow_scripts" / f"{rule}.py") & files.keys()
        for wildcards in choices():
            reached: set[str] = set()
            new = script - NOT_FOLLOWED | {*loaded(stages, rule, wildcards)}
            while new:
                reached |= new
                new = set().union(*(graph[name] for name in new)) - reached
            found[rule, str(wildcards)] = reached
    return found


def some_modules() -> list[str]:
    """Return modules all over the library, all that are loaded by name, and all left out."""
    paths = sorted((ROOT / "swapset").rglob("*.py"))
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in paths]
    own = [name for name in names if not name.endswith("__init__")]
    return sorted({*own[::12], *PLUGINS.values(), *NOT_FOLLOWED})


def test_every_rule_with_a_code_param_is_asked() -> None:
    text = "".join(path.read_text() for path in (ROOT / "rules").glob("*.smk"))
    assert len(RULES) == len(re.findall(r"\bcode=", text))
    assert len(RULES) == len(list((ROOT / "workflow_scripts").glob("*.py"))) - 1  # fetch has none


def test_scripts_have_hashes_of_their_own(before: dict[tuple[str, str], str]) -> None:
    assert all(re.fullmatch(r"[0-9a-f]{16}", value) for value in before.values())
    by_rule = {rule: {v for (r, _), v in before.items() if r == rule} for rule in RULES}
    assert sum(map(len, by_rule.values())) == len(set().union(*by_rule.values()))


def test_what_runs_nothing_changes_no_rule(
    checkout: Path, stages: Workflow, before: dict[tuple[str, str], str]
) -> None:
    added = '''
# A comment.
"""A text that nobody reads."""
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    from swapset.generation import autoencoder
    from swapset.cli import main
'''
    texts = {path: path.read_text() for path in checkout.rglob("*.py")}
    for path, text in texts.items():
        path.write_text(re.sub(r'^( *)"""(?=[A-Z])', r'\1"""Otherwise: ', text, flags=re.M) + added)
    after = hashes(checkout, stages)
    for path, text in texts.items():
        path.write_text(text)
    assert len(texts) > 200
    assert after == before


@pytest.mark.parametrize("name", some_modules())
def test_a_changed_expression_changes_the_rules_that_reach_it(
    checkout: Path,
    stages: Workflow,
    before: dict[tuple[str, str], str],
    reach: dict[tuple[str, str], set[str]],
    name: str,
) -> None:
    path = checkout.joinpath(*name.split(".")).with_suffix(".py")
    text = path.read_text()
    path.write_text(f"{text}\n\n_CHANGED = 1 + 1\n")
    after = hashes(checkout, stages)
    path.write_text(text)
    changed = {key for key in before if before[key] != after[key]}
    assert changed == {key for key, names in reach.items() if name in names}


def test_networks_of_fakes_are_no_part_of_what_only_looks_at_fakes(
    reach: dict[tuple[str, str], set[str]],
) -> None:
    users = {
        rule for (rule, _), names in reach.items() if "swapset.generation.autoencoder" in names
    }
    assert {"train", "synthesise", "measure_attack"} <= users
    assert not {"find_faces", "measure", "dataset"} & users
