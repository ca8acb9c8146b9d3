"""What was given, over a study written by hand: steps, a gap, a bolus, salt, co-medication and safety."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sudeck.core.errors import InputError
from sudeck.ketamine.units import BASE_SHARE
from sudeck.study.answers.study_treatment import (
    TREATMENT_FILE,
    TREATMENT_TABLE,
    StudyTreatment,
    describe_treatment,
)
from sudeck.study.folder.layout import StudyFolder
from sudeck.study.folder.schema import TABLES
from sudeck.study.folder.settings import read_settings
from support.treated import make_treated_study, write_rows


@pytest.fixture
def treated(tmp_path: Path) -> StudyFolder:
    return make_treated_study(tmp_path / "study")


@pytest.fixture
def described(treated: StudyFolder) -> StudyTreatment:
    return describe_treatment(treated.root, jobs=1)


def test_exposure_of_steps_gaps_and_boluses(described: StudyTreatment) -> None:
    first, second, third = described.courses
    assert first.treatment.mg == pytest.approx(20 + 40 + 60 + 90)
    assert first.treatment.regimen is not None
    assert first.treatment.regimen.hours == 2 + 2 + 4
    assert first.exposure is not None
    assert first.exposure.area.value == pytest.approx(210 / 84, rel=1e-4)
    assert first.exposure.area.low < 210 / 116
    assert set(first.exposure.area.components) == {"people", "models"}
    assert second.treatment.mg == pytest.approx(100 * BASE_SHARE)
    assert third.exposure is None
    assert "route oral" in third.reason
    assert first.regimen == "ketamine intravenous, 2 days, 4 h a day"


def test_what_was_on_board(described: StudyTreatment) -> None:
    moments = {one.name: one for one in described.courses[0].moments}
    board = {one.drug: one for one in moments["ses-post"].board}
    assert board["lorazepam"].since_h == 24.0
    assert board["lorazepam"].amount == pytest.approx(1.0 * 0.5 ** (24 / 168**0.5), rel=1e-9)
    assert board["lorazepam"].low < board["lorazepam"].amount < board["lorazepam"].high
    assert board["ketamine"].since_h == pytest.approx(20.0)
    assert {flag.code for flag in described.flags} >= {"co-medication-on-board", "pain-on-infusion-day"}
    assert "1 of 2 patients had lorazepam on board" in " ".join(flag.message for flag in described.flags)


def test_safety_is_counted_and_not_judged(described: StudyTreatment) -> None:
    (alt,) = described.safety.liver
    assert (alt.before, alt.after) == ((1, 0, 0, 0, 0), (0, 0, 1, 0, 0))
    assert alt.ungraded == 1
    systolic = next(one for one in described.safety.vitals if one.name == "systolic_mmhg")
    assert (systolic.patients, systolic.highest) == (2, 171)
    (limit,) = described.safety.limits
    assert (limit.patients, limit.of) == (("sub-001",), 2)
    harms = {one.regimen: one for one in described.safety.harms}
    first = "ketamine intravenous, 2 days, 4 h a day, 1.4 to 2.8 mg/kg a day"
    assert harms[first].effects[0].value == 1.0
    assert harms[first].effects[0].low == pytest.approx(0.025)
    assert "ketamine oral, 1 day, 0 h a day, dose not known" in harms, "a dose by mouth is none by vein"


def test_files_and_repetition(treated: StudyFolder, described: StudyTreatment) -> None:
    kept = json.loads((treated.derivatives / TREATMENT_FILE).read_text())
    assert kept["patients"][0]["auc"] == described.courses[0].row()["auc"]
    assert kept["fingerprint"] == described.fingerprint
    table = (treated.derivatives / TREATMENT_TABLE).read_text()
    assert table.splitlines()[1].startswith("sub-001\t")
    again = describe_treatment(treated.root, jobs=2)
    assert again.courses[0].row() == described.courses[0].row()


def test_limits_are_the_centres_own(treated: StudyFolder) -> None:
    settings = treated.settings_file.read_text()
    treated.settings_file.write_text(settings.replace('"systolic_mmhg"', '"temperature"'))
    with pytest.raises(InputError, match="can not be"):
        read_settings(treated)
    treated.settings_file.write_text(settings.replace("above = 160\n", "above = 160\nbelow = 90\n"))
    with pytest.raises(InputError, match="above or below is wanted, and not both"):
        read_settings(treated)
    treated.settings_file.write_text(settings.replace('model = "kamp"', 'model = "nobody"'))
    with pytest.raises(InputError, match="kamp, herd"):
        read_settings(treated)


def test_a_limit_may_lie_below(treated: StudyFolder) -> None:
    settings = treated.settings_file.read_text()
    low = settings.replace('measure = "systolic_mmhg"\nabove = 160', 'measure = "systolic_mmhg"\nbelow = 150')
    treated.settings_file.write_text(low)
    (limit,) = describe_treatment(treated.root, jobs=1).safety.limits
    assert (limit.above, limit.below) == (None, 150)
    assert (limit.patients, limit.of) == (("sub-002",), 2)


def test_a_clock_time_tells_whether_pain_was_asked_under_the_drug(treated: StudyFolder) -> None:
    def asked(at: str) -> tuple[bool, float]:
        """Return whether the score of day 2 counts as asked under ketamine, which ran from 9 to 13 h."""
        table = treated.root / TABLES["pain"].path
        rows = ("sub-001\tbaseline\t0\t8\tn/a", f"sub-001\tday 5\t2\t4\t{at}")
        table.write_text("\n".join(("participant_id\tvisit\tday\tnrs\ttime", *rows)) + "\n")
        described = describe_treatment(treated.root, jobs=1)
        (moment,) = (one for one in described.courses[0].moments if one.name == "day 5")
        board = {one.drug: one.amount for one in moment.board}
        return "pain-on-infusion-day" in {flag.code for flag in described.flags}, board.get("ketamine", 0.0)

    unknown, before, during = asked("n/a"), asked("08:00"), asked("12:00")
    assert unknown[0]
    # The evening of the day before lies within half a day of the morning; here 13 h to 8 h is more.
    assert not before[0]
    assert during[0]
    assert during[1] > 10 * before[1] > 0


def test_a_study_without_treatment(treated: StudyFolder) -> None:
    write_rows(treated, "treatment")
    empty = describe_treatment(treated.root, jobs=1)
    assert empty.given == ""
    assert empty.exposed == ()
    assert {one.reason for one in empty.courses} == {"no ketamine is recorded"}
