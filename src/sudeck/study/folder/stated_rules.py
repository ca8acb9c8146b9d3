"""What a study states in ``sudeck.toml``: who responds, which pair is which measure, values, limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

from sudeck.ketamine.safety import LIVER_GRADES
from sudeck.study.folder.schema import VITALS
from sudeck.study.folder.settings_section import SettingsSection

ReliefUnit = Literal["percent", "points"]


@dataclass(frozen=True, slots=True)
class ResponderRule:
    """Who counts as a responder.

    Attributes
    ----------
    at_least : float
        Relief from which a patient is one; the bound itself counts.
    unit : {"percent", "points"}
        Per cent of baseline pain, or points of the scale.
    visit : str
        Visit at which it is judged; the end of treatment unless the study says otherwise.

    Examples
    --------
    >>> print(ResponderRule())
    relief of 30 % or more at day 5
    """

    at_least: float = 30.0
    unit: ReliefUnit = "percent"
    visit: str = "day 5"

    def __str__(self) -> str:
        unit = "%" if self.unit == "percent" else "points"
        return f"relief of {self.at_least:g} {unit} or more at {self.visit}"


@dataclass(frozen=True, slots=True)
class PairRule:
    """Which interval and conditioning pulse is which measure: `sudeck.tms.measures.paired_pulse_rules`."""

    measure: str
    isi_ms: tuple[float, float]
    conditioning_rmt: tuple[float, float] = (0.0, float("inf"))
    other_hemisphere: bool = False


@dataclass(frozen=True, slots=True)
class HealthyValues:
    """Healthy people's values of one measure, from the same laboratory; none come with Sudeck.

    Attributes
    ----------
    measure : str
    geometric_mean : float
    log_sd : float
        Standard deviation between people of the natural logarithm.
    n : int
        Healthy people.
    """

    measure: str
    geometric_mean: float
    log_sd: float
    n: int


@dataclass(frozen=True, slots=True)
class CentreLimit:
    """A centre's own limit of a vital sign or laboratory value; none come with Sudeck.

    Attributes
    ----------
    measure : str
        A column of vitals.tsv, or a test of labs.tsv counted in multiples of its upper limit.
    above, below : float or None
        What is beyond it is listed; one of the two is given.
    """

    measure: str
    above: float | None = None
    below: float | None = None


def responder_rule(section: SettingsSection, visit: str) -> ResponderRule:
    """Read who responds; 0.3 per cent is meant as 30, and no relief on a scale of ten is thirty points."""
    unit = section.choice("unit", "percent", get_args(ReliefUnit))
    if unit == "points":
        return ResponderRule(section.number("at_least", 30.0, low=0, high=10, open_low=True), unit, visit)
    return ResponderRule(section.number("at_least", 30.0, low=1, high=100), unit, visit)


def pair_rule(content: Any) -> PairRule:
    """Read one of [[tms.pairs]]."""
    section = SettingsSection(
        {"tms.pairs": content},
        "tms.pairs",
        ("measure", "isi_ms", "conditioning_rmt", "other_hemisphere"),
    )
    other = section.yes_no("other_hemisphere", False)
    measure = section.text("measure", "")
    if not measure:
        raise section.refusal("measure", "is missing", "name it, e.g. SICI")
    return PairRule(
        measure,
        section.span("isi_ms", None),
        section.span("conditioning_rmt", (0.0, float("inf"))),
        other,
    )


def healthy_values(content: Any) -> HealthyValues:
    """Read one of [[mechanism.healthy]]."""
    section = SettingsSection(
        {"mechanism.healthy": content}, "mechanism.healthy", ("measure", "geometric_mean", "log_sd", "n")
    )
    for key, example in (("measure", '"SICI"'), ("geometric_mean", "0.45"), ("log_sd", "0.4"), ("n", "20")):
        if key not in section.content:
            raise section.refusal(key, "is missing", f"write it, e.g. {key} = {example}")
    return HealthyValues(
        section.text("measure", ""),
        section.number("geometric_mean", None, low=0, high=1e6, open_low=True),
        section.number("log_sd", None, low=0, high=10),
        int(section.number("n", None, low=2, high=1e6)),
    )


def centre_limit(content: Any) -> CentreLimit:
    """Read one of [[ketamine.limits]]."""
    section = SettingsSection({"ketamine.limits": content}, "ketamine.limits", ("measure", "above", "below"))
    if "measure" not in section.content:
        raise section.refusal("measure", "is missing", 'write it, e.g. measure = "systolic_mmhg"')
    if len({"above", "below"} & set(section.content)) != 1:
        raise section.refusal("above", "or below is wanted, and not both", "write one, e.g. above = 160")
    vitals = (one.name for one in VITALS.fields if one.type == "number")
    measure = section.choice("measure", "", (*vitals, *LIVER_GRADES))
    above, below = (section.number(key, None, low=0, high=1e6) for key in ("above", "below"))
    return CentreLimit(measure, above, below)
