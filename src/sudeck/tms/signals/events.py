"""The events table: one row a stimulus, in BIDS columns, NIBS-BIDS columns or the fields of `Pulse`."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sudeck.core.errors import InputError
from sudeck.core.flags import Flag
from sudeck.core.missing import MISSING
from sudeck.core.vocabulary import Side
from sudeck.tms.signals.event_times import CLOCKS, seconds_of, with_times
from sudeck.tms.signals.neutral_labels import quoted, reduced
from sudeck.tms.signals.nibs_bids import with_nibs
from sudeck.tms.signals.table_text import read_table_file
from sudeck.tms.signals.unread_columns import unread_flags

# What a row may tell about its pulse: field of `Pulse` (or a source of one) by spellings of the column.
_COLUMNS: dict[str, tuple[str, ...]] = {
    "time_s": ("onset", "onset_s", "time_s", "time"),
    "condition": ("condition", "trial_type", "stimulus", "state_label", "label", "bedingung", "condicion"),
    "kind": ("kind", "pulse_type", "pulse_kind", "tms_stim_mode", "stim_mode", "stimulation_mode"),
    "isi_ms": ("isi_ms", "isi", "inter_stimulus_interval", "interstimulus_interval", "interpulse_interval",
               "inter_pulse_interval"),
    "isi_s": ("isi_s", "isi_sec", "interval_s"),
    "test_mso": ("test_mso", "ts_mso", "mso", "intensity_mso", "test_intensity_mso", "tms_intensity_mso"),
    "conditioning_mso": ("conditioning_mso", "cs_mso", "conditioning_intensity_mso"),
    "test_rmt": ("test_rmt", "ts_rmt", "prmt", "percent_rmt", "rmt_percent", "intensity_rmt"),
    "conditioning_rmt": ("conditioning_rmt", "cs_rmt", "conditioning_intensity_rmt"),
    "hemisphere": ("hemisphere", "hemi", "stimulated_hemisphere", "hemisphere_stimulated", "test_hemisphere",
                   "hemisphare", "hemisphaere", "hemisferio"),
    "conditioning_hemisphere": ("conditioning_hemisphere", "cs_hemisphere"),
    "conditioning_kind": ("conditioning_kind", "conditioning_stimulus", "conditioning_type", "cs_type"),
    "muscle": ("muscle", "target_muscle", "muscle_name", "muskel", "musculo"),
    "muscle_side": ("muscle_side", "side", "target_side", "seite", "cote", "lado"),
    "state": ("state", "muscle_state", "activity"),
    "visit": ("visit", "session", "timepoint", "time_point", "day"),
    "participant": ("participant", "participant_id"),
    "rmt_mso": ("rmt_mso", "rmt_intensity"),
    # NIBS-BIDS counts pulses in order: of a pair, the first is the conditioning one.
    "first_mso": ("pulse_intensity",),
    "second_mso": ("second_pulse_intensity",),
    "first_rmt": ("pulse_intensity_rmt",),
    "second_rmt": ("second_pulse_intensity_rmt",),
}  # fmt: skip
_FIELD_OF = {spelling: field for field, spellings in _COLUMNS.items() for spelling in spellings}
_KINDS = {
    "single": "single", "sp": "single", "test": "single", "unconditioned": "single", "single_pulse": "single",
    "paired": "paired", "dual": "paired", "double": "paired", "twin": "paired", "pp": "paired",
    "paired_pulse": "paired", "dual_pulse": "paired", "conditioned": "paired", "unknown": "unknown",
}  # fmt: skip
_SIDES: dict[str, Side] = {
    "left": "left", "l": "left", "lh": "left", "leftm1": "left",
    "links": "left", "gauche": "left", "izquierda": "left", "izquierdo": "left",
    "right": "right", "r": "right", "rh": "right", "rightm1": "right",
    "rechts": "right", "droite": "right", "droit": "right", "derecha": "right", "derecho": "right",
}  # fmt: skip
_STATES = {
    "rest": "rest", "resting": "rest", "relaxed": "rest",
    "active": "active", "contraction": "active", "tonic": "active",
}  # fmt: skip
_CONDITIONING = {
    "magnetic": "magnetic", "tms": "magnetic", "coil": "magnetic",
    "afferent": "afferent", "electrical": "afferent", "nerve": "afferent", "median_nerve": "afferent",
    "ulnar_nerve": "afferent", "digital_nerve": "afferent", "peripheral": "afferent", "pns": "afferent",
    "peripheral_nerve": "afferent",
}  # fmt: skip
# Ranges beyond which a number can not be what its column says.
_RANGES = {
    "time_s": (-math.inf, math.inf), "time_ms": (-math.inf, math.inf), "sample": (0.0, math.inf),
    "isi_ms": (0.0, 1000.0), "isi_s": (0.0, 1.0),
    "test_mso": (0.0, 100.0), "conditioning_mso": (0.0, 100.0), "rmt_mso": (1.0, 100.0),
    "first_mso": (0.0, 100.0), "second_mso": (0.0, 100.0),
    "test_rmt": (0.0, 400.0), "conditioning_rmt": (0.0, 400.0),
    "first_rmt": (0.0, 400.0), "second_rmt": (0.0, 400.0),
}  # fmt: skip
# Fields that say when a stimulus came, not what it was.
_CLOCK_FIELDS = {"time_s", *CLOCKS.values()}
# What a row may be called that is no stimulus.
_NO_STIMULI = {"instruction", "instructions", "break", "pause", "boundary", "new_segment", "fixation"}
_MOST_ROWS = 6
_FORM = "\n".join(
    "\t".join(row.split())
    for row in (
        "onset trial_type kind isi_ms test_rmt conditioning_rmt hemisphere state",
        "2.5 single single n/a 120 n/a left rest",
        "8.1 SICI paired 2.5 120 80 left rest",
    )
)
_SHORTEST_ISI_MS = 0.4  # published paired pulses begin at 0.5 ms; 0.002 is seconds
_WORDS: dict[str, Mapping[str, str]] = {
    "kind": _KINDS, "state": _STATES, "conditioning_kind": _CONDITIONING,
    "hemisphere": _SIDES, "conditioning_hemisphere": _SIDES, "muscle_side": _SIDES,
}  # fmt: skip

Given = dict[str, Any]


@dataclass(frozen=True, slots=True)
class EventsTable:
    """What an events table tells: fields of `Pulse` for every stimulus, `time_s` among them if given.

    `at_test_pulse` says that its times are those of the test pulses themselves, whatever the protocol says of
    markers: so they are in the trials of a run.
    """

    rows: tuple[Given, ...]
    label: str
    at_test_pulse: bool = False
    flags: tuple[Flag, ...] = ()

    @property
    def has_times(self) -> bool:
        """Whether every row says when its stimulus came."""
        return bool(self.rows) and all("time_s" in row for row in self.rows)

    def timed(self, rates_hz: Iterable[float]) -> EventsTable:
        """Return the table with times in seconds, for a recording whose channels have these rates."""
        return replace(self, rows=with_times(self.rows, rates_hz, self.label))


def read_events(path: Path) -> EventsTable:
    """Read an events table (TSV or CSV).

    Where it is one of BIDS, and a ``*_nibs.tsv`` describes its pulses, that is read along (see `with_nibs`).
    Rows whose `trial_type` calls them no stimulus (break, instruction) are left out, and that is said.

    Raises
    ------
    InputError
        If the table is unreadable, has no column that is known, or a cell no number where one belongs.
    """
    records = with_nibs(read_table_file(path), path)
    table = events_table(records, path.name)
    if not table.rows:
        headings = ", ".join(map(reduced, list(records[0])[:12])) if records else "none"
        raise InputError(
            path.name,
            f"the events table has no row or no column that describes a stimulus (columns: {headings})",
            "give at least onset (in seconds), onset_ms, sample or condition, as in the form below",
            paste=_FORM,
        )
    return table


def events_table(records: Sequence[Mapping[str, object]], label: str) -> EventsTable:
    """Translate the records of an events table; what calls itself a break or an instruction is left out.

    Raises
    ------
    InputError
        With every cell that can not be read.
    """
    both = zip(given_rows(records, label, clocks=True), records, strict=True)
    given = [(row, record) for row, record in both if row]
    kept = [pair for pair in given if _normal(str(pair[0].get("condition", ""))) not in _NO_STIMULI]
    flags: tuple[Flag, ...] = ()
    if len(kept) < len(given):
        n = len(given) - len(kept)
        text = (
            f"{n} of {len(given)} rows of {label} call themselves no stimulus (break, instruction): left out."
        )
        flags = (Flag("rows-no-stimuli", text, "info", value=float(n), unit="rows"),)
    rows = with_single_pulses([row for row, _ in kept])
    alike = [tuple((name, row[name]) for name in sorted(row) if name not in _CLOCK_FIELDS) for row in rows]
    read = [name for name in records[0] if knows_column(name) or _normal(name) in CLOCKS] if records else []
    flags += unread_flags([record for _, record in kept], alike, [*read, "file"])
    return EventsTable(tuple(rows), label, flags=flags)


def given_rows(records: Sequence[Mapping[str, object]], label: str, *, clocks: bool = False) -> list[Given]:
    """Translate records into fields of `Pulse`, as `given_by` does each.

    Raises
    ------
    InputError
        Once for all the cells that can not be read, with their rows.
    """
    rows: list[Given] = []
    wrong: dict[str, list[int]] = {}
    remedies: dict[str, None] = {}
    for number, record in enumerate(records, start=1):
        try:
            rows.append(given_by(record, label, clocks=clocks))
        except InputError as error:
            cells = ({column: cell} for column, cell in record.items())
            for problem in [one for cell in cells if (one := _refusal(cell, label, clocks))] or [error]:
                wrong.setdefault(problem.problem, []).append(number)
                remedies.setdefault(problem.remedy)
    if wrong:
        raise InputError(label, "; ".join(map(_at_rows, wrong, wrong.values())), "; ".join(remedies))
    return rows


def _refusal(record: Mapping[str, object], label: str, clocks: bool) -> InputError | None:
    try:
        given_by(record, label, clocks=clocks)
    except InputError as error:
        return error
    return None


def _at_rows(problem: str, rows: Sequence[int]) -> str:
    more = " …" if len(rows) > _MOST_ROWS else ""
    return f"{problem} (row{'s' if len(rows) > 1 else ''} {', '.join(map(str, rows[:_MOST_ROWS]))}{more})"


def given_by(record: Mapping[str, object], label: str, *, clocks: bool = False) -> Given:
    """Translate one record into fields of `Pulse`.

    Parameters
    ----------
    record : Mapping
        Column to cell, in any spelling `_COLUMNS` knows; unknown columns are passed over.
    label : str
        Name of the table, for messages.
    clocks : bool
        Whether headings of an events table that count milliseconds or samples are known too.

    Raises
    ------
    InputError
        If a cell contradicts its column, or two cells contradict each other.

    Examples
    --------
    >>> given_by({"onset": "2.5", "tms_stim_mode": "dual", "inter_stimulus_interval": "2"}, "events.tsv")
    {'time_s': 2.5, 'kind': 'paired', 'isi_ms': 2.0}
    """
    given: Given = {}
    for column, cell in record.items():
        name = _normal(str(column))
        field = _FIELD_OF.get(name) or (CLOCKS.get(name) if clocks else None)
        text = str(cell).strip()
        if field is None or text.lower() in MISSING:
            continue
        given.setdefault(field, _value(field, text, str(column), label))
    return _settled(given, label)


def _point(text: str) -> str:
    """Write a decimal comma as a point."""
    return text.replace(",", ".") if text.count(",") == 1 and "." not in text else text


def with_single_pulses(rows: Sequence[Given]) -> list[Given]:
    """Call rows single that leave the interval empty where other rows of the table fill it in.

    Examples
    --------
    >>> with_single_pulses([{"test_mso": 50.0}, {"isi_ms": 3.0, "kind": "paired"}])[0]
    {'test_mso': 50.0, 'kind': 'single'}
    """
    if not any("isi_ms" in row for row in rows):
        return list(rows)
    paired = {"kind", "isi_ms", "conditioning_mso", "conditioning_rmt"}
    return [row if paired & set(row) else {**row, "kind": "single"} for row in rows]


def knows_column(name: str) -> bool:
    """Tell whether a column of that name means something in an events table.

    Examples
    --------
    >>> knows_column("ISI (ms)"), knows_column("sweep_num")
    (True, False)
    """
    return _normal(name) in _FIELD_OF


def _normal(column: str) -> str:
    """Bring a column's name to lower case without accents and underscores; a percent sign becomes ``p``."""
    plain = unicodedata.normalize("NFKD", column)
    column = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return re.sub(r"[^a-z0-9]+", "_", column.lower().replace("%", "p")).strip("_")


def _value(field: str, text: str, column: str, label: str) -> object:
    if field in _RANGES:
        low, high = _RANGES[field]
        try:
            number = seconds_of(text) if field == "time_s" else float(_point(text.rstrip("%")))
        except ValueError:
            raise InputError(
                label, f"{quoted(text)} in column {column} is no number", "correct the cell"
            ) from None
        if not (math.isfinite(number) and low <= number <= high):
            raise InputError(
                label,
                f"{number:g} in column {column} is not between {low:g} and {high:g}",
                "correct the cell",
            )
        if field == "isi_ms" and 0 < number < _SHORTEST_ISI_MS:
            problem = f"{number:g} ms in column {column} is no interval that stimulators give"
            raise InputError(label, problem, "give intervals in milliseconds, not in seconds")
        return number
    if field in _WORDS:
        words = _WORDS[field]
        word = words.get(re.sub(r"[\s-]+", "_", text.lower()))
        if word is None:
            allowed = " or ".join(dict.fromkeys(words.values()))
            raise InputError(label, f"{quoted(text)} in column {column} is not {allowed}", "correct the cell")
        return word
    return text


def _settled(given: Given, label: str) -> Given:
    """Resolve what columns say about one another: order of pulses, thresholds, single against paired."""
    for unit in ("mso", "rmt"):
        first, second = given.pop(f"first_{unit}", None), given.pop(f"second_{unit}", None)
        if second is not None:
            given.setdefault(f"conditioning_{unit}", first)
            given.setdefault(f"test_{unit}", second)
        elif first is not None:
            given.setdefault(f"test_{unit}", first)
    if (isi_s := given.pop("isi_s", None)) is not None:
        given.setdefault("isi_ms", round(1e3 * isi_s, 6))
    rmt_mso = given.pop("rmt_mso", None)
    if rmt_mso:
        for pulse in ("test", "conditioning"):
            if given.get(f"{pulse}_mso") is not None:
                given.setdefault(f"{pulse}_rmt", 100 * given[f"{pulse}_mso"] / rmt_mso)
    # A condition that is called nothing but single or paired says what its pulses are.
    kind = _KINDS.get(_normal(str(given.get("condition", ""))))
    if kind is not None and kind != "unknown" and "isi_ms" not in given:
        given.setdefault("kind", kind)
    if given.get("isi_ms") == 0:
        del given["isi_ms"]
        given.setdefault("kind", "single")
    if "isi_ms" in given:
        if given.get("kind") == "single":
            raise InputError(
                label, f"a single pulse is given an interval of {given['isi_ms']:g} ms", "correct the row"
            )
        given["kind"] = "paired"
    return given
