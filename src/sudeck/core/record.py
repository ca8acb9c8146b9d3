"""A frozen result as plain values: every field under its own name, in the order of the class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any


class Record:
    """Base of frozen dataclasses whose plain form is their fields, and nothing else.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True, slots=True)
    ... class Pause(Record):
    ...     duration_s: float
    ...     muscles: tuple[str, ...]
    >>> Pause(0.12, ("FDI", "APB")).to_dict()
    {'duration_s': 0.12, 'muscles': ['FDI', 'APB']}
    """

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values, one a field."""
        return {field.name: plain(getattr(self, field.name)) for field in fields(self)}  # type: ignore[arg-type]


def plain(value: Any) -> Any:
    """Return a value as JSON knows it: results by their own `to_dict`, arrays and tuples as lists."""
    if hasattr(value, "to_dict"):
        return value.to_dict()
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    return value.tolist() if hasattr(value, "tolist") else value
