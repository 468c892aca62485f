"""Docstrings: numpydoc's Parameters, shapes and dtypes of arrays, and a plain beginning."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from types import FunctionType
from typing import NamedTuple

import pytest
from numpydoc.validate import validate

from swapset.config.text import ROOT

ENOUGH = 3
"""Arguments from which on a Parameters section is asked for."""
WRONG = ("PR01", "PR02", "PR03", "PR05", "PR06")
"""numpydoc's checks: all parameters documented, no others, in order, with the names of types."""
ARRAYS = re.compile(
    r"\b(?:Image|Frames|Bytes|Mask|Points|Floats|Floats32|Ints|Scores|Labels|NDArray|ndarray"
    r"|ArrayLike|Tensor)\b"
)
NAMED = re.compile(r"\b(?:dict|Mapping|MutableMapping|OrderedDict)\[str, [^]]*\]*")
"""Arrays by name, such as a network's weights: each has a shape of its own."""
_SIDE = r"(?:\.\.\.|[\w/*+ -]{1,24})"
SHAPE = re.compile(rf"\((?:{_SIDE},\s*)+(?:{_SIDE})?\)|\bscalar\b|\b0-d\b")
DTYPE = re.compile(r"\b(?:u?int(?:8|16|32|64)?|b?float(?:16|32|64)?|floating|bool|integers?)\b")
RIDDLE = re.compile(r"(?:How|What|Whether|Which|Who|Whose|Where|When|Why|That)\b", re.I)


class Public(NamedTuple):
    """A public function or class, where it is and what says what it takes."""

    name: str
    value: FunctionType | type
    function: FunctionType
    text: str
    """The docstrings that count: of the function, of its class, of the same method of a base."""

    @property
    def arguments(self) -> list[inspect.Parameter]:
        found = inspect.signature(self.function).parameters.values()
        return [each for each in found if each.name not in ("self", "cls", "_", "__")]


def modules() -> Iterator[str]:
    for path in sorted((ROOT / "swapset").rglob("*.py")):
        names = path.relative_to(ROOT).with_suffix("").parts
        if not any(name.startswith("_") for name in names):
            yield ".".join(names)


def public() -> Iterator[Public]:
    """Yield all public functions, methods and classes with a constructor of their own."""
    for module_name in modules():
        module = importlib.import_module(module_name)
        for name, value in vars(module).items():
            if name.startswith("_") or getattr(value, "__module__", "") != module_name:
                continue
            if isinstance(value, FunctionType):
                yield Public(f"{module_name}.{name}", value, value, value.__doc__ or "")
            elif isinstance(value, type):
                yield from methods(f"{module_name}.{name}", value)


def methods(path: str, owner: type) -> Iterator[Public]:
    about = owner.__doc__ or ""
    if isinstance(vars(owner).get("__init__"), FunctionType) and "@dataclass" not in about:
        source = inspect.unwrap(vars(owner)["__init__"])
        if source.__code__.co_filename != "<string>":  # a dataclass names its fields as Attributes
            yield Public(path, owner, source, about)
    for name, value in vars(owner).items():
        function = value.__func__ if isinstance(value, classmethod | staticmethod) else value
        if not isinstance(function, FunctionType) or (name.startswith("_") and name != "__call__"):
            continue
        if function.__code__.co_filename == "<string>":
            continue
        above = [vars(base).get(name) for base in owner.__mro__[1:]]
        inherited = [each.__doc__ or "" for each in above if isinstance(each, FunctionType)]
        text = "\n".join([function.__doc__ or "", *inherited])
        if name in ("forward", "__call__"):
            text += about
        yield Public(f"{path}.{name}", function, function, text)


PUBLIC = list(public())


def test_there_is_something_to_look_at() -> None:
    assert len(PUBLIC) > 700


def test_three_arguments_or_more_have_a_parameters_section() -> None:
    lacking = [
        each.name
        for each in PUBLIC
        if len(each.arguments) >= ENOUGH and not re.search(r"Parameters\n\s+-+\n", each.text)
    ]
    assert not lacking, "\n".join([f"{len(lacking)} lack one:", *lacking])


def test_parameters_that_are_documented_are_the_functions() -> None:
    wrong = []
    for each in PUBLIC:
        if re.search(r"Parameters\n\s+-+\n", each.value.__doc__ or ""):
            errors = validate(each.name)["errors"]
            wrong += [f"{each.name}: {text}" for code, text in errors if code in WRONG]
    assert not wrong, "\n".join([f"{len(wrong)} are wrong:", *wrong])


def takes_arrays(each: Public) -> bool:
    notes = [str(argument.annotation) for argument in each.arguments]
    notes.append(str(inspect.signature(each.function).return_annotation))
    return any(ARRAYS.search(NAMED.sub("", note)) for note in notes)


def test_arrays_have_shapes() -> None:
    lacking = [each.name for each in PUBLIC if takes_arrays(each) and not SHAPE.search(each.text)]
    assert not lacking, "\n".join([f"{len(lacking)} lack one:", *lacking])


def test_arrays_have_dtypes() -> None:
    lacking = [each.name for each in PUBLIC if takes_arrays(each) and not DTYPE.search(each.text)]
    assert not lacking, "\n".join([f"{len(lacking)} lack one:", *lacking])


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("(n,) float64", True),
        ("of (B, 3, H, W)", True),
        ("(..., 68, 2)", True),
        ("(H/2, W/2)", True),
        ("a number", False),
        ("(see above)", False),
    ],
)
def test_a_shape_is_told_from_prose(text: str, is_one: bool) -> None:
    assert bool(SHAPE.search(text)) == is_one


def texts(source: str) -> Iterator[str]:
    """Yield the docstrings of a file: bare texts, also those below names."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Expr(value=ast.Constant(value=str(text))):
                yield text


@pytest.mark.parametrize("folder", ["swapset", "workflow_scripts", "benchmarks", "envs", "tests"])
def test_docstrings_begin_with_a_noun_phrase_or_a_verb(folder: str) -> None:
    riddles = [
        f"{path.relative_to(ROOT)}: {text.splitlines()[0]}"
        for path in sorted((ROOT / folder).rglob("*.py"))
        for text in texts(path.read_text(encoding="utf-8"))
        if RIDDLE.match(text.strip())
    ]
    assert not riddles, "\n".join([f"{len(riddles)} begin otherwise:", *riddles])


def test_a_riddle_is_seen() -> None:
    found = texts('"""What is left."""\nX = 1\n"""Side of a crop."""')
    assert [bool(RIDDLE.match(text)) for text in found] == [True, False]
