"""Results read back from the tms.json and trials.tsv that `TmsResult.write` wrote."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sudeck.core.errors import InputError
from sudeck.core.estimate import Estimate, Scale
from sudeck.core.flags import Flag
from sudeck.core.provenance import Provenance, SourceFile
from sudeck.core.storage import parse_json, read_limited
from sudeck.tms.measures.measured import TRIAL_COLUMNS, Measured, Trial
from sudeck.tms.recordings.trial_decisions import TrialDecision
from sudeck.tms.signals.trials import Pulse

# What a column of trials.tsv holds besides measured numbers.
_WORDS = {
    "hemisphere",
    "conditioning_hemisphere",
    "conditioning_kind",
    "muscle",
    "muscle_side",
    "state",
    "condition",
    "visit",
    "kind",
}
_ABOUT_PULSE = {"time_s", "isi_ms", "test_mso", "test_rmt", "conditioning_mso", "conditioning_rmt"}
_ABOUT_TRIAL = {
    "file",
    "trial",
    "channel",
    "flags",
    "participant",
    "decision",
    "onset_ms",
    "who",
    "why",
    "csp_censored",
}
_EMPTY_WORDS = {"condition": "", "visit": "", "kind": "unknown"}
_MEASURED = set(TRIAL_COLUMNS) - _WORDS - _ABOUT_PULSE - _ABOUT_TRIAL


@dataclass(frozen=True)
class SavedResult:
    """What a folder of results holds of a measurement: all but the sweeps.

    Attributes
    ----------
    estimates : tuple of Measured
    trials : tuple of Trial
        Empty where no trials.tsv lies beside the tms.json.
    flags : tuple of Flag
    provenance : Provenance
    """

    estimates: tuple[Measured, ...]
    trials: tuple[Trial, ...]
    flags: tuple[Flag, ...]
    provenance: Provenance


def read_saved(path: Path) -> SavedResult:
    """Read a tms.json, or the one in a folder, with the trials.tsv beside it.

    Raises
    ------
    InputError
        If there is no tms.json, or either file is not what Sudeck writes.
    """
    estimates = read_measures(path)
    file = path / "tms.json" if path.is_dir() else path
    content = parse_json(read_limited(file, subject=path.name), subject=path.name)
    try:
        given = content.get("provenance") or {}
        provenance = Provenance(
            tuple(SourceFile(**source) for source in given.get("sources", ())),
            given.get("settings", {}),
            version=str(given.get("version", "")),
            python=str(given.get("python", "")),
            libraries=given.get("libraries", {}),
            created=str(given.get("created", "")),
        )
        flags = tuple(Flag(**flag) for flag in content.get("flags", ()))
    except (ValueError, TypeError, AttributeError) as error:
        raise InputError(
            path.name, "it is no tms.json as Sudeck writes it", "measure the recording again with --out"
        ) from error
    return SavedResult(estimates, _trials(file.with_name("trials.tsv")), flags, provenance)


def read_measures(path: Path) -> tuple[Measured, ...]:
    """Read the estimates of a tms.json, or of the one in a folder.

    Raises
    ------
    InputError
        If there is none, or it is not what Sudeck writes.

    Notes
    -----
    Bounds that the file holds as null were infinite; on the log scale the lower one was zero.
    """
    file = path / "tms.json" if path.is_dir() else path
    if not file.exists():
        raise InputError(path.name, "no tms.json is there", "run `sudeck tms` with --out first")
    try:
        content = parse_json(read_limited(file, subject=path.name), subject=path.name)
        return tuple(_measured(entry) for entry in content["estimates"])
    except (InputError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise InputError(
            path.name, "it is no tms.json as Sudeck writes it", "measure the recording again with --out"
        ) from error


def is_saved_result(path: Path) -> bool:
    """Tell whether a path is a tms.json, or a folder that holds one."""
    return path.suffix.lower() == ".json" or (path / "tms.json").is_file()


def _measured(entry: Mapping[str, Any]) -> Measured:
    value = float(entry["value"])
    low, high = entry["low"], entry["high"]
    scale: Scale = "log" if entry.get("scale") == "log" else "linear"
    lowest = 0.0 if scale == "log" else -math.inf
    estimate = Estimate(
        str(entry["measure"]),
        value,
        lowest if low is None else float(low),
        math.inf if high is None else float(high),
        level=float(entry["level"]),
        unit=str(entry.get("unit") or ""),
        method=str(entry.get("method") or ""),
        n=None if entry.get("n") is None else float(entry["n"]),
        n_unit=str(entry.get("n_unit") or ""),
        scale=scale,
        se=None if entry.get("se") is None else float(entry["se"]),
    )
    return Measured(
        str(entry["measure"]),
        entry.get("hemisphere"),
        str(entry["muscle"]),
        estimate,
        isi_ms=None if entry.get("isi_ms") is None else float(entry["isi_ms"]),
        intensity=str(entry.get("intensity") or ""),
        conditioning=str(entry.get("conditioning") or ""),
        visit=str(entry.get("visit") or ""),
        participant=str(entry.get("participant") or ""),
        muscle_side=entry.get("muscle_side"),
        channel=str(entry.get("channel") or ""),
        file=str(entry.get("file") or ""),
    )


def _trials(file: Path) -> tuple[Trial, ...]:
    if not file.is_file():
        return ()
    text = read_limited(file, subject=file.name)
    try:
        rows = csv.DictReader(text.decode("utf-8").splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
        return tuple(_trial(row) for row in rows)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise InputError(
            file.name, "it is no trials.tsv as Sudeck writes it", "measure the recording again with --out"
        ) from error


def _trial(row: Mapping[str, str]) -> Trial:
    cells = {name: None if cell == "n/a" else cell for name, cell in row.items()}
    given: dict[str, Any] = {name: cells[name] or _EMPTY_WORDS.get(name) for name in _WORDS & set(cells)}
    given |= {name: None if cells[name] is None else float(row[name]) for name in _ABOUT_PULSE & set(cells)}
    given["time_s"] = math.nan if given.get("time_s") is None else given["time_s"]
    participant = cells.get("participant") or ""
    values = {name: float(row[name]) for name in _MEASURED & set(cells) if cells[name] is not None}
    decision = None
    if cells.get("decision"):
        onset = None if cells.get("onset_ms") is None else float(row["onset_ms"])
        who, why = cells.get("who") or "", cells.get("why") or ""
        decision = TrialDecision(int(row["trial"]), row["decision"] == "reject", onset, who, why)
    return Trial(
        row["file"],
        int(row["trial"]),
        row["channel"],
        Pulse(participant=participant, **given),
        values,
        present=math.isfinite(values.get("latency_ms", math.nan)),
        csp_censored=cells.get("csp_censored", "") in {"True", "true"},
        flags=tuple(filter(None, (cells.get("flags") or "").split(","))),
        participant=participant,
        decision=decision,
    )
