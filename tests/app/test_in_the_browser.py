"""What a person does on the pages, in a real browser, and what the next run makes of it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from sudeck.study.folder.decision_kinds import Decision
from sudeck.study.folder.decisions import read_decisions, record_decision
from sudeck.study.folder.layout import StudyFolder, open_study
from sudeck.study.measuring.records import stored_record
from sudeck.study.measuring.run import run_study
from sudeck.synthetic.dicom.nm_dicom import write_bone_scan
from sudeck.synthetic.scan.bone_scan import simulate_bone_scan
from sudeck.synthetic.scan.scan_design import BoneScanDesign
from support.browsing import BROWSER, TOKEN, Visitor, serving
from support.reviewing import EMG_SESSION

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright, which the extra dev brings")
if BROWSER is None:
    pytest.skip("no Chromium on this machine", allow_module_level=True)

SCAN = "/patients/sub-001/ses-pre/scan"
TRIALS = f"/patients/sub-001/{EMG_SESSION}/trials"
REGION = '[data-phase="bone"] .region.affected'


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def visitor(study: StudyFolder, chromium: Any) -> Iterator[Visitor]:
    with serving(study) as address:
        context = chromium.new_context(viewport={"width": 1440, "height": 900})
        page = context.new_page()
        page.set_default_timeout(60_000)
        troubles: list[str] = []
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on(
            "console", lambda said: troubles.append(said.text) if "Content Security" in said.text else None
        )
        page.goto(f"{address}/?token={TOKEN}")
        yield Visitor(page, address, study)
        context.close()
        assert troubles == []


def rerun(study: StudyFolder, patient: str = "sub-001") -> dict[str, Any]:
    run_study(study.root, jobs=1)
    record = stored_record(study, patient)
    assert record is not None
    return record


def drag(visitor: Visitor, selector: str, dx: float, dy: float) -> None:
    place = visitor.page.locator(selector).first
    place.wait_for()
    box = place.bounding_box()
    for _ in range(50):  # what is drawn anew has no box for a moment
        if box is not None:
            break
        visitor.page.wait_for_timeout(100)
        box = place.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    visitor.page.mouse.move(x, y)
    visitor.page.mouse.down()
    visitor.page.mouse.move(x + dx, y + dy, steps=6)
    visitor.page.mouse.up()


def draw(visitor: Visitor) -> None:
    visitor.page.click("#draw")
    visitor.page.wait_for_selector(".corner")


def test_from_the_worklist_to_exactly_the_numbers_of_the_next_run(visitor: Visitor) -> None:
    page = visitor.page
    page.locator(".worklist a", has_text="sub-001").focus()
    visitor.press("Enter")
    page.wait_for_selector("body[data-ready]")
    first = visitor.ratios()
    assert page.locator(".mark").all_inner_texts() in (["L", "R"] * 3, ["R", "L"] * 3)
    draw(visitor)
    drag(visitor, REGION, 7, 5)
    moved = visitor.ratios()
    assert moved.keys() == first.keys()
    assert all(moved[name] != first[name] for name in first)
    assert "→" in visitor.text("tr[data-ratio=VPr] .was")
    visitor.save("half the wrist was missing")
    visitor.saved()
    assert visitor.ratios() == moved
    measured = rerun(visitor.study)["scans"]["ses-pre"]["estimates"]
    assert {name: one["value"] for name, one in measured.items()} == moved


def test_undo_and_redo_by_keyboard_give_the_same_numbers(visitor: Visitor) -> None:
    visitor.open(SCAN)
    first = visitor.ratios()
    draw(visitor)
    drawn = visitor.ratios()
    visitor.press("ArrowLeft", "ArrowUp", "]")
    moved = visitor.ratios()
    assert moved != drawn
    visitor.press("Control+z", "Control+z", "Control+z")
    assert visitor.ratios() == drawn
    visitor.press("Control+Shift+z", "Control+Shift+z", "Control+Shift+z")
    assert visitor.ratios() == moved
    visitor.press(*["Control+z"] * 4)
    assert visitor.ratios() == first
    assert "Nothing is changed" in visitor.text(".pending")


def test_a_region_on_air_is_refused_on_the_page(visitor: Visitor) -> None:
    visitor.open(SCAN)
    draw(visitor)
    visitor.press(*["ArrowUp"] * 60)
    visitor.settled()
    assert visitor.page.is_visible(".problem")
    assert visitor.page.is_disabled("form.save button.strong")
    assert read_decisions(visitor.study, "sub-001") == ()


def test_corners_are_added_and_removed_and_the_image_is_zoomed(visitor: Visitor) -> None:
    visitor.open(SCAN)
    draw(visitor)
    corners = visitor.page.locator('[data-phase="bone"] .corner')
    n = corners.count()
    corners.first.focus()
    visitor.press("Delete")
    assert corners.count() == n - 1
    visitor.press("+")
    assert "scale(1.4)" in str(visitor.page.locator(".moved").first.get_attribute("style"))
    visitor.press("0")
    assert "scale(1)" in str(visitor.page.locator(".moved").first.get_attribute("style"))


def test_the_healthy_side_is_moved_by_itself(visitor: Visitor) -> None:
    visitor.open(SCAN)
    first = visitor.ratios()
    visitor.page.click("#free")
    visitor.settled()
    drag(visitor, '[data-phase="tissue"] .region.healthy', 4, 3)
    visitor.press("ArrowUp", "[")
    shown = visitor.ratios()
    assert shown["TPr"] != first["TPr"]
    visitor.save("it lay too low")
    visitor.saved()
    assert [one.kind for one in read_decisions(visitor.study, "sub-001")] == ["mirror"]
    measured = rerun(visitor.study)["scans"]["ses-pre"]["estimates"]
    assert {name: one["value"] for name, one in measured.items()} == shown
    visitor.page.click("#free")
    visitor.settled()
    assert visitor.ratios() == first


def test_a_finding_points_at_its_place(visitor: Visitor) -> None:
    design = BoneScanDesign(limb="foot", injection_site="left")  # sub-001's limb
    scan = simulate_bone_scan(design, rng=np.random.default_rng(0))
    folder = visitor.study.scan_folder("sub-001", "ses-pre")
    for path in folder.iterdir():
        path.unlink()
    write_bone_scan(scan, folder, dialect="standard", patient_name="a", patient_id="a")
    visitor.open(SCAN)
    assert visitor.page.locator(".place").count() == 0
    visitor.page.locator(".flags button", has_text="times as hot").first.click()
    place, view = (
        visitor.page.locator(f".phase.told {name}").first.bounding_box() for name in (".place", ".view")
    )
    assert place is not None
    assert view is not None
    assert view["x"] < place["x"] < view["x"] + view["width"]
    assert view["y"] < place["y"] < view["y"] + view["height"]


def test_the_flow_is_played(visitor: Visitor) -> None:
    visitor.open(SCAN)
    visitor.page.click("#play")
    visitor.page.wait_for_function(
        "() => document.querySelector('#frame-said').textContent.startsWith('frame 5')"
    )
    visitor.page.click("#play")
    assert visitor.text("#frame-said") == "all frames"


def test_the_side_is_changed_on_the_page_and_used(visitor: Visitor) -> None:
    visitor.open(SCAN)
    before = visitor.ratios()
    visitor.page.click("details.sides summary")
    now = {"left": "right", "right": "left"}[rows_of(visitor.study)["sub-001"]]
    visitor.page.select_option('[data-kind="side"]', now)
    visitor.settled()
    visitor.page.wait_for_function(
        "() => document.querySelector('.pending').textContent.includes('affected side')"
    )
    shown = visitor.ratios()
    assert shown["VPr"] != before["VPr"]
    visitor.save("the letter says so")
    visitor.saved()
    measured = rerun(visitor.study)["scans"]["ses-pre"]["estimates"]
    assert {name: one["value"] for name, one in measured.items()} == shown


def rows_of(study: StudyFolder) -> dict[str, str]:
    head, *lines = study.table_file("participants").read_text(encoding="utf-8").splitlines()
    place = head.split("\t").index("affected_side")
    return {line.split("\t")[0]: line.split("\t")[place] for line in lines}


def counts(visitor: Visitor) -> list[int]:
    visitor.settled()
    cells = visitor.page.locator(".measures td[data-n]").all()
    return [int(str(cell.get_attribute("data-n")) or 0) for cell in cells]


def measures(visitor: Visitor) -> list[tuple[int, float]]:
    cells = visitor.page.locator(".measures td[data-n]").all()
    found = [(str(cell.get_attribute("data-n")), str(cell.get_attribute("data-value"))) for cell in cells]
    return [(int(n or 0), float(value or 0.0)) for n, value in found]


def test_one_trial_rejected_by_keyboard_taken_back_and_rejected_for_good(visitor: Visitor) -> None:
    visitor.open(TRIALS)
    first = counts(visitor)
    visitor.press("j", "j", "r")
    fewer = counts(visitor)
    assert {before - after for before, after in zip(first, fewer, strict=True)} == {0, 1}
    visitor.press("u")
    assert counts(visitor) == first
    visitor.press("r")
    visitor.save("coil moved")
    visitor.saved()
    assert counts(visitor) == fewer
    (decision,) = read_decisions(visitor.study, "sub-001")
    assert decision.kind == "trial"
    assert decision.about.startswith("trial 3")
    estimates = rerun(visitor.study)["recordings"][EMG_SESSION]["estimates"]
    assert sorted((one["n"] or 0, one["value"] or 0.0) for one in estimates) == sorted(measures(visitor))


def test_a_condition_is_rejected_at_once(visitor: Visitor) -> None:
    visitor.open(TRIALS)
    first = counts(visitor)
    visitor.page.select_option("#condition", index=1)
    visitor.page.click("#reject-all")
    visitor.settled()
    shown = int(visitor.text("#trace-title").split(" of ")[1].split()[0])
    assert f"{shown} rejected" in visitor.text(".pending")
    assert counts(visitor) != first
    visitor.press("Control+z")
    assert counts(visitor) == first
    visitor.press("Control+Shift+z")
    visitor.settled()
    assert f"{shown} rejected" in visitor.text(".pending")


def test_an_onset_is_moved_by_keyboard(visitor: Visitor) -> None:
    visitor.open(TRIALS)
    visitor.press("j")
    line = visitor.page.locator("#trace")
    while "no onset" in visitor.text("#trace-title"):
        visitor.press("j")
    before = float(str(line.get_attribute("aria-valuenow")))
    visitor.press("ArrowRight", "ArrowRight", "Shift+ArrowRight")
    visitor.settled()
    assert float(str(line.get_attribute("aria-valuenow"))) == pytest.approx(before + 1.1, abs=0.06)
    visitor.save("a late response")
    visitor.saved()
    assert read_decisions(visitor.study, "sub-001")[0].kind == "onset"


def test_a_whole_recording_is_judged_by_keyboard(visitor: Visitor) -> None:
    visitor.open(TRIALS)
    n = visitor.page.locator("#amplitudes .spot").count()
    for place in range(n):
        visitor.press(*(["r"] if place % 5 == 0 else []), "j")
    visitor.settled()
    shown = sorted(measures(visitor))
    visitor.save("looked at each")
    visitor.saved()
    assert len(read_decisions(visitor.study, "sub-001")) == len(range(0, n, 5))
    first = rerun(visitor.study)["recordings"][EMG_SESSION]
    assert sorted((one["n"] or 0, one["value"] or 0.0) for one in first["estimates"]) == shown
    shutil.rmtree(visitor.study.derivatives)
    assert rerun(visitor.study)["recordings"][EMG_SESSION] == first


def test_edits_outlive_the_page(visitor: Visitor) -> None:
    visitor.open(TRIALS)
    first = counts(visitor)
    visitor.press("j", "r")
    fewer = counts(visitor)
    visitor.page.reload()
    visitor.page.wait_for_selector(".offer button")
    assert counts(visitor) == first
    visitor.page.click("text=Go on with them")
    assert counts(visitor) == fewer


def test_a_second_tab_shows_both_and_lets_a_person_choose(visitor: Visitor) -> None:
    visitor.open(TRIALS)
    other = visitor.page.context.new_page()
    second = Visitor(other, visitor.address, visitor.study)
    second.open(TRIALS)
    for one, keys in ((visitor, ("j", "r")), (second, ("j", "j", "r"))):
        one.press(*keys)
    visitor.save("coil moved")
    visitor.saved()
    second.save("coil moved")
    other.wait_for_selector(".clash li")
    assert "trial 2" in other.locator(".clash li").inner_text()
    assert len(read_decisions(visitor.study, "sub-001")) == 1
    other.click("text=Save mine after these")
    second.saved()
    assert len(read_decisions(visitor.study, "sub-001")) == 2


def test_a_patient_is_signed_off_and_reopened(visitor: Visitor) -> None:
    visitor.open("/patients/sub-002")
    for button, word in (("Sign off", "signed"), ("Reopen", "")):
        visitor.page.fill("form.sign [name=who]", "NM")
        visitor.page.fill("form.sign [name=why]", "all looked at")
        with visitor.page.expect_navigation():
            visitor.page.click(f"form.sign button:text-is('{button}')")
        assert bool(visitor.page.locator(".notice .dot.signed").count()) == bool(word)
    assert [one.value for one in read_decisions(visitor.study, "sub-002")] == [True, None]
    visitor.open("/")
    assert visitor.page.locator("tr", has_text="sub-002").get_attribute("data-state") != "signed"


def test_what_is_typed_is_worked_out(visitor: Visitor) -> None:
    visitor.open("/patients/sub-001")
    for name, value in (("VPr", "1.2"), ("TPr", "1.3"), ("BPr", "1.1")):
        visitor.page.fill(f".calculator [name={name}]", value)
    visitor.settled()
    assert "1 of 3 published cut-offs exceeded" in visitor.text(".worked-out")
    visitor.page.fill(".calculator [name=BPr]", "")
    assert "Fill in the three ratios" in visitor.text(".worked-out")


def test_the_next_patient_is_a_key_away(visitor: Visitor) -> None:
    visitor.open(SCAN)
    wanted = str(visitor.page.locator(".tabs .next").get_attribute("href"))
    with visitor.page.expect_navigation():
        visitor.press("n")
    assert visitor.page.url.endswith(wanted)
    assert wanted.endswith("scan")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_readers_are_compared_and_a_reading_is_taken_over(visitor: Visitor, scheme: Any) -> None:
    visitor.page.emulate_media(color_scheme=scheme)
    for name in ("AB", "NM"):
        own = open_study(visitor.study.root, reader=name)
        for patient in visitor.study.patients():
            record_decision(own, Decision(patient, "accepted", True, name, "looked at"))
        record_decision(own, Decision("sub-001", "note", "seen twice", name, "looked at"))
        run_study(visitor.study.root, reader=name, jobs=1)
    visitor.open("/")
    visitor.page.click("text=Readers: AB, NM")
    visitor.page.wait_for_selector("button.take-over")
    assert grave(visitor) == []
    for width in (1280, 2560, 820):
        visitor.page.set_viewport_size({"width": width, "height": 900})
        assert visitor.page.evaluate("document.documentElement.scrollWidth") <= width
    visitor.page.fill("form.take [name=who]", "CD")
    visitor.page.fill("form.take [name=why]", "consensus")
    visitor.page.click("[data-patient=sub-001][data-reader=NM]")
    visitor.page.wait_for_function(
        "() => document.querySelector('.status').textContent.includes('as NM read')"
    )
    (decision,) = read_decisions(visitor.study, "sub-001")
    assert (decision.kind, decision.who) == ("accepted", "CD")


def grave(visitor: Visitor) -> list[str]:
    """Return the serious findings of axe on the page that is open."""
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="needs axe-playwright-python"
    ).Axe()
    violations = axe.run(visitor.page).response["violations"]
    return [one["id"] for one in violations if one["impact"] in ("serious", "critical")]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_can_be_used_by_everyone(visitor: Visitor, scheme: Any) -> None:
    visitor.page.emulate_media(color_scheme=scheme)
    found = {}
    for path in ("/", SCAN, TRIALS, "/patients/sub-001"):
        visitor.open(path)
        if path == SCAN:
            draw(visitor)
            visitor.page.click("details.sides summary")
        if path == TRIALS:
            visitor.press("j", "r")
            visitor.settled()
        if path.count("/") == 2:
            visitor.press("Tab")
        found[path] = grave(visitor)
    assert not any(found.values()), found


@pytest.mark.parametrize("width", [1280, 2560, 820])
def test_nothing_is_wider_than_the_window(visitor: Visitor, width: int) -> None:
    visitor.page.set_viewport_size({"width": width, "height": 900})
    for path in ("/", SCAN, TRIALS, "/patients/sub-001"):
        visitor.open(path)
        assert visitor.page.evaluate("document.documentElement.scrollWidth") <= width
