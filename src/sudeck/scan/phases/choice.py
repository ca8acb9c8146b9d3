"""Choose, among the images that could be one phase of the study, the one to measure."""

from __future__ import annotations

from collections.abc import Sequence

from sudeck.core.flags import Severity
from sudeck.core.vocabulary import SCAN_PHASES, ScanPhase
from sudeck.scan.phases.assignment import PhaseCandidate


def choose(
    candidates: Sequence[PhaseCandidate],
) -> tuple[dict[ScanPhase, PhaseCandidate], tuple[tuple[PhaseCandidate, str], ...]]:
    """Choose one candidate a phase; return the chosen, and the others with the reason.

    The rule, in this order: guideline times; fewest findings, serious ones first; a spot view before a
    whole-body sweep; most counts, because they set the error; the name, so that everyone gets the same.
    """
    chosen: dict[ScanPhase, PhaseCandidate] = {}
    others: list[tuple[PhaseCandidate, str]] = []
    for phase in SCAN_PHASES:
        ranked = sorted((item for item in candidates if item.phase == phase), key=_rank)
        if not ranked:
            continue
        chosen[phase] = ranked[0]
        for item in ranked[1:]:
            others.append((item, _why_not(item, ranked[0])))
    return chosen, tuple(others)


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
