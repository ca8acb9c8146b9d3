"""Courses of ketamine that were published, as doses in time: where from, how far read, what was assumed.

Most were read as abstracts only. What an abstract leaves out had to be assumed, and every assumption is
listed; a protocol here is a yardstick for a record, not advice.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from sudeck.core.errors import InputError
from sudeck.ketamine.regimen import Dose, Regimen

_FIRST_H: Final = 9.0


@dataclass(frozen=True, slots=True)
class PublishedRegimen:
    """One published course.

    Attributes
    ----------
    key : str
        How it is called for on the command line.
    title : str
    drug : str
        ``ketamine`` is the racemate.
    steps : tuple of (start_h, duration_h, rate)
        Hours from the first dose, hours, and rate.
    by_weight : bool
        Whether rates are mg/kg/h; otherwise mg/h.
    source : str
    read : str
        How far the source was read.
    assumed : tuple of str
        What it does not state.
    highest_mg_h : float or None
        A rate that it goes beyond at no weight.
    """

    key: str
    title: str
    drug: str
    steps: tuple[tuple[float, float, float], ...]
    by_weight: bool
    source: str
    read: str
    assumed: tuple[str, ...] = ()
    highest_mg_h: float | None = None

    def for_weight(self, weight_kg: float) -> Regimen:
        """Return its doses at a body weight, from 09:00 of day 1."""
        factor = weight_kg if self.by_weight else 1.0
        most = math.inf if self.highest_mg_h is None else self.highest_mg_h
        doses = tuple(
            Dose(_FIRST_H + start, hours, hours * min(rate * factor, most))
            for start, hours, rate in self.steps
        )
        return Regimen(self.key, self.drug, doses)


def _daily(days: int, hours: float, rate: float) -> tuple[tuple[float, float, float], ...]:
    return tuple((24.0 * day, hours, rate) for day in range(days))


def _stairs(*steps: tuple[float, float]) -> tuple[tuple[float, float, float], ...]:
    """Return steps of (hours, rate), one after another."""
    start, found = 0.0, []
    for hours, rate in steps:
        found.append((start, hours, rate))
        start += hours
    return tuple(found)


PUBLISHED: Final = (
    PublishedRegimen(
        "delphi",
        "French Delphi consensus 2022, middle of its range",
        "ketamine",
        _daily(4, 4.0, 0.7 / 4),
        True,
        "Voute et al. 2022, Eur J Pain 26:873-887 (0.5 to 0.9 mg/kg a day for 4 days)",
        "abstract",
        (
            "0.7 mg/kg a day, the middle; the range makes 140 to 252 mg at 70 kg",
            "4 h a day: the hours are not in the abstract",
        ),
    ),
    PublishedRegimen(
        "schwartzman",
        "Schwartzman 2009, outpatient trial",
        "ketamine",
        _daily(10, 4.0, 0.35),
        True,
        "Schwartzman et al. 2009, Pain, doi 10.1016/j.pain.2009.08.015, NCT00579085 (at most 0.35 mg/kg/h "
        "and 25 mg/h, 4 h a day, 10 days)",
        "abstract and registry",
        ("the highest rate throughout", "weekends not left out"),
        highest_mg_h=25.0,
    ),
    PublishedRegimen(
        "correll",
        "Correll 2004, inpatients",
        "ketamine",
        _stairs((72.0, 15.0)),
        False,
        "Correll et al. 2004 (10 to 20 mg/h for 2 to 4 days)",
        "quoted by others",
        ("15 mg/h for 3 days, the middle of both ranges",),
    ),
    PublishedRegimen(
        "guideline",
        "Consensus guidelines 2018, inpatient",
        "ketamine",
        _stairs((96.0, 22.0)),
        False,
        "Cohen et al. 2018, Reg Anesth Pain Med 43:521-546 (22 mg/h for 4 days)",
        "quoted by others",
        ("racemate", "no titration"),
    ),
    PublishedRegimen(
        "us-inpatient",
        "Inpatient practice in the United States 2018",
        "ketamine",
        _stairs((24.0, 20.0), (24.0, 25.0), (24.0, 30.0), (24.0, 35.0), (24.0, 40.0)),
        False,
        "Medscape 2018 (5 days, 20 to 40 mg/h by 5; with clonidine and lorazepam)",
        "quoted by others",
        ("one step a day",),
    ),
    PublishedRegimen(
        "goldberg",
        "Goldberg 2010, five days without a break",
        "ketamine",
        _stairs((1.0, 10.0), (1.0, 20.0), (1.0, 30.0), (117.0, 40.0)),
        False,
        "Goldberg et al. 2010, Pain Physician 13:379-387 (10 to 40 mg/h, 5 days)",
        "abstract, cut off",
        ("steps of an hour", "40 mg/h from the fourth hour on"),
    ),
    PublishedRegimen(
        "sigtermans",
        "Sigtermans 2009, trial of S-ketamine",
        "esketamine",
        _stairs((1.0, 5.0 / 70), (1.0, 10.0 / 70), (1.0, 15.0 / 70), (97.0, 22.2 / 70)),
        True,
        "Sigtermans et al. 2009, Pain 145:304-311 (titrated from 5 mg/h, 22.2 mg/h per 70 kg at the end)",
        "abstract",
        ("steps of an hour", "the final mean rate from the fourth hour on", "100 h in all"),
    ),
    PublishedRegimen(
        "mangnus",
        "Mangnus 2022, inpatients",
        "esketamine",
        _stairs((168.0, 14.0)),
        False,
        "Mangnus et al. 2022, Pain Pract (at most 14 mg/h, 7 days)",
        "abstract",
        ("the highest rate throughout",),
    ),
    PublishedRegimen(
        "kiefer",
        "Kiefer 2008, pilot of S-ketamine: no relief in four of four",
        "esketamine",
        _stairs(*((24.0, 50.0 * day / 24) for day in range(1, 11))),
        False,
        "Kiefer et al. 2008, Pain Med 9:44-54 (50 to 500 mg a day over 10 days)",
        "abstract",
        ("50 mg more each day", "day and night"),
    ),
    PublishedRegimen(
        "dutch-inpatient",
        "Dutch practice 2022, inpatient",
        "esketamine",
        _stairs((1.0, 5.0), (1.0, 10.0), (1.0, 15.0), (1.0, 20.0), (92.0, 25.0)),
        False,
        "Survey in the Netherlands 2022, Scand J Pain 22:97 (start 5, median highest 25 mg/h, 4 days)",
        "abstract",
        ("S-ketamine, as sold there", "steps of an hour"),
    ),
    PublishedRegimen(
        "dutch-outpatient",
        "Dutch practice 2022, outpatient",
        "esketamine",
        _stairs((6.0, 27.5)),
        False,
        "Survey in the Netherlands 2022, Scand J Pain 22:97 (27.5 mg/h, 6 h)",
        "abstract",
        ("S-ketamine, as sold there", "one infusion"),
    ),
    PublishedRegimen(
        "ketcrps-continuous",
        "KetCRPS-2, six days without a break",
        "esketamine",
        _stairs((24.0, 0.05), (24.0, 0.10), (24.0, 0.15), (72.0, 0.20)),
        True,
        "NCT05212571; BMC Musculoskelet Disord 2023;24:239 (0.05 to 0.2 mg/kg/h, 6 days)",
        "abstract and registry",
        ("0.05 mg/kg/h more each day",),
    ),
    PublishedRegimen(
        "ketcrps-intermittent",
        "KetCRPS-2, six hours every two weeks",
        "esketamine",
        tuple((336.0 * n, 6.0, 0.2) for n in range(6)),
        True,
        "NCT05212571; BMC Musculoskelet Disord 2023;24:239 (6 h every two weeks, six times)",
        "abstract and registry",
        ("0.2 mg/kg/h throughout",),
    ),
)


def published_regimen(key: str) -> PublishedRegimen:
    """Return a published regimen by its name.

    Raises
    ------
    InputError
        If none is called so.

    Examples
    --------
    >>> round(published_regimen("goldberg").for_weight(70).total_mg)
    4740
    """
    for one in PUBLISHED:
        if one.key == key.strip().lower():
            return one
    raise InputError(
        f"regimen {key}", "none is called so", f"use one of {', '.join(o.key for o in PUBLISHED)}"
    )
