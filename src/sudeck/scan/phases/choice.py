"""Choose, among the images that could be one phase of the study, the one to measure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sudeck.core.flags import Severity
from sudeck.core.vocabulary import SCAN_PHASES, ScanPhase
from sudeck.scan.phases.assignment import PhaseCandidate
from sudeck.scan.reading.clock import seconds_between

# Delayed images so far apart are of two times, not two views of one.
_OF_TWO_TIMES_S = 3600.0


def choose(
    candidates: Sequence[PhaseCandidate],
) -> tuple[dict[ScanPhase, PhaseCandidate], tuple[tuple[PhaseCandidate, str], ...]]:
    """Choose one candidate a phase; return the chosen, and the others with the reason.

    The rule, in this order: guideline times; fewest findings, serious ones first; a spot view before a
    whole-body sweep; most counts, because they set the error; the name, so that everyone gets the same. Of
    delayed images at two times that are as good until there, the earlier one comes before the later.
    """
    chosen: dict[ScanPhase, PhaseCandidate] = {}
    others: list[tuple[PhaseCandidate, str]] = []
    for phase in SCAN_PHASES:
        ranked = sorted((item for item in candidates if item.phase == phase), key=_rank)
        if not ranked:
            continue
        first = chosen[phase] = _earliest_as_good(ranked)
        others += [(item, _why_not(item, first)) for item in ranked if item is not first]
    return chosen, tuple(others)


def other_delayed(
    chosen: Mapping[ScanPhase, PhaseCandidate], others: Sequence[tuple[PhaseCandidate, str]]
) -> tuple[tuple[PhaseCandidate, ...], tuple[tuple[PhaseCandidate, str], ...]]:
    """Part from the images not chosen the delayed ones of other times: each is a measure of its own.

    Parameters
    ----------
    chosen, others
        From `choose`.

    Returns
    -------
    tuple
        One delayed image a time, in the order of time; the images that are left, with their reasons.
    """
    taken = [chosen["bone"]] if "bone" in chosen else []
    for item, _ in others:
        of_a_time = item.phase == "bone" and item.zero is not None and bool(taken)
        if of_a_time and all((_seconds_after(item, one) or 0.0) ** 2 >= _OF_TWO_TIMES_S**2 for one in taken):
            taken.append(item)
    found = sorted(taken[1:], key=lambda item: item.start_s)
    kept = {id(item) for item in found}
    return tuple(found), tuple(pair for pair in others if id(pair[0]) not in kept)


def _earliest_as_good(ranked: Sequence[PhaseCandidate]) -> PhaseCandidate:
    """Return the best of candidates in their order; of delayed images at two times as good, the earlier."""
    first = ranked[0]
    for item in ranked[1:]:
        as_good = _rank(item)[:4] == _rank(first)[:4]
        if item.phase == "bone" and as_good and (_seconds_after(first, item) or 0.0) >= _OF_TWO_TIMES_S:
            first = item
    return first


def _seconds_after(item: PhaseCandidate, other: PhaseCandidate) -> float | None:
    return seconds_between(other.acquisition.acquired_at, item.acquisition.acquired_at)


def _rank(item: PhaseCandidate) -> tuple[bool, int, int, bool, float, str]:
    return (
        bool(_off_guideline(item)),
        _findings(item, "serious"),
        _findings(item, "caution"),
        item.acquisition.kind == "whole body",
        -item.total_counts,
        item.acquisition.label,
    )


def _off_guideline(item: PhaseCandidate) -> bool:
    return any(flag.code == "phase-time-outside-guideline" for flag in item.flags)


def _findings(item: PhaseCandidate, severity: Severity) -> int:
    flags = (*item.flags, *item.acquisition.flags, *item.orientation.flags)
    return sum(flag.severity == severity for flag in flags)


def _why_not(item: PhaseCandidate, winner: PhaseCandidate) -> str:
    better = winner.acquisition.label
    later = (_seconds_after(item, winner) or 0.0) >= _OF_TWO_TIMES_S
    if item.phase == "bone" and later and _rank(item)[:4] == _rank(winner)[:4]:
        return f"not used for the bone phase: {better} is the earlier of two delayed images"
    if item.is_same_image(winner):
        return f"it holds the same image as {better}, which is used once"
    for differs, why in zip(
        (a != b for a, b in zip(_rank(item), _rank(winner), strict=True)),
        (
            f"its time is outside the guideline and that of {better} is not",
            f"it has more serious findings than {better}",
            f"it has more findings than {better}",
            f"{better} is a spot view, with more detail than the whole-body sweep",
            f"{better} has more counts ({winner.total_counts:.0f} against {item.total_counts:.0f})",
            f"{better} serves as well and comes first by name",
        ),
        strict=True,
    ):
        if differs:
            return f"not used for the {item.phase} phase: {why}"
    return f"not used for the {item.phase} phase: {better} serves as well"
