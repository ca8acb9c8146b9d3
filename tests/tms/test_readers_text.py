"""Text exports of recording programs come back as what was recorded."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from sudeck.core.errors import InputError
from sudeck.tms.readers import read_file, recognises
from sudeck.tms.recordings.labelled_trials import read_trials
from sudeck.tms.signals.recording import Recording
from sudeck.tms.signals.trials import TrialSet

N = 20_000  # four seconds at 5 kHz
ATOL = 1e-5


@pytest.fixture(scope="module")
def emg() -> np.ndarray:
    """Two channels in millivolts with stimuli at 1, 2 and 3 s, as text can hold them."""
    rng = np.random.default_rng(5)
    emg = rng.normal(0, 0.004, (2, N))
    for at in (5000, 10_000, 15_000):
        emg[:, at : at + 3] += [0.5, -0.5, 0.2]
        emg[:, at + 110 : at + 150] += np.sin(np.linspace(0, 2 * np.pi, 40))
    return np.round(emg, 5)


def recorded(path: Path) -> Recording:
    assert recognises(path)
    recording = read_file(path)
    assert isinstance(recording, Recording)
    return recording


def lines(*columns: np.ndarray, by: str = "\t", form: str = "%.5f") -> str:
    return "\n".join(by.join(form % cell for cell in row) for row in zip(*columns, strict=True)) + "\n"


def test_labchart_blocks_and_comments(tmp_path: Path, emg: np.ndarray) -> None:
    text = ""
    for block, day in enumerate(("46000.5", "46000.501")):
        part = emg[:, block * 10_000 : (block + 1) * 10_000]
        text += f"Interval=\t0.0002 s\nExcelDateTime=\t{day}\t01/01/2026\nTimeFormat=\tStartOfBlock\n"
        text += "ChannelTitle=\tRFDI\tLFDI\nRange=\t10 mV\t10 mV\n"
        rows = lines(np.arange(10_000) / 5000, *part).splitlines()
        for at in (0, 5000) if block else (5000,):
            rows[at] += "\t#* pulse "
        rows[9] += "\t#1 spoke to Jeanne"
        text += "\n".join(rows) + "\n"
    (tmp_path / "a.txt").write_text(text)
    recording = recorded(tmp_path / "a.txt")
    assert recording.format == "LabChart (text)"
    np.testing.assert_allclose(recording.signals[1].samples_mv, emg[1], atol=ATOL)
    assert [section.start_s for section in recording.sections] == pytest.approx([0, 86.4])
    assert [marker.time_s for marker in recording.markers] == pytest.approx([1.0, 86.4, 87.4])
    assert "Jeanne" not in repr(recording)


def test_labchart_with_decimal_comma_and_without_times(tmp_path: Path, emg: np.ndarray) -> None:
    head = "Interval=\t0,2 ms\nChannelTitle=\tRFDI\tLFDI\nRange=\t10,000 mV\t10,000 mV\n"
    (tmp_path / "a.txt").write_text(head + lines(*emg).replace(".", ","))
    recording = recorded(tmp_path / "a.txt")
    np.testing.assert_allclose(recording.signals[0].samples_mv, emg[0], atol=ATOL)
    assert recording.signals[0].rate_hz == 5000


@pytest.mark.parametrize(
    ("by", "heading"),
    [
        (",", "Time (s),RFDI (mV),LFDI (mV)"),
        (";", "time_s;RFDI_mV;LFDI_mV"),
        ("\t", "Time\tRFDI\tLFDI\ns\tmV\tmV"),
        (" ", ""),
        (",", '"Time","RFDI [mV]","LFDI [mV]"'),
    ],
)
def test_plain_tables_with_a_column_of_times(tmp_path: Path, emg: np.ndarray, by: str, heading: str) -> None:
    (tmp_path / "a.csv").write_text(f"{heading}\n" * bool(heading) + lines(np.arange(N) / 5000, *emg, by=by))
    recording = recorded(tmp_path / "a.csv")
    np.testing.assert_allclose(recording.signals[0].samples_mv, emg[0], atol=ATOL)
    assert (recording.signals[0].rate_hz, len(recording.sections)) == (5000, 1)
    if heading:
        assert [(s.name, s.unit_in_file) for s in recording.signals] == [("RFDI", "mV"), ("LFDI", "mV")]


def test_a_column_of_codes_or_of_texts_holds_markers(tmp_path: Path, emg: np.ndarray) -> None:
    codes = np.zeros(N, dtype=int)
    codes[[5000, 15_000]], codes[10_000:10_020] = 1, 2
    times = np.arange(N) / 5
    body = lines(times, 1e3 * emg[0], codes, by=",")
    (tmp_path / "a.csv").write_text("time_ms,RFDI (uV),Marker\n" + body)
    found = [(m.time_s, m.label) for m in recorded(tmp_path / "a.csv").markers]
    assert found == [(1.0, "1"), (2.0, "2"), (3.0, "1")]
    rows = lines(times, emg[0], by=",").splitlines()
    rows = [f"{row},{'SICI' if codes[i] == 1 else ''}" for i, row in enumerate(rows)]
    (tmp_path / "b.csv").write_text("time (ms),RFDI (mV),Comment\n" + "\n".join(rows))
    found = [(m.time_s, m.label) for m in recorded(tmp_path / "b.csv").markers]
    assert found == [(1.0, "SICI"), (3.0, "SICI")]


def test_delsys_channels_keep_their_own_rates(tmp_path: Path, emg: np.ndarray) -> None:
    rows = ['X [s],"RFDI: EMG 1 [V]",X [s],"RFDI: Acc 1 [g]"']
    for i in range(N):
        slow = f"{i / 500:.4f},{i % 7}" if i < N // 10 else ","
        rows.append(f"{i / 5000:.4f},{1e-3 * emg[0, i]:.8f},{slow}")
    (tmp_path / "a.csv").write_text("\n".join(rows))
    recording = recorded(tmp_path / "a.csv")
    np.testing.assert_allclose(recording.signals[0].samples_mv, emg[0], atol=ATOL)
    assert [(s.rate_hz, s.samples_mv.size) for s in recording.signals] == [(5000, N), (500, N // 10)]


def test_times_that_begin_anew_are_frames_with_their_trigger_at_zero(tmp_path: Path, emg: np.ndarray) -> None:
    times = np.tile(np.arange(-500, 1500) / 5000, 3)
    sweeps = np.concatenate([emg[0, at - 500 : at + 1500] for at in (5000, 10_000, 15_000)])
    (tmp_path / "a.txt").write_text("Time (s)\tRFDI (mV)\n" + lines(times, sweeps))
    (found,) = read_trials(tmp_path / "a.txt")
    assert isinstance(found, TrialSet)
    assert (found.n_trials, found.pulse_sample) == (3, 500)
    np.testing.assert_allclose(found.emg_mv, sweeps.reshape(3, -1)[:, : found.emg_mv.shape[1]], atol=ATOL)


def test_sweeps_side_by_side(tmp_path: Path, emg: np.ndarray) -> None:
    sweeps = [emg[0, at - 500 : at + 1000] for at in (5000, 10_000, 15_000)]
    (tmp_path / "a.csv").write_text(
        "time_ms,trial 1 (mV),trial 2 (mV),trial 3 (mV)\n" + lines(np.arange(-500, 1000) / 5, *sweeps, by=",")
    )
    (found,) = read_trials(tmp_path / "a.csv")
    assert isinstance(found, TrialSet)
    assert (found.rate_hz, found.pulse_sample) == (5000, 500)
    np.testing.assert_allclose(found.emg_mv, sweeps, atol=ATOL)


def test_spike2_text(tmp_path: Path, emg: np.ndarray) -> None:
    head = '"INFORMATION"\n"a.smr"\n"SUMMARY"\n"1"\t"Waveform"\t"RFDI"\t"mV"\t5000\n"2"\t"Evt+"\t"TMS"\n'
    wave = '"CHANNEL"\t"1"\n"Waveform"\n"No comment"\n"RFDI"\n\n"START"\t0.5\t0.0002\n'
    events = '"CHANNEL"\t"2"\n"Evt+"\n"No comment"\n"TMS"\n\n1.5\n2.5\n3.5\n'
    (tmp_path / "a.txt").write_text(head + wave + "\n".join(f"{x:.5f}" for x in emg[0]) + "\n\n" + events)
    recording = recorded(tmp_path / "a.txt")
    np.testing.assert_allclose(recording.signals[0].samples_mv, emg[0], atol=ATOL)
    assert [(m.time_s, m.channel) for m in recording.markers] == [(1.5, "TMS"), (2.5, "TMS"), (3.5, "TMS")]
    assert recording.sections[0].start_s == 0.5


def _signal_text(emg: np.ndarray, *, described: str, states: bool = False, events: bool = False) -> str:
    """Return frames one after another, in each all channels; 100 ms before the trigger."""
    parts = ['"INFORMATION"\n"a.cfs"\n\n"SUMMARY"\n']
    parts += [f'"{i}"\t"Waveform"\t"{name}"\t"mV"\t5000\n' for i, name in enumerate(("RFDI", "LFDI"), 1)]
    for frame, at in enumerate((5000, 10_000, 15_000)):
        if states:
            parts.append(f'\n"FRAME"\t"{frame + 1}"\t"State {frame % 2}"\n')
        for i, name in enumerate(("RFDI", "LFDI")):
            lines_of = {
                "line": f'"Waveform"\t"{name}"\t"mV"\t5000\n',
                "lines": f'"Waveform"\n"{name}"\n"mV"\n5000\n',
                "spike2": f'"Waveform"\n"No comment"\n"{name}"\n',
                "summary": '"Waveform"\n',
            }
            parts.append(f'\n"CHANNEL"\t"{i + 1}"\n{lines_of[described]}\n"START"\t-0.1\t0.0002\n')
            parts.append(lines(emg[i, at - 500 : at + 1500]))
        if events:
            parts.append('\n"CHANNEL"\t"3"\n"Evt+"\n"No comment"\n"TMS"\n\n0.0\n')
    return "".join(parts)


@pytest.mark.parametrize("described", ["line", "lines", "spike2", "summary"])
def test_signal_text_of_frames_one_after_another(tmp_path: Path, emg: np.ndarray, described: str) -> None:
    (tmp_path / "a.txt").write_text(_signal_text(emg, described=described))
    recording = recorded(tmp_path / "a.txt")
    assert recording.format == "CED Signal (text)"
    assert [(s.name, s.unit_in_file, s.rate_hz) for s in recording.signals] == [
        ("RFDI", "mV", 5000),
        ("LFDI", "mV", 5000),
    ]
    wanted = np.concatenate([emg[:, at - 500 : at + 1500] for at in (5000, 10_000, 15_000)], axis=1)
    for signal, truth in zip(recording.signals, wanted, strict=True):
        np.testing.assert_allclose(signal.samples_mv, truth, atol=ATOL)
    assert [marker.time_s for marker in recording.markers] == pytest.approx([0.1, 0.5, 0.9])
    left, right = sorted(read_trials(tmp_path / "a.txt"), key=lambda found: found.channel)
    assert (left.n_trials, right.n_trials, left.pulse_sample) == (3, 3, 500)


def test_states_and_events_of_signal_text_mark_their_frame(tmp_path: Path, emg: np.ndarray) -> None:
    (tmp_path / "a.txt").write_text(_signal_text(emg, described="line", states=True))
    found = [(m.time_s, m.label) for m in recorded(tmp_path / "a.txt").markers]
    assert found == [
        (pytest.approx(0.1), "state 0"),
        (pytest.approx(0.5), "state 1"),
        (pytest.approx(0.9), "state 0"),
    ]
    (tmp_path / "b.txt").write_text(_signal_text(emg, described="line", events=True))
    found = [m.time_s for m in recorded(tmp_path / "b.txt").markers if m.channel == "TMS"]
    assert found == pytest.approx([0.1, 0.5, 0.9])


def test_signal_text_of_frames_that_differ_is_refused(tmp_path: Path, emg: np.ndarray) -> None:
    text = _signal_text(emg, described="line")
    (tmp_path / "a.txt").write_text(text[: text.rindex('"CHANNEL"')])
    with pytest.raises(InputError, match="channel LFDI has not the frames of RFDI"):
        read_file(tmp_path / "a.txt")


def test_stretches_of_spike2_text_are_sections_of_one_clock(tmp_path: Path, emg: np.ndarray) -> None:
    parts = ['"INFORMATION"\n"a.smr"\n"SUMMARY"\n"1"\t"Waveform"\t"RFDI"\t"mV"\t5000\n']
    parts.append('"CHANNEL"\t"1"\n"Waveform"\n"No comment"\n"RFDI"\n')
    parts += [f'\n"START"\t{at}\t0.0002\n' + lines(emg[0, 5000 * at : 5000 * at + 4000]) for at in (1, 3)]
    parts.append('\n"CHANNEL"\t"2"\n"Evt+"\n"No comment"\n"TMS"\n\n1.5\n3.25\n')
    (tmp_path / "a.txt").write_text("".join(parts))
    recording = recorded(tmp_path / "a.txt")
    assert [(s.start_s, s.stop_s) for s in recording.sections] == [(1.0, 1.8), (3.0, 3.8)]
    assert [m.time_s for m in recording.markers] == pytest.approx([1.5, 3.25])


@pytest.mark.parametrize("vectorized", [False, True])
@pytest.mark.parametrize("suffix", [".vhdr", ".ahdr"])
def test_brainvision_as_text(tmp_path: Path, forge: ModuleType, vectorized: bool, suffix: str) -> None:
    truth = forge.make_emg()
    path = forge.write_brainvision(tmp_path / "a.vhdr", truth)
    head = path.read_text().replace("BINARY", "ASCII").replace("[Common Infos]", "[Common infos]")
    if vectorized:
        head = head.replace("MULTIPLEXED", "VECTORIZED")
        rows = [" ".join(f"{1e3 * x:.3f}" for x in row) for row in truth.emg_mv]
        text = f"RFDI {rows[0]}\nLFDI {rows[1]}\n"
    else:
        text = "RFDI LFDI\n" + lines(*(1e3 * truth.emg_mv), by=" ", form="%.3f")
    if suffix == ".ahdr":
        (tmp_path / "a.vmrk").rename(tmp_path / "a.amrk")
        head = head.replace("a.vmrk", "a.amrk")
    path.unlink()
    (tmp_path / "a.eeg").write_text(text)
    (tmp_path / f"a{suffix}").write_text(head)
    recording = recorded(tmp_path / f"a{suffix}")
    np.testing.assert_allclose(recording.signals[0].samples_mv, truth.emg_mv[0], atol=1e-6)
    assert [marker.time_s for marker in recording.markers] == pytest.approx(truth.times_s)


def test_a_table_of_amplitudes_is_none(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("time,amplitude_mv\n" + "".join(f"{i},0.5\n" for i in range(60)))
    assert not isinstance(read_file(tmp_path / "a.csv"), Recording)


def test_a_number_that_is_none_is_refused(tmp_path: Path, emg: np.ndarray) -> None:
    text = "Time (s),RFDI (mV)\n" + lines(np.arange(N) / 5000, emg[0], by=",")
    rows = text.splitlines()
    rows[700] = rows[700] + "x"
    (tmp_path / "a.csv").write_text("\n".join(rows))
    with pytest.raises(InputError, match="no number"):
        read_file(tmp_path / "a.csv")


def _time_of_day(second: float) -> str:
    ms = int(1000 * second + 0.01)
    return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02}.{ms % 1000:03}"


def _exported(emg: np.ndarray, form: str) -> tuple[str, str]:
    """Return a LabChart, Spike2, Delsys, Signal or plain export, and its file's ending."""
    times, n = np.arange(N) / 5000, range(N)
    if form == "labchart":
        head = (
            "Interval=\t0.0002 s\nExcelDateTime=\t4.6e4\t05/12/2025 12:00:00.00\nTimeFormat=\tStartOfBlock\n"
        )
        head += "DateFormat=\t\nChannelTitle=\tRFDI\tLFDI\nRange=\t5.000 mV\t5.000 mV\n"
        return head + lines(times, *emg), ".txt"
    if form == "spike2":
        parts = ['"INFORMATION"\n"a.smr"\n"SUMMARY"\n']
        parts += [f'"{i}"\t"Waveform"\t"{name}"\t"mV"\t5000\n' for i, name in enumerate(("RFDI", "LFDI"), 1)]
        for i, name in enumerate(("RFDI", "LFDI")):
            parts.append(
                f'\n"CHANNEL"\t"{i + 1}"\n"Waveform"\n"No comment"\n"{name}"\n\n"START"\t0.0\t0.0002\n'
            )
            parts.append(lines(emg[i]))
        return "".join(parts), ".txt"
    if form == "delsys":
        head = "X [s];RFDI: EMG 1 [mV];X [s];LFDI: EMG 2 [mV]\n"
        return head + lines(times, emg[0], times, emg[1], by=";"), ".csv"
    if form == "quoted":
        rows = [",".join(f'"{cell:.5f}"'.replace(".", ",") for cell in (times[i], *emg[:, i])) for i in n]
        return '"Time (s)","RFDI (mV)","LFDI (mV)"\n' + "\n".join(rows), ".csv"
    assert form in {"clock", "midnight", "dated"}
    begin = 86_398.0 if form == "midnight" else 36_000.0
    day = "2024-05-06 " if form == "dated" else ""
    rows = [
        "\t".join([day + _time_of_day((begin + times[i]) % 86_400), *(f"{x:.5f}" for x in emg[:, i])])
        for i in n
    ]
    return "Time (hh:mm:ss.mmm)\tRFDI (mV)\tLFDI (mV)\n" + "\n".join(rows), ".txt"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("comma", [False, True])
@pytest.mark.parametrize("form", ["labchart", "spike2", "delsys", "quoted", "clock", "midnight", "dated"])
def test_exports_in_any_encoding_with_either_mark_and_any_clock(
    tmp_path: Path, emg: np.ndarray, form: str, comma: bool, encoding: str
) -> None:
    text, suffix = _exported(emg, form)
    if comma and form not in {"quoted", "midnight", "dated"}:
        text = text.replace(".", ",") if form != "labchart" else re.sub(r"(\d)\.(\d)", r"\1,\2", text)
    (tmp_path / f"a{suffix}").write_text(text, encoding=encoding)
    recording = recorded(tmp_path / f"a{suffix}")
    assert [signal.rate_hz for signal in recording.signals] == [5000, 5000]
    assert [signal.unit_in_file for signal in recording.signals] == ["mV", "mV"]
    for signal, samples in zip(recording.signals, emg, strict=True):
        np.testing.assert_allclose(signal.samples_mv, samples, atol=ATOL)
    assert len(recording.sections) == 1
    assert recording.sections[0].start_s == 0
