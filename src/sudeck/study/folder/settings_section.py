"""One section of ``sudeck.toml``, read with the type and range that each entry must have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from sudeck.core.errors import InputError
from sudeck.study.folder.layout import SETTINGS_FILE

_LARGEST: Final = 1e300


class SettingsSection:
    """Typed, checked access to one section of the file."""

    def __init__(self, content: Mapping[str, Any], name: str, known: tuple[str, ...]) -> None:
        self.name = name
        self.content = content.get(name, {})
        if not isinstance(self.content, Mapping):
            raise InputError(SETTINGS_FILE, f"{name} is not a section", f"write it as [{name}]")
        for key in self.content:
            if key not in known:
                raise self.refusal(key, "is not known", f"use {', '.join(known)}")

    def refusal(self, key: str, problem: str, remedy: str) -> InputError:
        """Return the error that names this section."""
        return InputError(f"{SETTINGS_FILE} [{self.name}]", f"{key} {problem}", remedy)

    def get(self, key: str, default: Any) -> Any:
        """Return an entry as it is."""
        return self.content.get(key, default)

    def text(self, key: str, default: str) -> str:
        """Return a text that is not blank."""
        value = self.get(key, default)
        if not isinstance(value, str) or (key in self.content and not value.strip()):
            raise self.refusal(key, "is not a text", f'write it in quotes, e.g. {key} = "{default or "..."}"')
        return value.strip()

    def yes_no(self, key: str, default: bool) -> bool:
        """Return true or false."""
        value = self.get(key, default)
        if not isinstance(value, bool):
            raise self.refusal(key, "is neither true nor false", "write true or false")
        return value

    def texts(self, key: str, default: tuple[str, ...]) -> tuple[str, ...]:
        """Return a list of texts."""
        value = self.get(key, list(default))
        if not isinstance(value, list) or not all(isinstance(item, str) and item.strip() for item in value):
            raise self.refusal(key, "is not a list of texts", f'write it as {key} = ["...", "..."]')
        return tuple(item.strip() for item in value)

    def choice(self, key: str, default: Any, allowed: tuple[str, ...]) -> Any:
        """Return a text that is one of a few."""
        value = self.text(key, default)
        if value not in allowed:
            raise self.refusal(key, f'can not be "{value}"', f"use {', '.join(allowed)}")
        return value

    def number(
        self,
        key: str,
        default: Any,
        *,
        low: float,
        high: float,
        open_low: bool = False,
        open_high: bool = False,
    ) -> Any:
        """Return a number in a range; an open end does not belong to it."""
        if key not in self.content:
            return default
        value = self.content[key]
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.refusal(key, "is not a number", f"write a number from {low:g} to {high:g}")
        if abs(value) > _LARGEST:  # TOML knows whole numbers of any length
            raise self.refusal(key, "is too large", f"write a number from {low:g} to {high:g}")
        above: Callable[[float], bool] = (lambda x: x > low) if open_low else (lambda x: x >= low)
        below: Callable[[float], bool] = (lambda x: x < high) if open_high else (lambda x: x <= high)
        if not (above(value) and below(value)):
            raise self.refusal(key, f"is {value:g}", f"write a number from {low:g} to {high:g}")
        return float(value)

    def span(self, key: str, default: tuple[float, float] | None) -> tuple[float, float]:
        """Return a lower and an upper end."""
        if key not in self.content and default is not None:
            return default
        value = self.content.get(key)
        numbers = isinstance(value, list) and all(
            isinstance(item, int | float)
            and not isinstance(item, bool)
            and (abs(item) <= _LARGEST or item == float("inf"))
            for item in value
        )
        if not numbers or not isinstance(value, list) or len(value) != 2 or not 0 <= value[0] <= value[1]:
            raise self.refusal(key, "is not a lower and an upper end", f"write it as {key} = [1.0, 6.0]")
        return float(value[0]), float(value[1])
