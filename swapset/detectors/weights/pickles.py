"""Read pickles of scikit-learn models as data: nothing that a file names is imported or called.

A small machine follows the instructions of a pickle. It knows plain values, numpy's arrays of
numbers, and a fixed list of classes, which it replaces by `Inert` objects with the same attributes.
Any other name in a file, and any instruction that could call something, stops the reading. It also
reads joblib's files, which keep arrays between the instructions.
"""

from __future__ import annotations

import io
import pickletools
import re
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from swapset.detectors.weights.pickled_arrays import Budget, Inert, Kind, Name, Refused, Stored
from swapset.detectors.weights.pickled_names import MAKERS, is_class, is_known
from swapset.errors import DataError

LIMIT = 32 << 20
"""Largest file in bytes; also the largest size in bytes of all arrays in a file."""

_MARK = Name("", "mark")
_INSTRUCTIONS = {instruction.code: instruction for instruction in pickletools.opcodes}
_PUSHED = frozenset(
    ("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT")
    + ("UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8")
    + ("BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8")
)
_PYTHON2_TEXT = frozenset(("STRING", "BINSTRING", "SHORT_BINSTRING"))
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_SKIPPED = frozenset(("PROTO", "FRAME"))
_ESCAPE = re.compile(r"\\(x[0-9a-f]{2}|.?)", re.DOTALL)
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", "'": "'", '"': '"'}
_DAMAGE = (ValueError, TypeError, IndexError, KeyError, EOFError, OverflowError, struct.error)


@dataclass(frozen=True)
class Pickled:
    """Content of a pickle.

    Attributes
    ----------
    value : object
        Plain values, `Stored` arrays and `Inert` objects.
    python2 : bool
        Whether Python 2 wrote it.
    """

    value: Any
    python2: bool


def read_pickle(path: Path) -> Pickled:
    """Read a pickle of models as plain data.

    Raises
    ------
    DataError
        If the file is missing, too large or damaged, or contains anything but the models that the
        detectors' authors publish; the message names the refused part.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(LIMIT + 1)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    if len(data) > LIMIT:
        raise DataError(f"{path}: is larger than {LIMIT >> 20} MB; no published model is")
    machine = _Machine(data)
    try:
        value = machine.run()
    except Refused as error:
        raise DataError(
            f"{path}: refused, as it asks for {error}, which no published model needs; no code in "
            "it was run"
        ) from error
    except _DAMAGE as error:
        raise DataError(
            f"{path}: is not a pickle of a scikit-learn model, or damaged at byte {machine.place}"
        ) from error
    return Pickled(value, machine.python2)


class _Machine:
    """Follows a pickle's instructions on a stack of data."""

    def __init__(self, data: bytes):
        self._stream = io.BytesIO(data)
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}
        self._budget = Budget(LIMIT)
        self.python2 = False

    @property
    def place(self) -> int:
        """Current position in the file, in bytes."""
        return self._stream.tell()

    def run(self) -> Any:
        """Return the value at the end of the instructions."""
        while True:
            code = self._stream.read(1).decode("latin-1")
            instruction = _INSTRUCTIONS[code]
            if instruction.name == "STOP":
                return self._pop()
            self._follow(instruction)

    def _follow(self, instruction: pickletools.OpcodeInfo) -> None:
        name = instruction.name
        argument = None
        if name == "STRING":
            argument = _quoted(self._stream.readline())
        elif instruction.arg is not None:
            argument = instruction.arg.reader(self._stream)
        if name in _PUSHED or name in _PYTHON2_TEXT:
            self.python2 |= name in _PYTHON2_TEXT
            self._stack.append(argument)
        elif name in _CONSTANTS:
            self._stack.append(_CONSTANTS[name])
        elif name in _ACTIONS:
            _ACTIONS[name](self, argument)
        elif name not in _SKIPPED:
            raise Refused(f"the instruction {name}")

    # -- the stack -----------------------------------------------------------------------------

    def _pop(self) -> Any:
        value = self._stack.pop()
        if value is _MARK:
            raise ValueError("a mark where a value belongs")
        return value

    def _pop_several(self, count: int) -> tuple[Any, ...]:
        values = [self._pop() for _ in range(count)]
        return tuple(reversed(values))

    def _pop_to_mark(self, _: Any = None) -> list[Any]:
        values = []
        while (value := self._stack.pop()) is not _MARK:
            values.append(value)
        return values[::-1]

    def _push(self, make: Callable[[], Any]) -> None:
        self._stack.append(make())

    def _top(self, kind: type) -> Any:
        if not isinstance(self._stack[-1], kind):
            raise TypeError(f"no {kind.__name__} to change")
        return self._stack[-1]

    def _remember(self, number: int | None) -> None:
        self._memo[len(self._memo) if number is None else number] = self._stack[-1]

    # -- containers ----------------------------------------------------------------------------

    def _append(self, _: Any) -> None:
        value = self._pop()
        self._top(list).append(value)

    def _extend(self, _: Any) -> None:
        values = self._pop_to_mark()
        self._top(list).extend(values)

    def _set_item(self, _: Any) -> None:
        items = self._pop_several(2)
        self._top(dict).update(_pairs(items))

    def _set_items(self, _: Any) -> None:
        values = self._pop_to_mark()
        self._top(dict).update(_pairs(values))

    def _make_dict(self, _: Any) -> None:
        self._stack.append(_pairs(self._pop_to_mark()))

    # -- names and objects ---------------------------------------------------------------------

    def _name(self, pair: str) -> None:
        module, _, name = pair.partition(" ")
        self._look_up(module, name)

    def _name_from_stack(self, _: Any) -> None:
        module, name = self._pop_several(2)
        self._look_up(module, name)

    def _look_up(self, module: Any, name: Any) -> None:
        if not isinstance(module, str) or not isinstance(name, str):
            raise TypeError("a name that is not a text")
        asked = Name(module, name)
        if not is_known(asked):
            raise Refused(str(asked))
        self._stack.append(asked)

    def _make(self, _: Any) -> None:
        called, arguments = self._pop_several(2)
        if not isinstance(called, Name) or not isinstance(arguments, tuple):
            raise Refused(f"a call of something that is a {type(called).__name__}")
        if is_class(called):
            self._stack.append(Inert(called))
        elif called in MAKERS:
            self._stack.append(MAKERS[called](self._budget, *arguments))
        else:
            raise Refused(f"a call of {called}")

    def _build(self, _: Any) -> None:
        state = self._pop()
        top = self._stack[-1]
        if isinstance(top, Kind):
            top.build(state)
        elif isinstance(top, Stored):
            top.build(self._budget, state)
        elif isinstance(top, Inert):
            top.build(state)
            if top.name.name == "NumpyArrayWrapper":
                self._stack[-1] = self._array_between(top)
        else:
            raise Refused(f"a change of something that is a {type(top).__name__}")

    def _array_between(self, wrapper: Inert) -> Stored:
        """Read the bytes of an array, which joblib writes after the array's description."""
        description = wrapper.attributes
        shape, kind = tuple(description["shape"]), description["dtype"]
        if not isinstance(kind, Kind):
            raise TypeError("an array without a type")
        if description.get("numpy_array_alignment_bytes") is not None:
            self._stream.read(self._stream.read(1)[0])
        data = self._stream.read(kind.size_of(shape))
        stored = Stored()
        stored.build(self._budget, (1, shape, kind, description["order"] == "F", data))
        return stored


def _pairs(values: Sequence[Any]) -> dict[str | int, Any]:
    """Return alternating keys and values as a dictionary.

    Keys other than texts and numbers stop the reading: a hostile file may nest keys so deeply
    that hashing them crashes the interpreter.
    """
    if not all(isinstance(key, str | int) for key in values[::2]):
        raise TypeError("a key that is neither text nor number")
    return dict(zip(values[::2], values[1::2], strict=True))


def _quoted(line: bytes) -> str:
    """Return the text of Python 2 in a line with quotes and escapes."""
    text = line.rstrip(b"\n")
    if len(text) < 2 or text[:1] not in (b"'", b'"') or text[:1] != text[-1:]:
        raise ValueError("a text without quotes")
    return _ESCAPE.sub(_unescaped, text[1:-1].decode("latin-1"))


def _unescaped(escape: re.Match[str]) -> str:
    code = escape[1]
    return chr(int(code[1:], 16)) if len(code) == 3 else _ESCAPED[code]


_ACTIONS: dict[str, Callable[[_Machine, Any], Any]] = {
    "MARK": lambda machine, _: machine._push(lambda: _MARK),
    "POP": lambda machine, _: machine._stack.pop(),
    "POP_MARK": _Machine._pop_to_mark,
    "DUP": lambda machine, _: machine._push(lambda: machine._stack[-1]),
    "PUT": _Machine._remember,
    "BINPUT": _Machine._remember,
    "LONG_BINPUT": _Machine._remember,
    "MEMOIZE": _Machine._remember,
    "GET": lambda machine, number: machine._push(lambda: machine._memo[number]),
    "BINGET": lambda machine, number: machine._push(lambda: machine._memo[number]),
    "LONG_BINGET": lambda machine, number: machine._push(lambda: machine._memo[number]),
    "EMPTY_LIST": lambda machine, _: machine._push(list),
    "EMPTY_DICT": lambda machine, _: machine._push(dict),
    "EMPTY_TUPLE": lambda machine, _: machine._push(tuple),
    "LIST": lambda machine, _: machine._push(machine._pop_to_mark),
    "TUPLE": lambda machine, _: machine._push(lambda: tuple(machine._pop_to_mark())),
    "TUPLE1": lambda machine, _: machine._push(lambda: machine._pop_several(1)),
    "TUPLE2": lambda machine, _: machine._push(lambda: machine._pop_several(2)),
    "TUPLE3": lambda machine, _: machine._push(lambda: machine._pop_several(3)),
    "DICT": _Machine._make_dict,
    "APPEND": _Machine._append,
    "APPENDS": _Machine._extend,
    "SETITEM": _Machine._set_item,
    "SETITEMS": _Machine._set_items,
    "GLOBAL": _Machine._name,
    "STACK_GLOBAL": _Machine._name_from_stack,
    "REDUCE": _Machine._make,
    "NEWOBJ": _Machine._make,
    "BUILD": _Machine._build,
}
