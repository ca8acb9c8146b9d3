"""The page of the treatment: what it shows, what it never says, and that it reaches for nothing outside."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from sudeck.core.errors import InputError
from sudeck.ketamine.course_simulation import simulate_regimen
from sudeck.ketamine.published_regimens import published_regimen
from sudeck.report.ketamine.console import print_regimens, print_simulation, print_treatment
from sudeck.report.ketamine.figures import draw_simulation
from sudeck.report.ketamine.page import write_treatment_report
from sudeck.report.ketamine.words import sentences
from sudeck.study.answers.study_treatment import StudyTreatment, describe_treatment
from support.treated import make_treated_study


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_treated_study(tmp_path_factory.mktemp("treated") / "study").root


@pytest.fixture(scope="module")
def described(root: Path) -> StudyTreatment:
    return describe_treatment(root, jobs=1)


@pytest.fixture(scope="module")
def page(root: Path, described: StudyTreatment) -> str:
    return write_treatment_report(root, described).read_text(encoding="utf-8")


def test_every_part_is_there(page: str) -> None:
    for part in ("literature", "patients", "board", "safety", "scenario", "courses", "provenance"):
        assert f'<section id="{part}"' in page
    assert page.count('class="course"') == 2
    assert 'id="course-sub-001"' in page
    assert page.count("published-") > 2
    assert "lorazepam" in page
    assert "no relief in four of four" in page
    assert page.count('class="norketamine"') == 2
    assert "exact 95 % interval" in page
    assert "the curve is that of arterial blood" in page
    assert "43 % to 92 %" in page, "the slow scenario of a published course as a range"
    assert "NMDA block" in page


def test_it_refers_to_nothing_outside_and_advises_nothing(page: str) -> None:
    assert not re.findall(r'(?:href|src)="(?!#)[^"]*"', page)
    text = re.sub(r"<[^>]+>", " ", page).lower()
    for word in ("is safe", "recommended", "should be given", "ml/h", "increase the", "next course on"):
        assert word not in text


def test_equal_input_gives_equal_bytes(root: Path, described: StudyTreatment, page: str) -> None:
    assert write_treatment_report(root, described).read_text(encoding="utf-8") == page


def test_the_console_says_the_same(described: StudyTreatment) -> None:
    console = Console(record=True, width=200, highlight=False)
    print_treatment(described, console=console)
    text = console.export_text()
    assert "2 patients" in text
    assert "lorazepam on board" in text
    assert "route oral" in text


def test_a_simulation_is_ranges_and_labels(tmp_path: Path) -> None:
    course = published_regimen("schwartzman").for_weight(70)
    simulated = simulate_regimen(course, 70, title="Schwartzman", models=("perez-ruixo", "kamp"), draws=20)
    assert simulated.exposure.area.value == pytest.approx(980 / 109, rel=0.01)
    console = Console(record=True, width=200, highlight=False)
    print_simulation(simulated, console=console)
    print_regimens(console=console)
    text = console.export_text()
    assert "far from what was observed, measured in S-ketamine, the forms taken as alike" in text
    assert "arterial blood" in text
    assert "unfair to models of venous blood" in text
    assert "to 8" in text
    assert "Voute" in text
    draw_simulation(simulated, tmp_path / "course.png")
    assert (tmp_path / "course.png").stat().st_size > 10_000
    with pytest.raises(InputError, match="png"):
        draw_simulation(simulated, tmp_path / "course.doc")


def test_measured_concentrations_stand_on_the_curve_of_their_substance(
    described: StudyTreatment, page: str
) -> None:
    samples = described.courses[0].samples
    assert [one.ng_per_ml for one in samples] == [200.0, 90.0, None, 150.0]
    assert page.count('class="sample"') == 2, "not S-ketamine after racemate, nor a unit nobody knows"
    assert "200 ng/ml measured" in page
    assert "2 measured concentrations against the curve" in page
    assert "2 measured concentrations are not compared: 1 without" in page
    assert "1 without a known unit" in page
    assert "1 without a curve of its substance" in page


def test_a_concentration_is_compared_at_a_known_time_only(
    described: StudyTreatment,
) -> None:
    course = described.courses[0]
    known = course.samples[0]
    for changed, reason in (
        ({"clock_known": False}, "1 without a clock time"),
        ({"ng_per_ml": 0.0}, "1 below what the laboratory detects"),
        ({"at_h": known.at_h + 24.0 * 60}, "1 where hardly anything is left of the drug"),
    ):
        patient = replace(course, samples=(replace(known, **changed),))
        said = " ".join(str(one) for one in sentences(replace(described, courses=(patient,))))
        assert f"1 measured concentration is not compared: {reason}" in said
