"""What the page of the mechanism says in words: names of things, what was found, what was not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from sudeck.core.claim import INTERVAL, Claim, Sentence, described
from sudeck.report.kit.text import number, printable

if TYPE_CHECKING:
    from sudeck.core.flags import Flag
    from sudeck.mechanism.circuit_fit.explanation import Explanation, FactorEstimate
    from sudeck.mechanism.circuit_fit.hierarchy import GroupPosterior
    from sudeck.mechanism.group_statistics import GroupStatistics
    from sudeck.mechanism.published_pattern import Judgement
    from sudeck.statistics.power import Power
    from sudeck.statistics.reported import ReportedSet

SIDES: Final = {
    "pain": "pain side",
    "other": "other side",
    "interaction": "pain over other",
    "balance": "pain over other",
}
MEANINGS: Final = {
    "RMT": "resting motor threshold",
    "MEP": "motor evoked potential",
    "SICI": "short-interval inhibition",
    "ICF": "intracortical facilitation",
    "LICI": "long-interval inhibition",
    "IHI": "interhemispheric inhibition",
    "CSP": "cortical silent period",
    "iSP": "ipsilateral silent period",
    "SAI": "short-latency afferent inhibition",
}
FACTORS: Final = {
    "gaba_a": "GABA-A inhibition",
    "gaba_b": "GABA-B inhibition",
    "nmda_pyramids": "NMDA on pyramidal cells",
    "nmda_interneurons": "NMDA on interneurons",
    "callosum": "Input from the other hemisphere",
    "callosal_tone": "Steady drive of GABA-B cells",
    "gaba_over_glutamate": "GABA-A over NMDA",
}
HYPOTHESES: Final = {
    "local_gaba_a_loss": "Loss of GABA-A, pain side",
    "excess_pyramidal_nmda": "Excess of NMDA, pain side",
    "bilateral_gaba_a_loss": "Loss of GABA-A, both sides",
    "tonic_callosal_drive": "Steady drive of GABA-B cells",
    "none": "No difference from health",
    "outside_the_model": "Something else",
}
CHANGE: Final = "change"  # stands where a visit stands
BALANCE: Final = "gaba_over_glutamate"
# A hypothesis this probable is called preferred; all begin alike.
PREFERRED: Final = 0.95
_PATTERN_BUDGET: Final = "mechanism page: Holm over the six statements of the published pattern"

CAVEATS: Final = (
    "Nobody here was treated with anything else: a change after treatment need not be a change by it.",
    "A large P does not show that nothing changed. Only the rows that say unchanged were tested for that.",
    "The circuit is a model. It says which synapses would give these measurements if the cortex were built "
    "so; it does not look at synapses.",
)


def sentences(
    n: int, visits: Sequence[str], group: GroupStatistics | None, circuit: Sequence[Explanation], failed: int
) -> tuple[Sentence, ...]:
    """Return what was found, a sentence or two each."""
    where = "at one visit" if len(visits) == 1 else f"at {len(visits)} visits ({', '.join(visits)})"
    patients = "1 patient was" if n == 1 else f"{n} patients were"
    says: list[str] = [f"{patients} examined with magnetic stimulation {where}."]
    if group is not None:
        says += [_pattern_sentence(group.pattern, group.alpha), *_change_sentences(group)]
    if circuit:
        says += _circuit_sentences(circuit, failed)
    elif failed:
        says.append(f"The circuit could be fitted to none of {failed} patients.")
    return described(says)


def _pattern_sentence(pattern: Sequence[Judgement], alpha: float) -> Sentence:
    counted = Counter(judgement.verdict for judgement in pattern)
    parts = [f"{counted[verdict]} {verdict}" for verdict in ("supported", "not supported", "undecided")]
    text = f"Of the {len(pattern)} statements of the published pattern: {', '.join(parts)}."
    text += (
        f" They share {100 * alpha:g} % of error, refutations included (Holm); all else here describes these "
        "patients."
    )
    return Sentence(text, *(claim for judgement in pattern for claim in _pattern_claims(judgement)))


def _pattern_claims(judgement: Judgement) -> list[Claim]:
    """Return what a verdict claims.

    A world gives a statement the value 1 where it is so, 1/2 where it is so but too little to matter, and 0.
    """
    name = judgement.hypothesis.name
    if judgement.verdict == "supported":
        return [Claim(f"supported: {name}", name, "above", _PATTERN_BUDGET, low=0.0)]
    if judgement.verdict == "not supported":
        return [Claim(f"not supported: {name}", name, "below", _PATTERN_BUDGET, high=1.0)]
    return []


def _change_sentences(group: GroupStatistics) -> list[str]:
    if not group.changes.changes:
        return ["No change could be estimated."]
    alpha = 1 - group.changes.changes[0].ratio.level
    held = [
        change
        for change in group.changes.changes
        if change.p_family is not None
        and change.p_family < alpha
        and change.hemisphere != "interaction"
        # Signs and sizes are two tests: what the second leaves open is not said to hold.
        and not change.ratio.low <= 1 <= change.ratio.high
    ]
    if not held:
        return ["In these patients no change stands out from all measures together."]
    listed = ", ".join(
        f"{change.measure} on the {SIDES[change.hemisphere]} ×{number(change.ratio.value, 2)}"
        for change in held
    )
    # A description: the error of this page is spent on the pattern.
    return [f"In these patients these changes stand out from all measures together: {listed}."]


def _circuit_sentences(circuit: Sequence[Explanation], failed: int) -> list[str]:
    total = len(circuit) + failed
    preferred: Counter[str] = Counter()
    for one in circuit:
        if one.preferred:
            preferred[one.preferred] += 1
    patients = "1 patient" if total == 1 else f"{total} patients"
    says = [f"The circuit was fitted to {len(circuit)} of {patients}."]
    listed = [
        f"{uncapitalised(HYPOTHESES.get(name, name))} in {count}" for name, count in preferred.most_common()
    ]
    unsure = len(circuit) - sum(preferred.values())
    if listed:
        says.append(
            f"The measurements prefer an account: {', '.join(listed)}"
            + (f"; in {unsure} they can not tell." if unsure else ".")
        )
    else:
        says.append("In no patient can the measurements tell between the accounts.")
    return says


def together_sentences(group: GroupPosterior | None) -> tuple[Sentence, ...]:
    """Return what the circuits of all patients together say of the change, and what they leave open."""
    if group is None:
        return ()
    sure, claims = [], []
    open_: dict[str, list[str]] = {}
    for one in group.factors:
        nothing = 0.0 if one.mean.unit else 1.0
        name = f"{inside_factor(one.factor)} ({SIDES[one.hemisphere]})"
        if not one.identified:
            open_.setdefault(inside_factor(one.factor), []).append(SIDES[one.hemisphere])
        elif not one.mean.low <= nothing <= one.mean.high:
            sign = "" if one.mean.unit else "×"
            unit = f" {one.mean.unit}" if one.mean.unit else ""
            value, low, high = (number(x, 2) for x in (one.mean.value, one.mean.low, one.mean.high))
            sure.append(f"{name} {sign}{value}{unit} ({low} to {high})")
            claims.append(
                Claim(
                    f"{name} changes",
                    f"mean change of {name}",
                    "within",
                    INTERVAL,
                    one.mean.low,
                    one.mean.high,
                )
            )
    count = len(group.changes)
    says = [
        Sentence(f"The circuits of {count} patients together change by: {', '.join(sure)}.", *claims)
        if sure
        else Sentence(f"The circuits of {count} patients together show no change of which one can be sure.")
    ]
    if open_:
        listed = [f"{name} ({'both sides' if len(sides) > 1 else sides[0]})" for name, sides in open_.items()]
        says.append(
            Sentence(f"Of the mean change of {'; '.join(listed)} these measurements say next to nothing.")
        )
    return tuple(says)


def inside_factor(factor: str) -> str:
    """Return the name of a factor as it stands inside a sentence: acronyms keep their capitals."""
    text = FACTORS.get(factor, factor)
    return text if text[:2].isupper() else uncapitalised(text)


def power_sentences(group: GroupStatistics) -> tuple[Sentence, ...]:
    """Return what a number of patients can and can not see."""
    power = group.changes.power
    if power is None:
        return ()
    low, high = (number(r, 2) for r in power.r_interval)
    of_statements = [(judged, group.power_of(judged)) for judged in group.pattern]
    asked = [_statement_power(group, judged, own) for judged, own in of_statements if own is not None]
    says = (
        f"With {power.n} patients a change of {number(power.standardised_change, 2)} standard deviations is "
        f"found with a probability of {100 * power.power:g} %. Smaller ones are missed more often.",
        *(asked or [f"A correlation {_counts(power)}."]),
        f"An observed r of 0.50 means {low} to {high}.",
    )
    return described(says)


def _counts(power: Power) -> str:
    shared = f" ({power.tests} tests share {100 * power.alpha:g} %)" if power.tests > 1 else ""
    return (
        f"counts from |r| = {number(power.significant_r, 2)} on{shared}; one of "
        f"{number(power.detectable_r, 2)} between what is measured is found with a probability of "
        f"{100 * power.power:g} %"
    )


def _statement_power(group: GroupStatistics, judged: Judgement, power: Power) -> str:
    """Return what is seen of a statement on relief, beside the others as they came out, and through error."""
    measure, side = judged.hypothesis.measure, judged.hypothesis.hemispheres[0]
    change = f"the change of {measure_text(measure)} on the {SIDES[side]}"
    others = ", as the other statements came out" if len(group.pattern) > 1 else ""
    text = f"Of relief and {change} a correlation {_counts(power)}{others}."
    found = group.associations.find(measure, side) if group.associations else None
    if found is None or found.reliability is None:
        return text
    true = power.true_r(found.reliability)
    errors = f"{text} Of the measured change a share of {number(found.reliability, 2)} is not error"
    if true is None:
        return f"{errors}: however strongly relief goes with the true change, it may be missed more often."
    return f"{errors}: relief must go with the true change by {number(true, 2)} to be found as often."


def unanswered_sentences(flags: Sequence[Flag]) -> tuple[Sentence, ...]:
    """Return what has no answer, a sentence for each reason and all that it concerns."""
    concerned: dict[str, list[str]] = {}
    for flag in flags:
        head, separator, reason = flag.message.partition(f"{flag.subject}: ")
        whole = head or not separator or not flag.subject
        concerned.setdefault(flag.message if whole else reason, []).extend([] if whole else [flag.subject])
    return described(
        f"{'; '.join(subjects)}: {reason}" if subjects else reason for reason, subjects in concerned.items()
    )


def factor_text(factor: FactorEstimate, places: int = 2) -> str:
    """Return the value of a factor: a ratio with ×, or mV."""
    value = number(factor.estimate.value, places)
    return f"{value} {factor.estimate.unit}" if factor.estimate.unit else f"×{value}"


def sentence_case(text: str) -> str:
    """Return text with a capital first letter and the rest as it is."""
    return text[:1].upper() + text[1:]


def uncapitalised(text: str) -> str:
    """Return a title as it stands inside a sentence."""
    return text[:1].lower() + text[1:]


def place_of_measure(measure: str) -> tuple[int, float, str]:
    """Return the rank of a measure: in the order of `MEANINGS`, then by its interval or intensity."""
    base, _, rest = measure.partition("_")
    order = list(MEANINGS)
    try:
        at = float(rest) if rest else 0.0
    except ValueError:
        at = 0.0
    return order.index(base) if base in order else len(order), at, measure


def measure_text(measure: str) -> str:
    """Return a measure as a reader knows it.

    Examples
    --------
    >>> measure_text("SICI_2"), measure_text("MEP_1.2"), measure_text("RMT")
    ('SICI, 2 ms', 'MEP, 1.2 RMT', 'RMT')
    """
    base, _, rest = measure.partition("_")
    if not rest:
        return measure
    return f"{base}, {rest} {'RMT' if base == 'MEP' else 'ms'}"


def reported_sentences(reported: ReportedSet) -> tuple[Sentence, ...]:
    """Return whether printed r, P and n fit each other, a sentence each."""
    says = [f"{one}." for one in reported.correlations]
    if len(reported.correlations) > 1:
        common = reported.common_n
        says.append(
            "No single number of patients fits all of them."
            if common is None
            else f"All of them fit {common[0]} to {common[1]} patients."
        )
    return described(says)


def circuit_visits(visits: Sequence[str]) -> tuple[str, ...]:
    """Return what is drawn of the circuit: before, after and change; of one visit that one alone."""
    return (visits[0],) if len(visits) < 2 else (visits[0], visits[-1], CHANGE)


def visit_names(visits: Sequence[str]) -> dict[str, str]:
    """Return the titles of visits and the change.

    Examples
    --------
    >>> visit_names(("pre", "post", "change"))
    {'pre': 'Before (pre)', 'post': 'After (post)', 'change': 'Change, post over pre'}
    """
    if CHANGE not in visits:
        return {visit: sentence_case(printable(visit)) for visit in visits}
    first, last = (printable(visit) for visit in visits if visit != CHANGE)
    titles = (f"Before ({first})", f"After ({last})", f"Change, {last} over {first}")
    return dict(zip(visits, titles, strict=True))
