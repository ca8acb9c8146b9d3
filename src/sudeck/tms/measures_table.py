"""One table of every estimate, a row each, as `sudeck.mechanism` and statistics programs read it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from sudeck.core.errors import InputError
from sudeck.core.missing import is_missing
from sudeck.core.vocabulary import SIDES, Side, pain_side_hemisphere
from sudeck.tms.measures.measured import Measured
from sudeck.tms.signals.table_text import read_table_file

if TYPE_CHECKING:
    from pathlib import Path

MEASURES_NAME: Final = "measures.tsv"
MEASURE_COLUMNS: Final[dict[str, str]] = {
    "participant_id": "The person; the file where nothing says who it is",
    "visit": "Visit",
    "hemisphere": "pain or other where the affected side is known, else left or right as stimulated",
    "measure": "Measure; with interval, intensity, muscle or channel where one person has several of it",
    "value": "Estimate",
    "low": "Lower end of its interval",
    "high": "Upper end of its interval",
    "level": "Coverage of the interval",
    "log_se": "Standard error of the natural logarithm, where the measure is one of a logarithm",
    "unit": "Unit; none for a ratio",
    "n": "How much data it rests on",
    "n_unit": "What n counts",
    "side": "Stimulated hemisphere, left or right",
    "muscle": "Recorded muscle",
    "muscle_side": "Side of the body of the muscle",
    "isi_ms": "Interval from conditioning to test pulse, in milliseconds",
    "intensity": "Intensity of the test pulse",
    "conditioning": "Intensity of the conditioning pulse",
    "channel": "Channel, where the rest does not tell a measure from another",
    "file": "Recording, where the rest does not tell a measure from another",
}
# What is added to the name of a measure, in this order, until no two rows have one name.
_STATED_BY: Final[tuple[Callable[[Measured], str], ...]] = (
    lambda one: f"{one.isi_ms:g}" if one.isi_ms is not None else one.intensity,
    lambda one: one.conditioning,
    lambda one: "ipsilateral" if one.hemisphere and one.hemisphere == one.muscle_side else "",
    lambda one: " ".join(filter(None, (one.muscle_side, one.muscle))),
    lambda one: one.channel,
    lambda one: one.intensity,
    lambda one: one.file,
)


def measures_rows(
    estimates: Sequence[Measured], *, affected: Mapping[str, Side] | None = None
) -> list[dict[str, Any]]:
    """Return a row for each estimate, each under a name of its own.

    Parameters
    ----------
    estimates : sequence of Measured
    affected : Mapping of str to {"left", "right"}, optional
        Affected side of the body of each person.
    """
    names = _names(estimates)
    rows = []
    for one, name in zip(estimates, names, strict=True):
        plain = one.to_dict()
        se = one.estimate.se if one.estimate.scale == "log" else None
        given = {key: plain[key] for key in MEASURE_COLUMNS if key in plain}
        rows.append(
            given
            | {
                "participant_id": _person(one),
                "hemisphere": _relative(one, affected or {}),
                "measure": name,
                "log_se": se,
                "side": one.hemisphere,
            }
        )
    return rows


def read_affected(path: Path) -> dict[str, Side]:
    """Read the affected side of each person from a participants.tsv.

    Raises
    ------
    InputError
        If it has no such columns, or a side is neither left nor right.
    """
    records = read_table_file(path)
    if not records or not {"participant_id", "affected_side"} <= set(records[0]):
        raise InputError(
            path.name, "it has no columns participant_id and affected_side", "give a participants.tsv"
        )
    found: dict[str, Side] = {}
    for record in records:
        word = record["affected_side"].strip().lower()
        side: Side | None = next((one for one in SIDES if one == word), None)
        if side is not None:
            found[record["participant_id"]] = side
        elif not is_missing(word):
            raise InputError(path.name, f"{word!r} is no side", "write left or right")
    return found


def _relative(one: Measured, affected: Mapping[str, Side]) -> str | None:
    side = affected.get(one.participant)
    if side is None or one.hemisphere is None:
        return one.hemisphere
    return "pain" if one.hemisphere == pain_side_hemisphere(side) else "other"


def _person(one: Measured) -> str:
    return one.participant or one.file or "n/a"


def _names(estimates: Sequence[Measured]) -> list[str]:
    """Return a name for each estimate; all of one measure are told apart in the same way."""
    own: dict[str, list[int]] = {}
    for index, one in enumerate(estimates):
        own.setdefault(one.measure, []).append(index)
    names = [one.measure for one in estimates]
    for rows in own.values():
        for given_by in _STATED_BY:
            if _unlike((estimates[i], names[i]) for i in rows):
                break
            for i in rows:
                names[i] = "_".join(filter(None, (names[i], given_by(estimates[i]))))
    return names


def _unlike(named: Iterable[tuple[Measured, str]]) -> bool:
    keys = Counter((_person(one), one.visit, one.hemisphere, name) for one, name in named)
    return max(keys.values()) == 1
