"""Which columns of a table hold amplitudes: one, one a muscle, or one a condition."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from sudeck.core.missing import is_missing
from sudeck.core.vocabulary import Side
from sudeck.tms.signals.events import knows_column
from sudeck.tms.signals.muscles import muscle_and_side
from sudeck.tms.signals.units import voltage_unit

# Headings of a column of amplitudes, once lower-cased, stripped of unit and punctuation; best first.
_AMPLITUDE: Final = (
    "mep_pp", "mep_amplitude", "mep_amp", "mep_p2p", "peak_to_peak", "peak_to_peak_amplitude", "amplitude_pp",
    "p2p", "ptp", "pp", "amplitude", "amp", "raw_mep", "mep", "mep_size", "motor_response",
    "amplitude_pem", "pem", "amplitud_pem",
)  # fmt: skip
_LOOKS_LIKE: Final = re.compile(r"mep.*(amp|pp|p2p)|(amp|pp).*mep|^pp_")
_OF_MUSCLE: Final = re.compile(r"amp|mep|pem|p2p|ptp|peak", re.IGNORECASE)
# Headings of a table with one column a condition: ``test``, ``SICI 2.5 ms``, ``ICF_mV``.
_CONDITION: Final = re.compile(
    r"(?P<name>single( pulse)?|test( pulse)?( alone)?|ts|unconditioned|baseline|sici|icf|lici|sicf|ihi|sai)"
    r"\W*(?P<isi>\d+([.,]\d+)?)?\s*(ms)?",
    re.IGNORECASE,
)
# One column a trial: ``MEP1``, ``trial 2 (mV)``. Few of them may as well be muscles, or the pulses of a pair.
_NUMBERED: Final = re.compile(
    r"(?P<stem>((mep|pem|amp|amplitude|p2p|ptp|pp|peak_to_peak)_?)*(?P<trial>trial|sweep|rep|repetition)?)_?(?P<n>\d+)"
    r"(_?(mep|pem|amp|amplitude|p2p|ptp|pp))*"
)
_FEWEST_SURELY_TRIALS: Final = 5
_ALONE: Final = {
    "single",
    "single pulse",
    "test",
    "test pulse",
    "test alone",
    "ts",
    "unconditioned",
    "baseline",
}


@dataclass(frozen=True)
class AmplitudeColumn:
    """A column of amplitudes: its heading, and what that says of the trials in it."""

    name: str
    muscle: str | None = None
    side: Side | None = None
    given: Mapping[str, str] = field(default_factory=dict)


def plain_heading(heading: str) -> str:
    """Strip a heading of its unit: ``MEP amplitude (mV)`` becomes ``mep_amplitude``."""
    words = [word for word in re.split(r"[^a-z0-9µ]+", heading.lower()) if word]
    if len(words) > 1 and voltage_unit(words[-1]):
        words = words[:-1]
    if len(words) > 1 and words[-1] in {"ms", "s"}:
        words = words[:-1]
    return "_".join(words)


def amplitude_columns(heading: Sequence[str]) -> tuple[AmplitudeColumn, ...]:
    """Return the columns of amplitudes: one, or several of different muscles, sides or conditions.

    Examples
    --------
    >>> [column.name for column in amplitude_columns(["isi", "latency_ms", "MEP amplitude (mV)"])]
    ['MEP amplitude (mV)']
    >>> [column.muscle for column in amplitude_columns(["isi_ms", "FDI (mV)", "APB (mV)"])]
    ['FDI', 'APB']
    >>> [dict(column.given) for column in amplitude_columns(["trial", "test", "SICI 2.5 ms"])]
    [{'condition': 'test', 'kind': 'single'}, {'condition': 'SICI', 'isi_ms': '2.5', 'kind': 'paired'}]
    """
    by_name = {plain_heading(name): name for name in reversed(heading)}
    exact = next((by_name[name] for name in _AMPLITUDE if name in by_name), None)
    if exact is not None:
        return (AmplitudeColumn(exact),)
    numbered = numbered_columns(heading)
    if numbered:
        return tuple(AmplitudeColumn(name) for name in numbered)
    of_muscles = [
        AmplitudeColumn(name, *found)
        for name in heading
        if any(found := muscle_and_side(name))
        and not knows_column(name)
        and (_OF_MUSCLE.search(name) or _unit_of(name))
        and "lat" not in name.lower()
    ]
    if len(of_muscles) > 1 and len({(one.muscle, one.side) for one in of_muscles}) == len(of_muscles):
        return tuple(of_muscles)
    loosely = next((name for name in heading if _LOOKS_LIKE.search(name.lower())), None)
    if loosely is not None:
        return (AmplitudeColumn(loosely),)
    of_conditions = _of_conditions(heading)
    if len(of_conditions) > 1:
        return of_conditions
    with_unit = [name for name in heading if _unit_of(name) and "ampl" in name.lower()]
    if len(with_unit) == 1:
        return (AmplitudeColumn(with_unit[0]),)
    return ()


def numbered_columns(heading: Sequence[str]) -> list[str]:
    """Return columns of amplitudes that are told apart by running numbers alone.

    Examples
    --------
    >>> numbered_columns(["id", "MEP1", "MEP2", "age"]), numbered_columns(["trial1_mV", "trial2_mV"])
    (['MEP1', 'MEP2'], ['trial1_mV', 'trial2_mV'])
    """
    families: dict[str, dict[int, str]] = {}
    for name in heading:
        match = _NUMBERED.fullmatch(plain_heading(name))
        if match is not None and match["stem"]:
            families.setdefault(match["stem"].rstrip("_"), {})[int(match["n"])] = name
    runs = [found for found in families.values() if len(found) > 1 and sorted(found)[-1] == len(found)]
    return list(runs[0].values()) if len(runs) == 1 else []


def unclear_numbers(columns: Sequence[AmplitudeColumn]) -> bool:
    """Tell whether numbered columns may be anything else than trials side by side: muscles, pulses of a pair.

    Examples
    --------
    >>> unclear_numbers(amplitude_columns(["MEP1", "MEP2"]))
    True
    >>> unclear_numbers(amplitude_columns(["trial1", "trial2"]))
    False
    """
    names = [column.name for column in columns]
    if not 1 < len(names) < _FEWEST_SURELY_TRIALS or numbered_columns(names) != names:
        return False
    match = _NUMBERED.fullmatch(plain_heading(names[0]))
    return match is not None and not match["trial"]


def unused_columns(heading: Sequence[str], chosen: Sequence[AmplitudeColumn]) -> list[str]:
    """Return other columns that seem to hold amplitudes too."""
    taken = {column.name for column in chosen}
    return [
        name
        for name in heading
        if name not in taken and (plain_heading(name) in _AMPLITUDE or _LOOKS_LIKE.search(name.lower()))
    ]


def _unit_of(heading: str) -> str | None:
    words = [word for word in re.split(r"[^A-Za-zµμ]+", heading) if word]
    return voltage_unit(words[-1]) if len(words) > 1 else None


def _of_conditions(heading: Sequence[str]) -> tuple[AmplitudeColumn, ...]:
    found = []
    for name in heading:
        plain = name.strip()
        if _unit_of(name):
            plain = re.sub(r"[\W_]*[a-zµμ]+\W*$", "", plain, flags=re.IGNORECASE)
        match = _CONDITION.fullmatch(plain.replace("_", " ").strip())
        if match is None:
            continue
        word = match["name"].lower()
        given = {"condition": match["name"]}
        if match["isi"] and word not in _ALONE:
            given["isi_ms"] = match["isi"]
        given["kind"] = "single" if word in _ALONE else "paired"
        found.append(AmplitudeColumn(name, given=given))
    return tuple(found)


# Words in the first cell of a row that sums up others.
_SUMMARY: Final = {
    "mean", "average", "avg", "sd", "std", "stdev", "se", "sem", "median", "cv", "sum", "total", "geomean",
    "var", "standard deviation", "mittelwert", "mittel", "moyenne", "ecart type", "écart type", "écart-type",
    "media", "n", "min", "max", "iqr", "ci", "95% ci", "stabw",
}  # fmt: skip


def without_summaries(
    records: Sequence[Mapping[str, str]],
) -> tuple[list[Mapping[str, str]], list[str]]:
    """Leave out rows that hold means or deviations of the others, and return what these are called.

    Such a row begins with the word, and the word stands in no more than a few rows: one a person, not one a
    trial.

    Examples
    --------
    >>> rows = [{"condition": name, "mep": "1"} for name in ("SICI", "SICI", "Mean")]
    >>> len(without_summaries(rows)[0]), without_summaries(rows)[1]
    (2, ['Mean'])
    """

    def word(record: Mapping[str, str]) -> str:
        first = next((str(cell).strip() for cell in record.values() if not is_missing(str(cell))), "")
        return first if first.lower().rstrip(".:") in _SUMMARY else ""

    words = [word(record) for record in records]
    named = [name for name in words if name]
    if not named or len(named) > len(records) / 3:
        return list(records), []
    kept = [record for record, name in zip(records, words, strict=True) if not name]
    return kept, named
