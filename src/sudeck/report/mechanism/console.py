"""What `sudeck explain` prints: the answers, what so many patients can not show, what is missing.

And `sudeck circuit fit`: the circuit of one patient, and of all together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from sudeck.report.kit.printing import (
    SEVERITY_STYLE,
    open_console,
    print_heading,
    print_item,
    print_note,
)
from sudeck.report.kit.text import number, percent
from sudeck.report.mechanism.circuit_rows import measured_kinds
from sudeck.report.mechanism.circuit_words import left_open
from sudeck.report.mechanism.console_tables import (
    association_table,
    asymmetry_table,
    change_table,
    circuit_table,
    factor_table,
    group_table,
    pattern_table,
    power_table,
    sure_changes,
)
from sudeck.report.mechanism.words import PREFERRED, SIDES, power_sentences, together_sentences

if TYPE_CHECKING:
    from rich.console import Console

    from sudeck.core.flags import Flag
    from sudeck.mechanism.change_correlation import Association
    from sudeck.mechanism.circuit_fit.explanation import Explanation
    from sudeck.mechanism.circuit_fit.hierarchy import GroupPosterior
    from sudeck.mechanism.group_statistics import GroupStatistics
    from sudeck.study.answers.circuit_fits import FitFailure
    from sudeck.study.answers.study_explanation import StudyExplanation

_MOST_FLAGS: Final = 12
_MOST_NAMES: Final = 5


def print_explanation(explained: StudyExplanation, *, console: Console | None = None) -> None:
    """Print everything an explanation says.

    Parameters
    ----------
    explained : StudyExplanation
    console : rich.console.Console, optional
        Where to print; standard output unless given.
    """
    console = open_console(console)
    print_heading(console, _title(explained), first=True)
    if explained.group is not None:
        serious = [flag for flag in explained.flags if flag.severity == "serious"]
        print_statistics(explained.group, outcome=explained.outcome, flags=serious, console=console)
    if explained.circuit_group is not None:
        print_group(explained.circuit_group, console=console)
    if explained.circuit:
        _print_circuits(console, explained.circuit, explained.level)
    _print_reported(console, explained)
    _print_missing(console, explained)


def print_statistics(
    group: GroupStatistics, *, outcome: str, flags: Iterable[Flag] = (), console: Console | None = None
) -> None:
    """Print what changed, what goes with relief, and what is true of the published pattern.

    Parameters
    ----------
    group : GroupStatistics
        From `sudeck.mechanism.explain_group`.
    outcome : str
        Column of the relief.
    flags : iterable of Flag
        To be said with them.
    console : rich.console.Console, optional
        Where to print; standard output unless given.
    """
    console = open_console(console)
    _print_changes(console, group)
    if group.associations is not None and group.associations.associations:
        print_heading(console, f"What goes with {outcome}")
        _print_associations(console, group.associations.associations)
    print_heading(console, "The published pattern on these patients")
    console.print(pattern_table(group.pattern))
    for flag in flags:
        print_item(console, flag.severity, flag.message, SEVERITY_STYLE[flag.severity])
    _print_power(console, group)


def print_circuit(explanation: Explanation, *, console: Console | None = None) -> None:
    """Print what a patient's measures say about the circuit; what they do not say is named in one line.

    Parameters
    ----------
    explanation : Explanation
        From `sudeck.mechanism.circuit_fit.patient_fit.explain_patient`.
    console : rich.console.Console, optional
        Where to print; standard output unless given.
    """
    from rich.markup import escape

    console = open_console(console)
    console.print(escape(explanation.patient), style="bold")
    if explanation.verdict:
        console.print(escape(explanation.verdict))
    for hypothesis in sorted(explanation.weighed, key=lambda one: -one.probability):
        console.print(f"  {percent(hypothesis.probability)}: {escape(hypothesis.sentence)}")
    known = [row for row in explanation.factors if row.identified]
    if known:
        console.print(factor_table(known))
    visits = tuple(dict.fromkeys(row.visit for row in explanation.factors))
    if not visits:  # the verdict says that nothing follows: how the fit went is of no use
        for flag in explanation.flags:
            if flag.severity != "info":
                console.print(escape(str(flag)), style="yellow")
        return
    nothing, partly = left_open(explanation.factors, visits, measured_kinds([explanation]))
    if nothing:
        console.print(escape(nothing))
    if partly:
        console.print(f"Not known from these measurements: {escape('; '.join(partly))}.")
    if known:
        console.print(
            "Over health, or after over before. Intervals hold as far as this model and its priors do.",
            style="dim",
        )
    console.print(
        f"The fit rests on {percent(explanation.effective)} of its simulated circuits"
        f"{'' if explanation.exact else ' and is nearly exact'}.",
        style="dim",
    )
    for flag in explanation.flags:
        console.print(escape(str(flag)), style="yellow")


def print_group(group: GroupPosterior, *, console: Console | None = None) -> None:
    """Print how treatment moves the circuits of a group, on average and from patient to patient.

    Parameters
    ----------
    group : GroupPosterior
        From `sudeck.mechanism.circuit_fit.hierarchy.infer_group`.
    console : rich.console.Console, optional
        Where to print; standard output unless given.
    """
    from rich.markup import escape

    console = open_console(console)
    console.print(f"\nCircuits of all {len(group.changes)} patients together: change to the last visit")
    known = [row for row in group.factors if row.identified]
    if known:
        console.print(group_table(known))
    for sentence in together_sentences(group):
        console.print(escape(str(sentence)))
    console.print(
        "Of these the measurements tell. Differ by: standard deviation over patients.",
        style="dim",
    )


def _title(explained: StudyExplanation) -> str:
    patients = f"{len(explained.patients)} {'patient' if len(explained.patients) == 1 else 'patients'}"
    at = ", ".join(f"{explained.patients_at(visit)} at {visit}" for visit in explained.visits)
    at_all = f"; {explained.patients_at_all} at all" if len(explained.visits) > 1 else ""
    return f"{explained.name}: {patients} with stimulation ({at}{at_all})"


def _print_changes(console: Console, group: GroupStatistics) -> None:
    changes = group.changes.changes
    for visit in dict.fromkeys(change.visit for change in changes):
        own = [change for change in changes if change.visit == visit]
        print_heading(console, f"What changed: {visit} over {own[0].baseline}")
        console.print(change_table(own))
    if changes:
        print_note(
            console,
            "A ratio below 1 is a fall; of SICI, LICI and IHI it means stronger inhibition. P by the mixed "
            "model; in the family: by exact sign flips, controlled over the rows of one side, and over "
            "those of pain over other.",
        )
    if group.changes.covariates:
        print_note(console, f"Adjusted for {', '.join(group.changes.covariates)}.")
    if group.changes.asymmetries:
        print_heading(console, "Pain side over other side, at each visit")
        console.print(asymmetry_table(group.changes.asymmetries))
    for comparison in group.healthy:
        print_item(console, "against healthy people", str(comparison), "bold")


def _print_associations(console: Console, associations: Sequence[Association]) -> None:
    console.print(association_table(associations))
    counts = sorted({one.n for one in associations})
    n = str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    print_note(
        console,
        f"Pearson's r, n = {n}; P by permutation, and controlled over all rows; range of r without one "
        "patient in turn. Negative: the more the ratio fell, the more relief.",
    )
    for one in associations:
        if one.influence.changes_claim:
            text = (
                f"{one.measure}, {SIDES[one.hemisphere]}: r is {number(one.pearson.value, 2)}, without "
                f"{one.influence.patient} {number(one.influence.without, 2)}."
            )
            print_item(console, "decided by one patient", text, "yellow")


def _print_power(console: Console, group: GroupStatistics) -> None:
    power = group.changes.power
    if power is None:
        print_heading(console, "What so few patients can see")
        print_note(console, "Too few were seen twice to state what could be seen; four are needed.")
        return
    print_heading(console, f"What {power.n} patients can and can not see")
    for sentence in power_sentences(group):
        print_note(console, sentence)
    if power.ratios:
        console.print(power_table(power))


def _print_circuits(console: Console, circuits: Sequence[Explanation], level: float) -> None:
    print_heading(console, "The circuit of each patient")
    console.print(circuit_table(circuits))
    preferred = sum(bool(one.preferred) for one in circuits)
    print_note(
        console,
        f"Accounts of the first visit, equally probable beforehand. For {preferred} of {len(circuits)} "
        f"patients one is preferred (from {100 * PREFERRED:.0f} % on); for the others these measurements "
        "can not tell, or can not be used (empty). None: no difference from health; other: something that "
        "no account names. Balance: GABA-A over NMDA of the pain side, over that of the other side.",
    )
    sure = {one.patient: changes for one in circuits if (changes := sure_changes(one))}
    for patient, changes in sure.items():
        print_item(console, f"{patient} changed surely", f"{', '.join(changes)}.", "bold")
    print_note(
        console,
        f"Surely: the measures tell of it, and the {100 * level:g} % interval of its change leaves "
        f"out no change; in {len(circuits) - len(sure)} of {len(circuits)} patients nothing is sure. What to "
        "measure next: sudeck circuit next.",
    )
    walked = [one.patient for one in circuits if not one.exact]
    if walked:
        print_item(console, "not exact", f"the fit of {_names(walked)} is approximate.", "yellow")


def _print_reported(console: Console, explained: StudyExplanation) -> None:
    print_heading(console, "The printed correlations of the bone-scan publication, held against themselves")
    *correlations, together = str(explained.reported).splitlines()
    for line in (*correlations, together[:1].upper() + together[1:]):
        print_note(console, f"{line}.")


def _print_missing(console: Console, explained: StudyExplanation) -> None:
    beside = {flag for flag in explained.flags if flag.severity == "serious" and explained.group is not None}
    flags = [flag for flag in (*explained.unanswered, *explained.all_flags) if flag not in beside]
    if not (flags or explained.refused or explained.circuit_failures):
        return
    print_heading(console, "Left out or unanswered")
    for name, reason in explained.refused.items():
        print_item(console, name, reason, "bold red")
    failures = ((_reason(failure), failure.participant_id) for failure in explained.circuit_failures)
    for reason, patients in _together(failures).items():
        print_item(console, "circuit not fitted", f"{_names(patients)}: {reason}", "yellow")
    order = list(SEVERITY_STYLE)
    flags = sorted(dict.fromkeys(flags), key=lambda flag: order.index(flag.severity))
    for flag in flags[:_MOST_FLAGS]:
        label = "no answer" if flag.code == "no-answer" else flag.severity
        print_item(console, label, flag.message, SEVERITY_STYLE[flag.severity])
    if len(flags) > _MOST_FLAGS:
        print_note(console, f"{len(flags) - _MOST_FLAGS} more in mechanism.json.")


def _reason(failure: FitFailure) -> str:
    """Return why a circuit was not fitted, without the name of the patient."""
    return failure.reason.removeprefix("Patient ").removeprefix(f"{failure.participant_id}: ")


def _together(said: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Group patients by the sentence said of them."""
    groups: dict[str, list[str]] = {}
    for sentence, patient in said:
        groups.setdefault(sentence, []).append(patient)
    return groups


def _names(patients: Sequence[str]) -> str:
    shown = ", ".join(patients[:_MOST_NAMES])
    more = len(patients) - _MOST_NAMES
    return f"{shown} and {more} more" if more > 0 else shown
