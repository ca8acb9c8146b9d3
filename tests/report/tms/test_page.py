"""The report on magnetic stimulation: whole, honest, safe, small, and the same every time."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from sudeck.core.flags import Flag
from sudeck.core.provenance import SourceFile
from sudeck.report.tms import words
from sudeck.report.tms.compare_page import comparison_page
from sudeck.report.tms.console import print_comparison, print_tms
from sudeck.report.tms.flag_words import flag_lines
from sudeck.report.tms.page import MOST_DRAWN, tms_report
from sudeck.report.tms.panels import panels_of
from sudeck.report.tms.sweep_figures import sweeps_figure
from sudeck.synthetic.emg.demo_recordings import DemoRecordings, make_demo_recordings
from sudeck.tms.comparison import compare_results
from sudeck.tms.measurement import measure_recordings, measure_trials
from sudeck.tms.result import TmsResult
from sudeck.tms.signals.trials import AmplitudeTable, Pulse
from support.page_outline import outline_of

HOSTILE = "<script>alert('x')</script>\"&\u202egpj.exe\udcff\x1b[2J.edf"


def words_of(page: str) -> str:
    return re.sub(r"\s+", " ", " ".join(outline_of(page).text))


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> DemoRecordings:
    return make_demo_recordings(tmp_path_factory.mktemp("demo"), seed=3, trials=8)


@pytest.fixture(scope="module")
def result(demo: DemoRecordings) -> TmsResult:
    return measure_recordings(demo.pre)


@pytest.fixture(scope="module")
def page(result: TmsResult) -> str:
    return tms_report(result)


def people(n: int, *, visits: tuple[str, ...] = ("",)) -> list[AmplitudeTable]:
    """Tables of amplitudes of several people."""
    rng = np.random.default_rng(4)
    pulses = tuple(
        Pulse(float("nan"), "single", test_mso=60.0, hemisphere="left", muscle="FDI") for _ in range(6)
    )
    return [
        AmplitudeTable(
            np.exp(0.5 * rng.standard_normal(6)),
            tuple(replace(pulse, visit=visit) for pulse in pulses),
            None,
            SourceFile("t.csv", "0" * 64, 1),
            participant=f"P{number:02d}",
        )
        for number in range(n)
        for visit in visits
    ]


def test_every_measure_stands_with_its_interval_for_both_hemispheres(result: TmsResult, page: str) -> None:
    text = words_of(page)
    for measure in ("RMT", "SICI", "ICF", "LICI", "CSP", "MEPmax", "MEP latency"):
        found = result.find(measure)
        assert {one.hemisphere for one in found} == {"left", "right"}
        for one in found:
            value, unit = words.value_and_unit(one.estimate)
            assert f"{value} {unit}".strip() in text
            assert words.bounds_text(one.estimate) in text
    assert text.count("not a medical device") == 1


def test_every_figure_of_the_specification_is_there(page: str) -> None:
    outline = outline_of(page)
    drawn = [a.get("aria-label") or "" for tag, a in outline.seen if tag == "svg" and "role" in a]
    for kind, count in (
        ("sweeps by condition", 2),
        ("amplitude by trial", 2),
        ("posterior of the RMT", 2),
        ("recruitment curve", 2),
        ("paired-pulse ratios", 1),
    ):
        assert sum(label.startswith(kind) for label in drawn) == count, kind
    sections = {a.get("id") for tag, a in outline.seen if tag == "section"}
    assert {"meaning", "robustness", "checklist", "flags", "refused", "provenance"} <= sections
    text = words_of(page)
    assert "Which coil, of which size and shape?" in text
    assert "2.5, 12, 100 ms" in text


def test_the_page_is_small_and_asks_nothing_of_the_network(page: str) -> None:
    assert len(page.encode()) < 2_000_000
    assert not re.search(r"""(src|href)\s*=\s*["'](?!#|data:)""", page)
    assert not re.search(r"https?:", page)
    assert "<script" not in page


def test_equal_results_give_equal_bytes(result: TmsResult, page: str) -> None:
    assert tms_report(result) == page


def test_hostile_names_can_not_get_out_of_the_page(result: TmsResult) -> None:
    flags = (Flag("recording-refused", f"{HOSTILE}: the file is empty.", "serious", HOSTILE), *result.flags)
    sources = (SourceFile(HOSTILE, "0" * 64, 1), *result.provenance.sources)
    trials = tuple(replace(t, file=HOSTILE) for t in result.trials)
    hostile = replace(
        result, flags=flags, trials=trials, reporting={"age": HOSTILE},
        provenance=replace(result.provenance, sources=sources),
    )  # fmt: skip
    page = tms_report(hostile)
    outline_of(page)
    assert "<script" not in page
    assert "\u202e" not in page
    assert "\x1b" not in page
    page.encode("utf-8")
    screen = StringIO()
    print_tms(hostile, console=Console(file=screen, width=80, color_system=None))
    assert "\x1b" not in screen.getvalue()


def test_people_stay_apart_and_the_page_ends_somewhere() -> None:
    result = measure_trials(people(27))
    assert len(result.groups) == 27
    page = tms_report(result)
    text = words_of(page)
    assert all(f"P{number:02d}" in text for number in range(27))
    drawn = sum(tag == "svg" and "aria-label" in a for tag, a in outline_of(page).seen)
    assert drawn == MOST_DRAWN
    assert f"first {MOST_DRAWN} of 27" in text
    assert len(page) < 2_000_000


def test_flagged_trials_are_told_and_not_left_out(demo: DemoRecordings, result: TmsResult) -> None:
    spoilt = replace(result, trials=tuple(replace(t, flags=("hum",)) for t in result.trials))
    assert f"{len(result.trials)} of {len(result.trials)} trials carry a flag" in words_of(tms_report(spoilt))


def test_like_flags_are_told_once() -> None:
    asked = [Flag("not-stated", f"for {i} of {i}", "info", f"P{i} muscle") for i in range(27)]
    other = [Flag("drift", "It drifts.", "caution", "left"), Flag("drift", "So too.", "caution", "right")]
    same = [Flag("condition-unmatched", "No S1.", "caution", f"{name} conditions") for name in "ab"]
    given = flag_lines([*asked, *other, *same])
    elsewhere = "The like was found 26 times more, in other channels, people or conditions."
    assert [(flag.code, flag.text) for flag in given] == [
        ("drift", "It drifts. (left)"),
        ("drift", "So too. (right)"),
        ("condition-unmatched", "No S1. (a, b)"),
        ("not-stated", f"for 0 of 0 {elsewhere}"),
    ]


def test_flags_on_trials_are_told_by_the_worst_with_the_trials_of_each_condition(result: TmsResult) -> None:
    first = result.trials[0]
    trials = [
        replace(
            first,
            file=file,
            channel="FDI",
            number=number,
            pulse=replace(first.pulse, condition="SICI" if number < 4 else "ICF"),
        )
        for file in ("a.cfs", "b.cfs")
        for number in range(1, 9)
    ]
    flags = [
        Flag("clipping", f"Trial {i} clips for {i} ms.", "caution", f"a.cfs FDI trial {i}", float(i))
        for i in (1, 2, 3, 5, 8)
    ]
    (one,) = flag_lines(flags, trials)
    assert one.text == "Trial 8 clips for 8 ms. Found in 5 trials: a.cfs FDI SICI (1 to 3), ICF (5, 8)."
    (alone,) = flag_lines(flags[:1], trials)
    assert alone.text == "Trial 1 clips for 1 ms. (a.cfs FDI SICI)"
    in_one_file = [replace(flag, subject=flag.subject.removeprefix("a.cfs FDI ")) for flag in flags]
    (line,) = flag_lines(in_one_file, trials[:8])
    assert line.text.endswith("Found in 5 trials: SICI (1 to 3), ICF (5, 8).")


def test_panels_pair_hemispheres_and_part_people_visits_and_ipsilateral_muscles(result: TmsResult) -> None:
    (panel,) = panels_of(result)
    assert [side.group.hemisphere for side in panel.sides] == ["left", "right"]
    names = [{sweeps.name for sweeps in side.sweeps} for side in panel.sides]
    assert {"test alone", "pair 2.5 ms", "pair 12 ms", "pair 100 ms", "active"} <= (names[0] & names[1])
    assert [p.title for p in panels_of(measure_trials(people(2, visits=("pre", "post"))))] == [
        "P00, pre, FDI", "P00, post, FDI", "P01, pre, FDI", "P01, post, FDI",
    ]  # fmt: skip


def test_the_console_keeps_to_its_width_and_alphabet(
    demo: DemoRecordings, result: TmsResult, tmp_path: Path
) -> None:
    post = measure_recordings(demo.post)
    for width in (80, 120):
        screen = StringIO()
        console = Console(file=screen, width=width, color_system=None)
        print_tms(result, written=str(tmp_path), console=console)
        print_comparison(compare_results(result, post), console=console)
        lines = screen.getvalue().splitlines()
        assert max(len(line) for line in lines if str(tmp_path) not in line) <= width
        assert any("SICI" in line and "within error" in line for line in lines)
        assert any("comparisons are shown" in line for line in lines)
    assert "none was left out" in screen.getvalue() or not any(trial.flags for trial in result.trials)


def test_an_open_interval_is_told_as_a_bound() -> None:
    from sudeck.core.estimate import Estimate

    bound = Estimate("MEPmax", 2.9661, 1.594, float("inf"), unit="mV")
    assert words.value_and_unit(bound) == ("3.0", "mV")
    assert words.bounds_text(bound) == "above 1.6"
    assert words.value_and_unit(Estimate("MEP", 0.0321, 0.02, 0.05, unit="mV")) == ("32", "µV")


def test_an_open_question_says_what_so_many_trials_can_show(result: TmsResult) -> None:
    from dataclasses import replace

    from sudeck.report.tms.sentences import sentences

    group = next(group for group in result.groups if group.pairs)
    sici = next(one for one in group.estimates if one.measure == "SICI")
    vague = replace(sici, estimate=replace(sici.estimate, value=0.8, low=0.4, high=1.6, n=20.0))
    (said,) = sentences(replace(result, groups=(replace(group, estimates=(vague,), thresholds={}),)))
    assert said.endswith(
        "do not tell inhibition from none: 20 trials of such scatter can not show less than a fall to 0.50."
    )


def test_every_conditioning_intensity_of_one_interval_is_drawn(result: TmsResult) -> None:
    item, responses = result.sweeps[0]
    paired = [i for i, pulse in enumerate(item.pulses) if pulse.kind == "paired" and pulse.isi_ms == 2.5]
    weak = set(paired[::2])
    pulses = tuple(
        replace(pulse, conditioning_mso=20.0) if i in weak else pulse for i, pulse in enumerate(item.pulses)
    )
    two = replace(result, sweeps=((replace(item, pulses=pulses), responses), *result.sweeps[1:]))
    (drawn,) = [side for panel in panels_of(two) for side in panel.sides if side.group.hemisphere == "left"]
    strengths = [sweeps.name for sweeps in drawn.sweeps if sweeps.name.startswith("pair 2.5 ms")]
    assert len(set(strengths)) == 2
    assert sum(len(s.emg_mv) for s in drawn.sweeps if s.name in strengths) == len(paired)
    # What the figure goes by is unique.
    assert len({sweeps.name for sweeps in drawn.sweeps}) == len(drawn.sweeps)


def test_small_responses_are_drawn_larger_and_it_says_so(result: TmsResult) -> None:
    (panel,) = panels_of(result)
    side = panel.sides[0]
    figure = sweeps_figure(side, panel=panel, points=80)
    steps = sorted(
        (s for s in side.sweeps if s.name.startswith("single")), key=lambda s: float(s.name.split()[1])
    )
    assert all(f">{sweeps.name}<" in figure for sweeps in side.sweeps if not sweeps.detail)
    weakest = figure[figure.index(f">{steps[0].name}<") : figure.index(f">{steps[1].name}<")]
    strongest = figure[figure.index(f">{steps[-1].name}<") :][:400]
    assert re.search(r">×(20|50)<", weakest)
    assert "×" not in strongest


def test_recordings_need_no_matplotlib(result: TmsResult, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert "<svg" in tms_report(result)
    found = compare_results(result, result)
    assert "<svg" in comparison_page(found, result, result)
