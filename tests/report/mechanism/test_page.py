"""The page of the mechanism: its numbers are those of the result, and it says what could not be said."""

from __future__ import annotations

import math
import re
import shutil
from dataclasses import replace
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import pytest

from sudeck.core.estimate import Estimate
from sudeck.core.flags import Flag
from sudeck.mechanism.circuit_fit.explanation import STRAINED
from sudeck.mechanism.circuit_fit.factors import FACTORS
from sudeck.mechanism.circuit_fit.hierarchy import GroupFactor, GroupPosterior
from sudeck.mechanism.circuit_fit.posterior_summary import PREFERRED_FROM
from sudeck.report.kit.text import decimals_of, interval_text, number, p_text, percent, value_text
from sudeck.report.mechanism.circuit_rows import median_explanation
from sudeck.report.mechanism.circuit_words import group_balance_sentence, left_open
from sudeck.report.mechanism.page import write_mechanism_report
from sudeck.report.mechanism.words import PREFERRED, sentences, unanswered_sentences, visit_names
from sudeck.report.study.page import REPORT_FILE, link_pages
from sudeck.study.answers.circuit_fits import FitFailure
from sudeck.study.answers.study_explanation import StudyExplanation
from sudeck.study.folder.create import create_study
from sudeck.study.folder.layout import StudyFolder
from support.explained import circuit, study

Reported = tuple[StudyExplanation, str, Path]


def report(root: Path, explained: StudyExplanation) -> Reported:
    create_study(root, name=explained.name)
    page = write_mechanism_report(root, explained)
    return explained, page.read_text(encoding="utf-8"), page


@pytest.fixture(scope="module")
def reported(tmp_path_factory: pytest.TempPathFactory) -> Reported:
    """Eight patients, the circuits of three, one that could not be fitted."""
    circuits = [circuit("sub-001"), circuit("sub-002", gaba_a=0.7), circuit("sub-003", gaba_a=0.9)]
    failures = [FitFailure("sub-004", "No circuit comes near these measures.")]
    return report(
        tmp_path_factory.mktemp("mechanism") / "study", study(8, circuits=circuits, failures=failures)
    )


def text_of(page: str) -> str:
    """The words of a page, markup taken out."""
    without = re.sub(r"<(svg|style)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", without)))


def row_of(page: str, *words: str) -> str:
    """The text of the first table row that holds all words."""
    for row in re.findall(r"<tr\b.*?</tr>", page, flags=re.DOTALL):
        text = text_of(row)
        if all(word in text for word in words):
            return text
    raise AssertionError(f"no row holds {words}")


def test_changes_stand_as_they_were_estimated(reported: Reported) -> None:
    explained, page, _ = reported
    assert explained.group is not None
    rows = [text_of(row) for row in re.findall(r"<tr\b.*?</tr>", page, flags=re.DOTALL)]
    assert len(explained.group.changes.changes) == 12
    for change in explained.group.changes.changes:
        assert change.p_family is not None
        given = " ".join((number(change.ratio.value, 2), interval_text(change.ratio, 2), p_text(change.p)))
        given += f" {p_text(change.p_family)}"
        assert any(given in row and str(change.n) in row for row in rows), given


def test_the_hemispheres_are_compared_at_each_visit(reported: Reported) -> None:
    explained, page, _ = reported
    assert explained.group is not None
    assert len(explained.group.changes.asymmetries) == 8
    for one in explained.group.changes.asymmetries:
        row = row_of(page, f" {one.visit} ", f"{number(one.ratio.value, 2)} {interval_text(one.ratio, 2)}")
        assert f"{p_text(one.p)} {one.n} " in row


def test_every_verdict_stands_with_its_numbers(reported: Reported) -> None:
    explained, page, _ = reported
    assert explained.group is not None
    for judgement in explained.group.pattern:
        name = judgement.hypothesis.name
        row = row_of(page, name[:1].upper() + name[1:])
        assert f" {judgement.verdict} " in row
        for found in judgement.numbers.values():
            value = found["r"] if "r" in found else found["ratio"]
            assert f"{number(value, 2)} ({number(found['low'], 2)} to {number(found['high'], 2)})" in row
            assert f"n = {found['n']}" in row


def test_associations_stand_with_what_one_patient_does_to_them(reported: Reported) -> None:
    explained, page, _ = reported
    assert explained.group is not None
    assert explained.group.associations is not None
    for one in explained.group.associations.associations:
        side = {"pain": "pain side", "other": "other side"}[one.hemisphere]
        row = row_of(page, f"{one.measure}, {side}", number(one.spearman.value, 2))
        assert f"{number(one.pearson.value, 2)} {interval_text(one.pearson, 2)}" in row
        assert f"{number(one.influence.lowest, 2)} to {number(one.influence.highest, 2)}" in row
        if one.corrected is not None:
            assert f"{number(one.corrected.value, 2)} {interval_text(one.corrected, 2)}" in row


def test_the_power_and_the_printed_numbers_are_told(reported: Reported) -> None:
    explained, page, _ = reported
    assert explained.group is not None
    power = explained.group.changes.power
    assert power is not None
    text = text_of(page)
    seen = [
        own for judged in explained.group.pattern if (own := explained.group.power_of(judged)) is not None
    ]
    assert seen
    for own in seen:
        assert f"|r| = {number(own.significant_r, 2)}" in text
    for ratio in power.ratios:
        assert f"{ratio.name} ×{number(ratio.fall, 2)} ×{number(ratio.rise, 2)}" in text
    for one in explained.reported.correlations:
        assert str(one) in text


def test_every_patient_is_drawn_and_leads_to_the_own_page(reported: Reported) -> None:
    explained, page, place = reported
    for patient in explained.patients:
        assert page.count(f"<title>{patient}: pre ") == 8  # four measures, two hemispheres
        assert f"<title>{patient}: " in page
    for link in re.findall(r'href="([^"#]+)"', page):
        assert (place.parent / unquote(link)).is_file()
    own = (place.parent / "sub-001" / "mechanism.html").read_text(encoding="utf-8")
    back = re.findall(r'href="([^"#]+)"', own)[0]
    assert (place.parent / "sub-001" / unquote(back)).resolve() == place.resolve()


def test_accounts_and_balance_stand_in_the_row_of_the_patient(reported: Reported) -> None:
    explained, page, _ = reported
    for one in explained.circuit:
        row = row_of(page, one.patient, "%")
        for account in one.hypotheses:
            assert percent(account.probability) in row
        balance = next(f for f in one.factors if (f.visit, f.hemisphere) == ("change", "balance"))
        assert f"×{number(balance.estimate.value, 2)} {interval_text(balance.estimate, 2)}" in row
    assert page.count("share best") == len(explained.circuit)


def test_accounts_are_not_weighed_where_the_circuits_do_not_reproduce_the_measures(tmp_path: Path) -> None:
    strained = Flag(STRAINED, "The measures are unlike those of all accounts.", "caution")
    circuits = [circuit("sub-001"), replace(circuit("sub-002"), preferred="", flags=(strained,))]
    _, page, place = report(tmp_path / "study", study(3, circuits=circuits))
    share = percent(circuits[0].hypotheses[0].probability)
    assert share in row_of(page, "sub-001", "%")
    rows = map(text_of, re.findall(r"<tr\b.*?</tr>", page, flags=re.DOTALL))
    assert not any("sub-002" in row and "%" in row for row in rows)
    own = text_of((place.parent / "sub-002" / "mechanism.html").read_text(encoding="utf-8"))
    assert share not in own
    assert strained.message in own


def test_measures_that_no_circuit_shows_leave_a_page_that_says_so(tmp_path: Path) -> None:
    misfit = replace(circuit("sub-001"), factors=(), hypotheses=(), preferred="", share=None, verdict="No.")
    _, page, place = report(tmp_path / "study", study(3, circuits=[misfit]))
    own = text_of((place.parent / "sub-001" / "mechanism.html").read_text(encoding="utf-8"))
    for text in (text_of(page), own):
        assert "These measurements tell of no connection, so none is drawn." in text
        assert "no circuit follows from them" in text
    assert "Probability" not in own
    assert "to the hand" not in page


def test_the_balance_is_told_with_what_it_is_known_to_within() -> None:
    balance = next(f for f in circuit().factors if (f.visit, f.hemisphere) == ("change", "balance"))
    (given,) = group_balance_sentence([balance] * 3, {})
    low, high = balance.estimate.low, balance.estimate.high
    assert f"to within a factor of {number(math.sqrt(high / low), 2)}" in given
    assert f"surely above ×1 in {3 * (low > 1)} of 3" in given


def test_the_median_patient_is_the_median() -> None:
    circuits = [circuit(gaba_a=value) for value in (0.5, 0.7, 0.9)]
    found = median_explanation(circuits)["pre"]["pain", "gaba_a"]
    assert found.estimate.value == pytest.approx(0.7)
    assert found.estimate.low == pytest.approx(math.sqrt(0.5 * 0.7))
    assert found.narrowing == pytest.approx(0.3)
    assert median_explanation(()) == {}


def test_a_circuit_that_failed_is_named_with_its_reason(reported: Reported) -> None:
    _, page, place = reported
    assert "Circuit of sub-004 : No circuit comes near these measures." in text_of(page)
    own = (place.parent / "sub-004" / "mechanism.html").read_text(encoding="utf-8")
    assert "No circuit comes near these measures." in own


def test_what_is_not_identified_is_listed_once_and_said_plainly(reported: Reported) -> None:
    _, page, place = reported
    own = text_of((place.parent / "sub-001" / "mechanism.html").read_text(encoding="utf-8"))
    nothing = "GABA-B inhibition, NMDA on interneurons and steady drive of GABA-B cells"
    for text, whose in ((text_of(page), "one patient's"), (own, "these")):
        assert f"Not known from {whose} measurements" in text
        assert f"Nothing is known of {nothing}." in text
    visits = ("pre", "post", "change")
    assert left_open(circuit().factors, visits, {"SICI", "RMT"}) == (
        f"Only IHI, LICI or a silent period would tell of {nothing}.",
        (),
    )
    partly = [
        replace(one, narrowing=0.9) if (one.visit, one.factor) == ("pre", "gaba_a") else one
        for one in circuit().factors
    ]
    assert left_open(partly, visits, {"IHI"}) == (
        f"Nothing is known of {nothing}.",
        ("GABA-A inhibition, pain side: pre", "GABA-A inhibition, other side: pre"),
    )
    # What SICI could tell of and does not is not put down to measures that are missing.
    faint = [replace(one, narrowing=0.9) if one.factor == "gaba_a" else one for one in circuit().factors]
    assert left_open(faint, visits, {"SICI"})[0] == (
        f"Nothing is known of GABA-A inhibition. Only IHI, LICI or a silent period would tell of {nothing}."
    )


def test_a_patient_page_shows_observed_and_predicted(reported: Reported) -> None:
    explained, _, place = reported
    page = (place.parent / "sub-001" / "mechanism.html").read_text(encoding="utf-8")
    text = text_of(page)
    assert explained.circuit[0].verdict in text
    for account in explained.circuit[0].hypotheses:
        assert account.sentence in text
    point = next(p for p in explained.circuit[0].curves if p.measure == "CSP")
    assert f"{value_text(point.observed)} ({interval_text(point.observed)})" in text
    assert interval_text(point.predicted, decimals_of(point.observed)) in text
    for name, rows in explained.measures.query("participant_id == 'sub-001'").groupby("measure"):
        found = [Estimate(name, row.value, row.low, row.high) for row in rows.itertuples()]
        places = min(map(decimals_of, found))
        for one in found:
            assert f"{number(one.value, places)} {interval_text(one, places)}" in text
    assert "SICI and ICF, pain side" in page
    assert "The intervals of 32 of 32 measures meet the prediction." in text


def test_the_page_is_self_contained_and_the_same_every_time(reported: Reported, tmp_path: Path) -> None:
    explained, page, place = reported
    for file in place.parent.rglob("mechanism.html"):
        text = file.read_text(encoding="utf-8")
        assert not re.search(r"https?://|//[a-z]+\.|<script|<link|@import", text)
        assert file.stat().st_size < 1_000_000
        for svg in re.findall(r"<svg\b[^>]*>", text):
            assert "aria-label=" in svg
        identifiers = re.findall(r' id="([^"]+)"', text)
        assert len(identifiers) == len(set(identifiers))
    shutil.copytree(place.parents[2], tmp_path / "study")
    again = write_mechanism_report(tmp_path / "study", explained)
    assert again.read_text(encoding="utf-8") == page


def test_a_page_that_would_not_change_is_not_made_again(tmp_path: Path) -> None:
    circuits = [circuit("sub-001"), circuit("sub-002")]
    _, _, place = report(tmp_path / "study", study(4, circuits=circuits))
    pages = [place.parent / f"sub-00{number}" / "mechanism.html" for number in (1, 2, 3, 4)]
    before = [page.stat().st_mtime_ns for page in pages]
    changed = replace(circuits[1], verdict="Another verdict.")
    write_mechanism_report(tmp_path / "study", study(4, circuits=[circuits[0], changed]))
    after = [page.stat().st_mtime_ns for page in pages]
    assert [old == new for old, new in zip(before, after, strict=True)] == [True, False, True, True]
    assert "Another verdict." in pages[1].read_text(encoding="utf-8")


def test_without_circuits_the_statistics_stand_alone(tmp_path: Path) -> None:
    _, page, place = report(tmp_path / "study", study(6))
    assert "The circuit was not asked for." in page
    assert "to the hand" not in page
    assert "What changed: post over pre" in page
    assert len(list(place.parent.glob("sub-*/mechanism.html"))) == 6


def test_without_relief_nothing_is_associated_and_that_is_said(tmp_path: Path) -> None:
    explained, page, _ = report(tmp_path / "study", study(6, relief=False))
    assert "What goes with relief" not in page
    assert any("relief" in flag.message for flag in explained.unanswered)
    for flag in explained.unanswered:
        assert flag.message.removeprefix(f"{flag.subject}: ") in unescape(page)


def test_one_patient(tmp_path: Path) -> None:
    _, page, _ = report(tmp_path / "study", study(1, circuits=[circuit()]))
    text = text_of(page)
    assert "1 patient was examined" in text
    assert "The circuit was fitted to 1 of 1 patient." in text
    assert "Too few patients to state what could be seen." in text
    assert "Known · sure" not in text
    assert page.count("to the hand") == 6


def test_the_change_of_all_patients_together_is_what_is_drawn(tmp_path: Path) -> None:
    circuits = [circuit(f"sub-00{number}") for number in (1, 2, 3)]
    mean = Estimate("mean change", 0.8, 0.7, 0.9, level=0.95)
    spread = Estimate("spread", 0.1, 0.0, 0.2, level=0.95)
    factors = tuple(
        GroupFactor(side, name, mean, spread, 0.3 if (side, name) == ("pain", "nmda_pyramids") else 1.0)
        for name in FACTORS
        for side in ("pain", "other")
    )
    group = GroupPosterior(factors, {one.patient: () for one in circuits})
    _, page, _ = report(tmp_path / "study", replace(study(3, circuits=circuits), circuit_group=group))
    assert page.count("to the hand") == 2
    assert page.index("to the hand") < page.index("The published pattern")
    assert "×0.80" in row_of(page, "NMDA on pyramidal cells", "0.70 to 0.90")


def test_one_visit_only_draws_before(tmp_path: Path) -> None:
    circuits = [circuit("sub-001", ("pre",)), circuit("sub-002", ("pre",))]
    _, page, place = report(tmp_path / "study", study(3, ("pre",), circuits=circuits))
    assert page.count("to the hand") == 2
    assert "after over before" not in re.sub(r"<p class=\"note\">.*?</p>", "", page, flags=re.DOTALL)
    own = (place.parent / "sub-001" / "mechanism.html").read_text(encoding="utf-8")
    assert own.count("to the hand") == 2
    assert "No change could be estimated." in text_of(page)


def test_three_visits_compare_the_last_with_the_first(tmp_path: Path) -> None:
    visits = ("pre", "post", "week4")
    circuits = [circuit("sub-001", visits, curves=False)]
    _, page, place = report(tmp_path / "study", study(4, visits, circuits=circuits))
    assert "What changed: post over pre" in page
    assert "What changed: week4 over pre" in page
    own = (place.parent / "sub-001" / "mechanism.html").read_text(encoding="utf-8")
    assert "Change, week4 over pre" in own
    assert "Observed against predicted" not in own
    assert visit_names(("pre",)) == {"pre": "Pre"}


def test_patients_left_out_of_the_associations_are_told_once(tmp_path: Path) -> None:
    explained = study(7, unknown_relief=1)
    _, page, _ = report(tmp_path / "study", explained)
    assert explained.group is not None
    assert explained.group.associations is not None
    assert explained.group.associations.flags
    for flag in explained.group.associations.flags:
        assert text_of(page).count(flag.message) == 1


def test_no_change_stands_out_whose_own_interval_holds_one() -> None:
    """Signs may hold in the family where sizes leave it open."""
    group = study(8).group
    assert group is not None
    first = replace(group.changes.changes[0], p_family=0.001)
    for low, named in ((1.05, True), (0.95, False)):
        ratio = replace(first.ratio, value=1.2, low=low, high=1.4)
        changes = replace(group.changes, changes=(replace(first, ratio=ratio),))
        text = " ".join(sentences(8, ("pre", "post"), replace(group, changes=changes), (), 0))
        assert ("stand out from all measures together:" in text) == named
        assert ("no change stands out" in text) != named


def test_one_reason_for_many_questions_is_told_once() -> None:
    flags = [
        Flag("no-answer", f"{name}: too few.", "serious", name)
        for name in ("SICI, pain side", "RMT, pain side")
    ]
    flags.append(Flag("no-answer", "No visit is called 'post'.", "serious", "study"))
    assert unanswered_sentences(flags) == (
        "SICI, pain side; RMT, pain side: too few.",
        "No visit is called 'post'.",
    )


def test_open_bounds_are_drawn_to_the_rim_and_told_as_infinite(tmp_path: Path) -> None:
    one = circuit()
    wide = [Estimate(point.measure, 0.5, 0.0, math.inf) for point in one.curves]
    points = [replace(point, observed=w, predicted=w) for point, w in zip(one.curves, wide, strict=True)]
    factors = [
        replace(item, estimate=Estimate("gaba_a", 0.5, 0.0, math.inf)) if item.factor == "gaba_a" else item
        for item in one.factors
    ]
    explained = study(4, circuits=[replace(one, curves=tuple(points), factors=tuple(factors))])
    _, page, place = report(tmp_path / "study", explained)
    own = (place.parent / "sub-001" / "mechanism.html").read_text(encoding="utf-8")
    assert "0.00 to ∞" in own
    drawn = "".join(re.findall(r' (?:d|x|cx|cy)="([^"]*)"', own + page))
    assert drawn
    assert "nan" not in drawn
    assert "inf" not in drawn


def test_nothing_of_a_name_is_taken_as_markup(tmp_path: Path) -> None:
    _, page, _ = report(tmp_path / "study", study(4, name="<b>Study</b> & \u202eco"))
    assert "<b>Study</b>" not in page
    assert "\u202e" not in page


def test_the_report_of_the_study_leads_here_whichever_was_written_first(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path / "study")
    create_study(folder.root, name="s")
    link_pages(folder)  # nothing there yet
    folder.derivatives.mkdir(parents=True, exist_ok=True)
    place = folder.derivatives / REPORT_FILE
    place.write_text(
        '<p class="note" id="mechanism"></p><p class="note" id="treatment"></p>', encoding="utf-8"
    )
    page = write_mechanism_report(folder.root, study(4)).read_text(encoding="utf-8")
    assert 'href="report.html"' in page
    assert place.read_text(encoding="utf-8").count('href="mechanism.html"') == 1
    (folder.derivatives / "ketamine.html").write_text("", encoding="utf-8")
    link_pages(folder)
    assert place.read_text(encoding="utf-8").count('href="mechanism.html"') == 1
    assert place.read_text(encoding="utf-8").count('href="ketamine.html"') == 1


def test_an_account_is_preferred_from_where_the_circuit_prefers_it() -> None:
    assert PREFERRED == PREFERRED_FROM
