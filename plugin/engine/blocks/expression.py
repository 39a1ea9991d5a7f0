"""Expressions over bands, such as `(nir - red) / (nir + red)`: read by a small grammar of our own, never executed.

Python's parser makes the tree; only numbers, band names, + - * / **, comparisons and a few functions are taken from it.
"""

from __future__ import annotations

import ast
import math
from dataclasses import dataclass
from typing import Any, Callable, Mapping, Optional

from .base import BlockFailure
from .parameter_readers import wrong

MAX_LENGTH = 500
FUNCTIONS = {"abs": 1, "sqrt": 1, "log": 1, "exp": 1, "min": 2, "max": 2}  # name -> arguments
Values = Mapping[str, Any]  # band word -> numpy array
Step = Callable[[Values], Any]


@dataclass(frozen=True)
class Expression:
    """`words` are the bands that it names, in lower case; `compute` gives its values from theirs (numpy arrays).

    Where there is no number (a division by zero, the root of a negative) the result is not finite.
    """

    text: str
    words: tuple[str, ...]
    compute: Step


@dataclass(frozen=True)
class Formula:
    """What is computed: name of the band it becomes, and the range that rounding must not leave."""

    name: str
    expression: Expression
    limits: Optional[tuple[float, float]]


def read_expression(text: str) -> Expression:
    """Raises BlockFailure with what is wrong, where, and what may be used."""
    if len(text) > MAX_LENGTH:
        raise wrong(f"expression has {len(text)} characters, but at most {MAX_LENGTH} are read.")
    try:
        tree = ast.parse(text, mode="eval").body
        reader = _Reader(text)
        compute = reader.step(tree)
    except SyntaxError as e:
        raise wrong(f"expression can't be read at character {e.offset or 1}: {text}") from e
    except (RecursionError, MemoryError, ValueError) as e:
        raise wrong("expression is nested too deeply: make it simpler.") from e
    if not reader.words:
        raise wrong(f"expression names no band: {text}")
    return Expression(text, tuple(reader.words), compute)


class _Reader:
    def __init__(self, text: str):
        self._text = text
        self.words: list[str] = []

    def step(self, node: ast.AST) -> Step:
        """What a part of the tree does. Raises BlockFailure for what the grammar has not."""
        if isinstance(node, ast.Constant):
            return self._number(node)
        if isinstance(node, ast.Name):
            return self._band(node)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
            inner, sign = self.step(node.operand), -1.0 if isinstance(node.op, ast.USub) else 1.0
            return lambda values: sign * inner(values)
        if isinstance(node, ast.BinOp):
            return self._pair(node, type(node.op).__name__, node.left, node.right)
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            return self._pair(node, type(node.ops[0]).__name__, node.left, node.comparators[0])
        if isinstance(node, ast.Call):
            return self._call(node)
        raise self._unknown(node)

    def _number(self, node: ast.Constant) -> Step:
        if isinstance(node.value, bool) or not isinstance(node.value, (int, float)):
            raise self._unknown(node)
        try:
            number = float(node.value)
        except OverflowError:
            raise self._unknown(node) from None
        if not math.isfinite(number):
            raise self._unknown(node)
        return lambda values: number

    def _band(self, node: ast.Name) -> Step:
        word = node.id.lower()
        if word in FUNCTIONS:
            raise self._unknown(node)
        if word not in self.words:
            self.words.append(word)
        return lambda values: values[word]

    def _pair(self, node: ast.AST, kind: str, left: ast.AST, right: ast.AST) -> Step:
        if kind not in _PAIRS:
            raise self._unknown(node)
        first, second = self.step(left), self.step(right)
        return lambda values: _apply(kind, first(values), second(values))

    def _call(self, node: ast.Call) -> Step:
        name = node.func.id.lower() if isinstance(node.func, ast.Name) else ""
        if node.keywords or FUNCTIONS.get(name) != len(node.args):
            raise self._unknown(node)
        steps = [self.step(argument) for argument in node.args]
        return lambda values: _apply(name, *(step(values) for step in steps))

    def _unknown(self, node: ast.AST) -> BlockFailure:
        place = getattr(node, "col_offset", 0)
        part = ast.get_source_segment(self._text, node) or self._text
        return wrong(
            f"expression has {part[:40]} at character {place + 1}, which is not understood. Bands, numbers, + - * / "
            f"**, comparisons, parentheses and {', '.join(FUNCTIONS)} may be used."
        )


_PAIRS = {
    "Add": "add", "Sub": "subtract", "Mult": "multiply", "Div": "divide", "Pow": "power",
    "Lt": "less", "LtE": "less_equal", "Gt": "greater", "GtE": "greater_equal", "Eq": "equal", "NotEq": "not_equal",
}  # fmt: skip
_NAMES = {**_PAIRS, "abs": "abs", "sqrt": "sqrt", "log": "log", "exp": "exp", "min": "minimum", "max": "maximum"}


def _apply(kind: str, *arguments: Any) -> Any:
    import numpy as np  # not when the engine starts: blocks load it when they run

    with np.errstate(all="ignore"):
        return np.asarray(getattr(np, _NAMES[kind])(*arguments), dtype=np.result_type(np.float32, *arguments))
