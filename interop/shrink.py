"""Smaller variants of a value, for finding the smallest session that still fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from markupsafe import Markup

Case = TypeVar("Case")


def least(case: Case, smaller: Callable[[Case], Iterator[Case]], fails: Callable[[Case], bool], tries: int = 2000) -> Case:
    """Return the smallest failing case that can be reached through smaller cases."""
    budget = iter(range(tries))
    while (better := next((each for each in smaller(case) if next(budget, None) is not None and fails(each)), None)) is not None:
        case = better
    return case


def smaller_session(session: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield smaller sessions, none of them empty."""
    for variant in _smaller_dict(session):
        if variant:
            yield variant


def smaller_value(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from value.values()
        yield from _smaller_dict(value)
    elif isinstance(value, list | tuple):
        yield from value
        yield from (type(value)(items) for items in _smaller_list(list(value)))
    elif isinstance(value, str | bytes) and value:
        yield from _smaller_text(value)
    elif type(value) is int and abs(value) > 1:
        yield from (0, value // 2, value // 10)
    elif value is not None and not isinstance(value, str | bytes):
        yield None


def _smaller_dict(value: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for key in value:
        yield {other: item for other, item in value.items() if other != key}
    for key, item in value.items():
        for less in smaller_value(item):
            yield value | {key: less}
        for shorter in _smaller_text(key):
            yield {shorter if other == key else other: each for other, each in value.items()}


def _smaller_list(items: list[Any]) -> Iterator[list[Any]]:
    for index in range(len(items)):
        yield items[:index] + items[index + 1 :]
    for index, item in enumerate(items):
        for less in smaller_value(item):
            yield [*items[:index], less, *items[index + 1 :]]


def _smaller_text(text: Any) -> Iterator[Any]:
    """Yield halves, then the text without one character; the type of text stays."""
    kind = Markup if isinstance(text, Markup) else type(text)
    if len(text) > 3:
        yield kind(text[: len(text) // 2])
        yield kind(text[len(text) // 2 :])
    if len(text) <= 24:
        for index in range(len(text)):
            yield kind(text[:index] + text[index + 1 :])
