"""The page of a comparison: every change with its interval, each trial drawn, nothing from outside."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sudeck.core.provenance import SourceFile
from sudeck.report.kit.palette import BAND
from sudeck.report.tms.compare_figures import trial_values
from sudeck.report.tms.compare_page import comparison_page, write_comparison
from sudeck.report.tms.comparison_words import change_texts, comparisons_text
from sudeck.synthetic.emg.demo_recordings import make_demo_recordings
from sudeck.tms.change import MeasurementError
from sudeck.tms.comparison import compare_results
from sudeck.tms.measurement import measure_recordings
from sudeck.tms.recordings.trial_decisions import TrialDecision
from sudeck.tms.result import TmsResult
from sudeck.tms.saved import read_saved
from support.page_outline import outline_of

ERRORS = {"SICI": MeasurementError(0.1, 0.05, 0.3, "log", 12, source="retest.tsv")}


@pytest.fixture(scope="module")
def visits(tmp_path_factory) -> tuple[TmsResult, TmsResult]:
    made = make_demo_recordings(tmp_path_factory.mktemp("demo"), seed=3, trials=8)
    return measure_recordings(made.pre), measure_recordings(made.post)


@pytest.fixture(scope="module")
def folders(visits, tmp_path_factory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("saved")
    for name, visit in zip(("pre", "post"), visits, strict=True):
        visit.write(folder / name)
    return folder / "pre", folder / "post"


def page_of(pre, post, errors=None) -> str:
    return comparison_page(compare_results(pre.estimates, post.estimates, errors=errors), pre, post,
                           errors=errors)  # fmt: skip


def test_the_page_holds_every_change_with_its_interval(visits) -> None:
    pre, post = visits
    found = compare_results(pre, post, errors=ERRORS)
    seen = outline_of(page_of(pre, post, ERRORS)).words
    assert len(found.changes) > 30
    for one in found.changes:
        value, interval, limit = change_texts(one.change)
        assert f"{value} {interval} {limit}" in seen, one
    assert comparisons_text(found) in seen
    (left, right) = found.find("RMT")
    assert left.before is not None
    assert right.after is not None
    for one in (left.before, right.after):
        assert f"{one.estimate.value:.1f} %MSO" in seen


def test_json_gains_what_was_compared(visits) -> None:
    pre, post = visits
    found = compare_results(pre, post).to_dict()["changes"]
    (change,) = (
        c for c in found if (c["contrast"], c["measure"], c["hemisphere"]) == ("change", "RMT", "left")
    )
    assert change["estimate"]["value"] == pytest.approx(change["after"]["value"] - change["before"]["value"])
    assert all(c["before"] is None for c in found if c["contrast"] != "change")


def test_the_page_opens_without_a_network_and_names_nobody(visits) -> None:
    pre, post = visits
    label = "<script>alert('x')</script>\u202e.edf"
    source = SourceFile(label, "0" * 64, 1)
    hostile = replace(pre, provenance=replace(pre.provenance, sources=(source,)))
    page = page_of(hostile, post)
    outline = outline_of(page)
    tags = {tag for tag, _ in outline.seen}
    assert not tags & {"script", "link", "iframe", "object", "img"}
    assert "http:" not in page
    assert "https:" not in page
    for _, attributes in outline.seen:
        assert not {"src", "href", "onclick", "onload"} & set(attributes) or "#" in str(attributes)
    assert "\u202e" not in page
    assert str(Path.cwd()) not in page
    assert page == page_of(hostile, post)


def test_a_band_is_drawn_only_where_people_were_measured_twice(visits) -> None:
    pre, post = visits
    without, known = page_of(pre, post), page_of(pre, post, ERRORS)
    assert f'fill="{BAND}"' not in without
    assert known.count(f'fill="{BAND}"') == 2  # one a hemisphere
    assert "no change of these is called real" in outline_of(without).words
    assert "SICI: 12 people measured twice" in outline_of(known).words


def test_dots_are_the_trials_of_the_estimate(visits) -> None:
    pre, _ = visits
    for measure in ("MEP", "SICI", "MEP latency", "CSP"):
        for one in pre.find(measure):
            values = trial_values(one, pre.trials)
            assert values.size >= 2
            if measure == "MEP" and one.estimate.value < 0.1:
                continue  # Dots are what was read; the estimate is freed of the noise in them.
            middle = np.exp(np.mean(np.log(values[values > 0])))
            assert one.estimate.low <= middle <= one.estimate.high, one
    (one,) = pre.find("SICI", hemisphere="left")
    assert trial_values(one, pre.trials).size == 8
    everything = [replace(t, decision=TrialDecision(t.number, rejected=True)) for t in pre.trials]
    assert trial_values(one, everything).size == 0
    assert trial_values(pre.find("RMT")[0], pre.trials).size == 0


def test_saved_visits_draw_the_same_trials(visits, folders) -> None:
    for visit, folder in zip(visits, folders, strict=True):
        saved = read_saved(folder)
        assert len(saved.trials) == len(visit.trials)
        for one, other in zip(visit.estimates, saved.estimates, strict=True):
            own = trial_values(one, visit.trials)
            assert trial_values(other, saved.trials) == pytest.approx(own, rel=1e-9)
        assert [trial.group for trial in saved.trials] == [trial.group for trial in visit.trials]
        assert saved.provenance.sources == visit.provenance.sources


def test_results_without_trials_are_compared_and_it_is_said(folders, tmp_path: Path) -> None:
    alone = []
    for folder in folders:
        file = tmp_path / folder.name / "tms.json"
        file.parent.mkdir()
        file.write_bytes((folder / "tms.json").read_bytes())
        alone.append(read_saved(file))
    page = write_comparison(compare_results(*(one.estimates for one in alone)), *alone, tmp_path / "out")
    assert "There are no trials to draw" in outline_of(page.read_text()).words
    assert (tmp_path / "out" / "comparison.json").is_file()


def test_different_settings_are_told(visits) -> None:
    pre, post = visits
    settings = {**post.provenance.settings}
    settings["measures"] = {**settings["measures"], "resting_criterion_mv": 0.1}
    other = replace(post, provenance=replace(post.provenance, settings=settings))
    seen = outline_of(page_of(pre, other)).words
    assert "measured with different settings" in seen
    assert "0.05 mV, after: 0.1 mV" in seen
    assert "different settings" not in outline_of(page_of(pre, post)).words


def test_hemispheres_with_intensities_of_their_own_stand_in_one_figure(visits) -> None:
    page = page_of(*visits)
    titles = [part.partition("</h3>")[0] for part in page[: page.index('id="beside"')].split("<h3>")[1:]]
    assert sum(title.startswith("active MEP") for title in titles) == 1
    assert len(titles) == len(set(titles))
