"""Durability and adverse effects: a published curve, a course worked out by hand, what is not recorded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sudeck.study.answers.after_treatment import AfterTreatment, after_treatment
from sudeck.study.answers.outcomes import measure_outcomes
from sudeck.study.folder.create import create_study
from sudeck.study.folder.settings import read_settings
from sudeck.study.folder.tables import read_tables

# Weeks to relapse under 6-mercaptopurine, censored at those of the second list: Freireich et al. 1963, Blood
# 21:699-716. Kaplan-Meier 0.857 at 6 weeks, 0.753 at 10, 0.448 at 23, its median.
RELAPSED = (6, 6, 6, 7, 10, 13, 16, 22, 23)
CENSORED = (6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35)


def course(root: Path, pain: list[str], treatment: list[str] = (), effects: list[str] = ()) -> AfterTreatment:  # type: ignore[assignment]
    study = create_study(root).study
    patients = sorted({line.split("\t")[0] for line in pain})
    files = {
        "participants": [f"{pid}\thand\tleft\t80" for pid in patients],
        "pain": pain,
        "treatment": list(treatment),
        "adverse_effects": list(effects),
    }
    heads = {
        "participants": "participant_id\tlimb\taffected_side\tweight_kg",
        "pain": "participant_id\tvisit\tday\tnrs",
        "treatment": "participant_id\tday\tdrug\tdose_mg\tduration_h\troute",
        "adverse_effects": "participant_id\tday\teffect\tserious\taction",
    }
    for name, lines in files.items():
        study.table_file(name).write_text("\n".join([heads[name], *lines]) + "\n")
    tables, settings = read_tables(study), read_settings(study)
    return after_treatment(tables, measure_outcomes(tables["pain"], settings, patients=patients), settings)


def scores(pid: str, *values: tuple[str, int, float]) -> list[str]:
    return [f"{pid}\t{visit}\t{day}\t{nrs:g}" for visit, day, nrs in values]


def test_published_curve(tmp_path: Path) -> None:
    lines = []
    for n, (weeks, relapsed) in enumerate([*((t, True) for t in RELAPSED), *((t, False) for t in CENSORED)]):
        ended = ("week 4", 5 + weeks, 8.0 if relapsed else 2.0)
        lines += scores(f"sub-{n:02d}", ("baseline", 0, 8), ("day 5", 5, 2), ended)
    found = course(tmp_path / "study", lines).lasting
    assert found is not None
    assert (found.responders, found.losses, found.median_days) == (21, 9, 23.0)
    # The later visit lies at the median of 17 days: 0.627 (0.368 to 0.805 on the log-log scale).
    assert found.still[0].value == pytest.approx(0.6275, abs=1e-3)
    assert (found.still[0].low, found.still[0].high) == pytest.approx((0.368, 0.805), abs=2e-3)


def test_a_course_by_hand(tmp_path: Path) -> None:
    pain = [
        *scores("sub-1", ("baseline", 0, 8), ("day 5", 5, 2), ("week 4", 28, 2), ("week 12", 84, 7)),
        *scores("sub-2", ("baseline", 0, 8), ("day 5", 5, 2), ("week 4", 28, 2), ("week 12", 84, 2)),
        *scores("sub-3", ("baseline", 0, 8), ("day 5", 5, 2)),
        *scores("sub-4", ("baseline", 0, 8), ("day 5", 5, 8), ("week 4", 28, 2)),
    ]
    given = [f"sub-{n}\t{day}\tketamine\t40\t4\tintravenous" for n in (1, 2, 3, 4) for day in (4, 6)]
    given += ["sub-2\t60\tketamine\t40\t4\tintravenous", "sub-1\t1\tmidazolam\t2\t\tintravenous"]
    effects = ["sub-1\t1\tNausea\tno\tnone", "sub-1\t2\tnausea\tno\tnone", "sub-2\t1\tdreams\tyes\tstopped"]
    found = course(tmp_path / "study", pain, given, effects)
    at = {one.visit: one for one in found.visits}
    assert (at["day 5"].responders, at["day 5"].known, at["day 5"].lost) == (3, 4, 0)
    assert (at["week 4"].responders, at["week 4"].known, at["week 4"].lost) == (3, 3, 1)
    assert (at["week 12"].responders, at["week 12"].known, at["week 12"].lost) == (1, 2, 2)
    assert found.lasting is not None
    assert (found.lasting.responders, found.lasting.not_followed) == (2, 1)
    assert (found.lasting.losses, found.lasting.retreated) == (2, 1)
    assert found.lasting.median_days == 55, "the second course came 55 days after day 5"
    shares = {one.name: one for one in found.effects}
    assert shares["nausea"].value == 0.25, "a patient who had it twice had it"
    assert shares["serious, of any kind"].value == shares["ketamine stopped"].value == 0.25
    assert shares["nausea"].high == pytest.approx(0.806, abs=1e-3)
    assert "0.5 mg/kg a day" in found.treatment
    assert "midazolam in 1" in found.treatment


def test_nothing_recorded_is_said_to_be_nothing(tmp_path: Path) -> None:
    found = course(tmp_path / "study", scores("sub-1", ("baseline", 0, 8), ("day 5", 5, 8)))
    assert found.lasting is None
    assert found.effects == ()
    assert found.treatment == ""
    assert np.isclose(found.visits[0].share.high if found.visits[0].share else 0, 0.975)
