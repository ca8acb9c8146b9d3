"""The report of a study: self-contained, links that lead somewhere, honest about what was not done."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest

from sudeck.demo.study_on_disk import make_demo_study, write_study_tables
from sudeck.report.kit.text import percent
from sudeck.report.study.course_rows import effect_rows
from sudeck.report.study.page import study_report, write_study_report
from sudeck.report.study.patient_pages import present, scan_thumbnail
from sudeck.report.study.tripod import tripod_items
from sudeck.scan.result import ScanResult
from sudeck.study.answers.study_prediction import StudyPrediction
from sudeck.study.answers.who_responds import predict_and_report, predict_study
from sudeck.study.folder.create import create_study
from sudeck.study.folder.layout import StudyFolder
from sudeck.study.measuring.patient_measures import PatientRecord
from sudeck.study.measuring.records import keep_record
from sudeck.study.measuring.run import run_study
from sudeck.synthetic.study.study_plan import plan_study


@pytest.fixture(scope="module")
def reported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, StudyPrediction, str]:
    """Six patients on pixels, the second of them damaged, run, predicted and reported."""
    root = tmp_path_factory.mktemp("report") / "study <&>"
    make_demo_study(root, patients=6, jobs=1)
    for path in StudyFolder(root).scan_files("sub-002", "ses-pre"):
        path.write_bytes(path.read_bytes()[:3000])
    run_study(root, jobs=1, present=present)
    predicted = predict_study(root, n_boot=20)
    return root, predicted, write_study_report(root, predicted).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def modelled(tmp_path_factory: pytest.TempPathFactory) -> tuple[StudyPrediction, str]:
    """Eighty patients with records but without images: enough for a model and all its curves."""
    study = create_study(tmp_path_factory.mktemp("modelled") / "study").study
    plan = plan_study(patients=80, seed=7)
    write_study_tables(study, plan)
    for row in plan.cohort.scans.to_dict("records"):
        names = ("VPr", "TPr", "BPr")
        estimates = {name: {"value": row[name], "se": row[f"{name}_log_se"]} for name in names}
        pid = str(row["participant_id"])
        keep_record(study, PatientRecord(pid, "by hand", scans={"ses-pre": {"estimates": estimates}}))
    predicted = predict_study(study.root, n_boot=30)
    return predicted, write_study_report(study.root, predicted).read_text(encoding="utf-8")


def test_the_model_is_shown_as_it_is(modelled: tuple[StudyPrediction, str]) -> None:
    predicted, page = modelled
    assert predicted.model is not None
    assert predicted.validation is not None
    c = predicted.validation.measures["c_statistic"]
    for value in (c.apparent, c.corrected):
        assert f"{value:.3f}" in page
    for name in ("calibration", "net benefit", "range over bootstrap models"):
        assert name in page
    for pid, one in predicted.patients.items():
        line = page[page.index(f'<th scope="row">{pid}</th>') :]
        assert percent(one.prediction.value).replace(">", "&gt;").replace("<", "&lt;") in line[:900], pid
    assert not [item for item in tripod_items(predicted) if not item.answer and not item.question]


def test_one_file_without_addresses(reported: tuple[Path, StudyPrediction, str]) -> None:
    page = reported[2]
    assert "http://" not in page
    assert "https://" not in page
    assert "<script" not in page
    assert re.findall(r'src="(?!data:image/png;base64,)', page) == []


def test_every_scan_opens_its_page(reported: tuple[Path, StudyPrediction, str]) -> None:
    root, _, page = reported
    links = set(re.findall(r'href="([^"#]+)"', page))
    titles = [
        re.findall(
            "<h1>(.*)</h1>", (StudyFolder(root).derivatives / unquote(link)).read_text(encoding="utf-8")
        )[0]
        for link in links
    ]
    assert titles.count("Three-phase bone scan") == 5
    assert len(titles) - 5 == 2 * sum(patient.stimulated for patient in plan_study(patients=6).patients) > 0


def test_links_hold_from_another_place(reported: tuple[Path, StudyPrediction, str], tmp_path: Path) -> None:
    root, predicted, _ = reported
    place = tmp_path / "elsewhere" / "report.html"
    page = study_report(StudyFolder(root), predicted, place=place)
    for link in set(re.findall(r'href="([^"#]+)"', page)):
        assert (place.parent / unquote(link)).resolve().is_file()


def test_what_was_not_done_is_said(reported: tuple[Path, StudyPrediction, str]) -> None:
    _, predicted, page = reported
    not_done = page[page.index('id="not-done"') :]
    assert "sub-002" in not_done
    assert predicted.refused
    for name in predicted.refused:
        assert name.capitalize() in not_done


def test_equal_input_gives_equal_bytes(reported: tuple[Path, StudyPrediction, str]) -> None:
    root, predicted, page = reported
    place = StudyFolder(root).derivatives / "report.html"
    assert study_report(StudyFolder(root), predicted, place=place) == page


def test_nothing_changes_nothing_done(reported: tuple[Path, StudyPrediction, str], tmp_path: Path) -> None:
    root = shutil.copytree(reported[0], tmp_path / "again")
    page = StudyFolder(root).derivatives / "report.html"

    def write(predicted: StudyPrediction) -> Path:
        return write_study_report(root, predicted, path=page)

    assert predict_and_report(root, place=page, write_page=write) is not None
    stamp = page.stat().st_mtime_ns
    assert predict_and_report(root, place=page, write_page=write) is None
    assert page.stat().st_mtime_ns == stamp


def test_tripod_leaves_no_item_empty(reported: tuple[Path, StudyPrediction, str]) -> None:
    items = tripod_items(reported[1])
    numbers = ",".join(item.number for item in items)
    assert {int(number) for number in re.findall(r"\d+", numbers)} == set(range(1, 28))
    with_model = [item for item in items if not item.answer and not item.question]
    # Without a model three items have nothing to say; a page with a model is looked at in the test below.
    assert {item.number for item in with_model} <= {"11", "21", "22", "24"}


def test_thumbnail_is_small_and_marks_the_affected_limb(result: ScanResult) -> None:
    from io import BytesIO

    from PIL import Image

    picture = scan_thumbnail(result)
    assert picture == scan_thumbnail(result)
    assert len(picture) < 20_000
    pixels = np.asarray(Image.open(BytesIO(picture)).convert("RGB")).astype(int)
    orange = (pixels[-1, :, 0] > 180) & (pixels[-1, :, 2] < 60)
    bone = result.phases["bone"].pose
    first_panel = np.flatnonzero(orange)[0]
    assert (first_panel == 0) == (bone.affected_label == 1)


def test_the_course_stands_on_the_page(modelled: tuple[StudyPrediction, str]) -> None:
    predicted, page = modelled
    course = predicted.cohort.course
    assert course.lasting is not None
    for at in course.visits:
        assert f"{at.responders} of {at.known}" in page
    assert course.effects
    for row in effect_rows(course):
        assert row["share"] in page
    assert "Nothing here says that ketamine works" in page
    assert "mg/kg a day" in next(item.answer for item in tripod_items(predicted) if item.number == "6")
