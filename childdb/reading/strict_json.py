"""JSON read strictly: no repeated keys, no NaN, no deep nesting, numbers kept as the text they were written in."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

_DEEPEST = 50
_TOKENS = re.compile(r'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', re.S)


class StrictJsonError(ValueError):
    """JSON that is refused; ``problem`` says why without a value."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


def parse_strict(text: str) -> Any:
    """Return a JSON value; every number is text, so that no digit of an identifier is lost.

    >>> parse_strict('{"id": 9007199254740993, "ok": true}')
    {'id': '9007199254740993', 'ok': True}
    """
    if _depth(text) > _DEEPEST:
        raise StrictJsonError("nesting")
    try:
        return json.loads(
            text,
            object_pairs_hook=_unique,
            parse_int=str,
            parse_float=_finite,
            parse_constant=_refuse_constant,
        )
    except (json.JSONDecodeError, RecursionError):
        raise StrictJsonError("syntax") from None


def _depth(text: str) -> int:
    depth = deepest = 0
    for token in _TOKENS.finditer(text):
        letter = token[0][0]
        if letter in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif letter in "]}":
            depth -= 1
    return deepest


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise StrictJsonError("repeated key")
    return found


def _finite(text: str) -> str:
    if float(text) in (float("inf"), float("-inf")):
        raise StrictJsonError("number out of range")
    return text


def _refuse_constant(_: str) -> NoReturn:
    raise StrictJsonError("NaN or Infinity")
