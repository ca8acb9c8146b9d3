from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from sudeck.cli import main
from sudeck.core.storage import write_text
from sudeck.synthetic.dicom.nm_dicom import write_bone_scan
from sudeck.synthetic.emg.demo_recordings import DemoRecordings, make_demo_recordings
from sudeck.synthetic.emg.synthetic_recording import VirtualHemisphere
from sudeck.synthetic.scan.bone_scan import BoneScanDesign, simulate_bone_scan
from sudeck.tms.recordings.protocol import protocol_from
from support.page_outline import outline_of


@dataclass(frozen=True)
class Ended:
    status: int
    out: str
    err: str


@pytest.fixture
def sudeck(monkeypatch, capsys) -> Callable[..., Ended]:
    """Run the command in this process and return what it printed and how it ended."""

    def run(*arguments: object, typed: str = "") -> Ended:
        monkeypatch.setattr(sys, "argv", ["sudeck", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        status = 0
        try:
            main()
        except SystemExit as end:
            status = int(end.code or 0)
        captured = capsys.readouterr()
        return Ended(status, captured.out, captured.err)

    return run


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> DemoRecordings:
    return make_demo_recordings(tmp_path_factory.mktemp("demo"), seed=3, trials=12)


@pytest.fixture(scope="module")
def measured(demo: DemoRecordings, tmp_path_factory) -> dict[str, Path]:
    """Both visits measured by the command, as a user would run it."""
    folders = {}
    for visit, files in (("pre", demo.pre), ("post", demo.post)):
        folders[visit] = tmp_path_factory.mktemp(visit) / "results"
        command = ["-c", "from sudeck.cli import main; main()", "tms", *map(str, files), "--out"]
        done = subprocess.run(
            [sys.executable, "-W", "error", *command, str(folders[visit])],
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
    return folders


def test_both_hemispheres_are_measured_printed_and_written(
    sudeck, demo: DemoRecordings, measured: dict[str, Path], tmp_path: Path
) -> None:
    content = json.loads((measured["pre"] / "tms.json").read_text())
    for side in ("left", "right"):
        found = {e["measure"]: e for e in content["estimates"] if e["hemisphere"] == side}
        truth = demo.truth["pre", side]
        assert found["RMT"]["low"] - 1 < truth["RMT"] < found["RMT"]["high"] + 1
        for name in ("SICI", "ICF", "LICI"):
            # One draw: wider than the interval by half, so that the test does not fail one time in twenty.
            low, high = found[name]["low"] ** 1.5 / found[name]["value"] ** 0.5, found[name]["high"] * 1.5
            assert low < truth[name] < high
        assert found["SICI"]["isi_ms"] == 2.5
        assert {"CSP", "MEPmax", "S50", "MEP latency"} <= set(found)
    rows = (measured["pre"] / "trials.tsv").read_text().splitlines()
    head = "file trial time_s condition hemisphere muscle amplitude_mv latency_ms baseline_rms_mv flags"
    assert rows[0].split("\t")[:10] == head.split()
    assert len(rows) == 1 + 2 * (8 * 6 + 4 * 12 + 8)
    assert (measured["pre"] / "report.html").stat().st_size < 2_000_000
    shown = sudeck("tms", demo.pre[0], "--muscle", "FDI")
    assert shown.status == 0
    assert "left hemisphere, right FDI" in shown.out
    assert all(len(line) <= 80 for line in shown.out.splitlines())


def test_post_against_pre_with_and_without_the_error_between_sessions(
    sudeck, measured: dict[str, Path], tmp_path: Path
) -> None:
    unknown = sudeck("tms", "compare", measured["pre"], measured["post"], "--out", tmp_path)
    assert unknown.status == 0
    assert "no change of these is called real" in " ".join(unknown.out.split())
    page = tmp_path / "comparison.html"
    assert f"Results: {page}" in unknown.out
    assert "left, FDI" in outline_of(page.read_text()).words
    content = json.loads((tmp_path / "comparison.json").read_text())
    changes = {(c["contrast"], c["measure"], c["hemisphere"]): c for c in content["changes"]}
    assert changes["change", "SICI", "left"]["estimate"]["value"] < 0.8
    assert not any(change["real"] for change in content["changes"])
    assert ("hemisphere × time", "SICI", "left") in changes

    write_text(
        tmp_path / "retest.tsv",
        "measure\tfirst\tsecond\n" + "SICI\t0.5\t0.52\nSICI\t0.4\t0.39\nSICI\t0.7\t0.69\n",
    )
    sudeck("tms", "compare", measured["pre"], measured["post"] / "tms.json", "--retest",
           tmp_path / "retest.tsv", "--out", tmp_path)  # fmt: skip
    known = json.loads((tmp_path / "comparison.json").read_text())["changes"]
    sici = next(
        c for c in known if (c["contrast"], c["measure"], c["hemisphere"]) == ("change", "SICI", "left")
    )
    assert sici["verdict"] != "beyond trial error only"
    assert sici["real"] == (abs(np.log(sici["estimate"]["value"])) > np.log(sici["smallest_detectable"]))


def test_what_is_no_result_is_refused(sudeck, tmp_path: Path) -> None:
    write_text(tmp_path / "tms.json", "{}")
    for path in (tmp_path, tmp_path / "tms.json"):
        done = sudeck("tms", "compare", path, path)
        assert done.status == 2
        assert "no tms.json as Sudeck writes it" in done.err


def test_visits_of_one_table_are_compared_by_name(sudeck, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    rows = ["subject,visit,amplitude_mv,intensity_mso,hemisphere"]
    for person in ("a", "b"):
        for visit, middle in (("before", 1.0), ("after", 2.0)):
            rows += [
                f"{person},{visit},{middle * np.exp(0.3 * z):.4f},60,left" for z in rng.standard_normal(20)
            ]
    table = tmp_path / "trials.csv"
    write_text(table, "\n".join(rows) + "\n")
    done = sudeck("tms", "compare", table, table, "--pre-visit", "before", "--post-visit", "after", "--out",
                  tmp_path)  # fmt: skip
    assert done.status == 0, done.err
    content = json.loads((tmp_path / "comparison.json").read_text())["changes"]
    changes = {c["participant"]: c["estimate"] for c in content if c["measure"] == "MEP"}
    assert set(changes) == {"a", "b"}
    assert all(e["low"] < 2.0 < e["high"] for e in changes.values())
    unnamed = sudeck("tms", "compare", table, table, "--pre-visit", "earlier")
    assert unnamed.status == 2
    assert "after, before" in unnamed.err


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty.edf", b"", "the file is empty"),
        ("noise.smr", b"\x93" * 3000, "damaged"),
        ("short.cfs", b'CEDFILE"' + b"\0" * 40, "short.cfs"),
        ("x.bin", b"\1\2\3\4" * 100, "none of the formats"),
        ("x.smrx", b"S64" * 100, "Export As"),
        ("x.adicht", b"ADI" * 100, "MATLAB"),
        ("one.csv", b"amplitude_mv\n0.5\n", "one trial only"),
        ("zero.csv", b"amplitude_mv\n" + b"0\n" * 9, "exactly zero"),
        ("nan.csv", b"amplitude_mv\n" + b"nan\n" * 9, "NaN"),
        ("head.csv", b"amplitude_mv\n", "no rows"),
    ],
)
def test_each_bad_file_is_one_sentence_and_status_2(
    sudeck, tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    (tmp_path / name).write_bytes(content)
    done = sudeck("tms", tmp_path / name, "--out", tmp_path / "out")
    assert done.status == 2
    assert done.out == ""
    assert done.err.count("\n") == 1
    assert done.err.startswith("sudeck: ")
    assert name in done.err
    assert said in done.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("filling", "said"), [(0.0, "flat"), (np.nan, "NaN")])
def test_dead_sweeps_are_refused(sudeck, tmp_path: Path, filling: float, said: str) -> None:
    np.savez(tmp_path / "dead.npz", emg=np.full((8, 2000), filling))
    write_text(tmp_path / "dead.json", json.dumps({"unit": "mV", "rate_hz": 5000, "pulse_ms": 100}))
    done = sudeck("tms", tmp_path / "dead.npz")
    assert done.status == 2
    assert said in done.err
    assert done.err.count("\n") == 1


def test_a_batch_goes_on_and_all_refusals_are_told(sudeck, demo: DemoRecordings, tmp_path: Path) -> None:
    (tmp_path / "bad.edf").write_bytes(b"")
    (tmp_path / "dead.csv").write_bytes(b"amplitude_mv\n" + b"0\n" * 9)
    gone = tmp_path / "gone.vhdr"
    some = sudeck(
        "tms", tmp_path / "bad.edf", demo.pre[0], gone, tmp_path / "dead.csv", "--out", tmp_path / "o"
    )
    assert some.status == 0
    assert [line.split(":")[1].strip() for line in some.err.splitlines()] == [
        "bad.edf",
        "gone.vhdr",
        "dead.csv",
    ]
    flags = json.loads((tmp_path / "o/tms.json").read_text())["flags"]
    assert sum(flag["code"] == "recording-refused" for flag in flags) == 3
    none = sudeck("tms", tmp_path / "bad.edf", gone, tmp_path / "dead.csv")
    assert none.status == 2
    assert len(none.err.splitlines()) == 3


def test_a_folder_stands_for_its_recordings(sudeck, demo: DemoRecordings) -> None:
    whole = sudeck("tms", demo.pre[0].parents[1])
    assert whole.status == 0
    assert "2 recordings" in whole.out
    pattern = sudeck("tms", *sorted(demo.pre[0].parent.iterdir()))
    assert pattern.status == 0
    assert pattern.err == ""
    assert "2 recordings" in pattern.out


def test_inspect_tells_recordings_from_scans(sudeck, demo: DemoRecordings, tmp_path: Path) -> None:
    scan = simulate_bone_scan(BoneScanDesign(limb="hand", affected="right"), rng=np.random.default_rng(2))
    write_bone_scan(scan, tmp_path / "mixed", patient_name="Nobody", patient_id="0")
    only_scan = sudeck("inspect", tmp_path / "mixed")
    (tmp_path / "mixed/left_emg.edf").write_bytes(demo.pre[0].read_bytes())
    mixed = sudeck("inspect", tmp_path / "mixed")
    only_emg = sudeck("inspect", demo.pre[0])
    assert (only_scan.status, mixed.status, only_emg.status) == (0, 0, 0)
    assert "vascular" in only_scan.out
    assert "FDI" not in only_scan.out
    assert "FDI right" in only_emg.out
    assert "vascular" not in only_emg.out
    assert "FDI right" in mixed.out
    assert "vascular" in mixed.out
    assert "left_emg.edf: this is not a DICOM" not in mixed.out
    bad = tmp_path / "bad.edf"
    bad.write_bytes(b"")
    assert sudeck("inspect", bad).status == 2
    beside = sudeck("inspect", bad, demo.pre[0])
    assert beside.status == 0
    assert "the file is empty" in beside.err


def test_a_threshold_is_found_response_by_response(sudeck) -> None:
    """A virtual hand answers; the session must stop by itself, near the true threshold."""
    truth, rng = VirtualHemisphere(), np.random.default_rng(5)
    answers: list[str] = []
    for _ in range(60):
        done = sudeck("tms", "threshold", typed="\n".join(answers) + "\n" if answers else "")
        assert done.status == 0
        advice = [line for line in done.out.splitlines() if line.startswith(("Next", "Stop"))][-1]
        if advice.startswith("Stop"):
            break
        intensity = float(advice.split()[2])
        amplitude = float(truth.median_amplitude_mv(intensity)) * np.exp(0.7 * rng.standard_normal())
        answers.append(f"{amplitude:.3f}")
    assert advice.startswith("Stop")
    assert 5 <= len(answers) <= 40
    estimate = float(re.search(r"RMT ([\d.]+) %MSO", advice)[1])
    assert abs(estimate - truth.rmt_mso) < 4


def test_the_threshold_takes_yes_and_no_and_refuses_nonsense(sudeck) -> None:
    done = sudeck("tms", "threshold", "--state", "active", typed="y\n40 n\n\n")
    assert done.status == 0
    assert "AMT" in done.out
    wrong = sudeck("tms", "threshold", typed="y\nperhaps\n")
    assert wrong.status == 2
    assert "it is no response" in wrong.err
    assert sudeck("tms", "threshold").out.splitlines()[-1] == "No pulse was given."


def test_a_threshold_session_survives_and_is_written(sudeck, tmp_path: Path) -> None:
    kept = tmp_path / "rmt.json"
    first = sudeck("tms", "threshold", "--session", kept, typed="0.9\nundo\n0.8\n46 n\n")
    assert first.status == 0, first.err
    again = sudeck("tms", "threshold", "--session", kept, "--out", tmp_path / "out", typed="")
    assert "Goes on after 2 pulses" in again.out
    (rmt,) = json.loads((tmp_path / "out/tms.json").read_text())["estimates"]
    assert rmt["measure"] == "RMT"
    assert rmt["n"] == 2


def test_options_may_stand_before_the_recording(sudeck, demo: DemoRecordings) -> None:
    assert sudeck("tms", "--muscle", "FDI", demo.pre[0]).status == 0
    absent = sudeck("tms", demo.pre[0], "--muscle", "APB")
    assert absent.status == 2
    assert "every channel names another muscle than APB" in absent.err
    other = sudeck("tms", demo.pre[0], "--channel", "APB")
    assert "no channel is or records APB" in other.err
    against = sudeck("tms", demo.pre[0], "--hemisphere", "right")
    assert "are said to be of the left hemisphere" in against.err


def test_the_protocol_answers_and_is_checked(sudeck, demo: DemoRecordings, tmp_path: Path) -> None:
    protocol = tmp_path / "protocol.toml"
    write_text(protocol, '[reporting]\ncoil_type = "figure of eight, 70 mm"\n')
    done = sudeck("tms", demo.pre[0], "--protocol", protocol, "--out", tmp_path / "out")
    assert done.status == 0, done.err
    assert "figure of eight, 70 mm" in (tmp_path / "out/report.html").read_text()
    write_text(protocol, '[reporting]\ncoil = "round"\n')
    wrong = sudeck("tms", demo.pre[0], "--protocol", protocol)
    assert wrong.status == 2
    assert "no item of the checklist" in wrong.err


def test_the_protocol_of_the_documentation_works() -> None:
    text = (Path(__file__).parents[2] / "docs/tms.md").read_text()
    (example,) = re.findall(r"```toml\n(.*?)```", text, flags=re.DOTALL)
    protocol = protocol_from(tomllib.loads(example))
    assert protocol.hints.rate_hz == 5000
    assert protocol.conditions["sici"]["conditioning_rmt"] == 80.0
    assert protocol.channels["Force"].ignore
    assert protocol.reporting["stimulator"] == "monophasic"


def test_inspect_writes_what_is_to_be_completed(sudeck, demo: DemoRecordings, tmp_path: Path) -> None:
    done = sudeck("inspect", demo.pre[0], "--template", tmp_path)
    assert done.status == 0, done.err
    assert "to be completed" in done.out
    (events,) = tmp_path.glob("*_events.tsv")
    (protocol,) = tmp_path.glob("*_protocol.toml")
    again = sudeck("tms", demo.pre[0], "--events", events, "--protocol", protocol)
    assert again.status == 0, again.err
    assert "SICI" in again.out
