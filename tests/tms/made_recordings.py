"""Recordings whose content is known, written in each format byte by byte, by none of the code under test."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

RATE_HZ = 5000.0
# Stimuli, in seconds; the recording lasts 12 s.
TIMES_S = (1.0, 3.1, 5.3, 7.2, 9.4)


@dataclass(frozen=True)
class Truth:
    """What a made recording holds: EMG in millivolts, one row a channel, and its test pulses."""

    emg_mv: np.ndarray[Any, np.dtype[np.float64]]
    times_s: tuple[float, ...]
    names: tuple[str, ...] = ("RFDI", "LFDI")
    rate_hz: float = RATE_HZ


def make_emg(
    *,
    isis_ms: tuple[float | None, ...] = (None,) * 5,
    times_s: tuple[float, ...] = TIMES_S,
    rate_hz: float = RATE_HZ,
    duration_s: float = 12.0,
    artefact_mv: float = 0.6,
    mep_mv: float = 1.0,
    seed: int = 0,
) -> Truth:
    """Make two channels with noise, artefacts of 0.6 ms, and responses 22 ms after the test pulse."""
    rng = np.random.default_rng(seed)
    n = round(duration_s * rate_hz)
    emg = rng.normal(0, 0.003, (2, n))
    t = np.arange(round(0.03 * rate_hz)) / rate_hz
    response = mep_mv / 2 * np.sin(2 * np.pi * t / 0.012) * np.exp(-((t - 0.008) ** 2) / (2 * 0.004**2))
    for time_s, isi_ms in zip(times_s, isis_ms, strict=True):
        test = round(time_s * rate_hz)
        for at in [test] if isi_ms is None else [test - round(isi_ms * rate_hz / 1e3), test]:
            size = artefact_mv if at == test else 0.6 * artefact_mv
            emg[:, at : at + 2] += size
            emg[:, at + 2 : at + 4] -= size
        start = test + round(0.02 * rate_hz)
        emg[0, start : start + t.size] += response
    return Truth(emg, times_s, rate_hz=rate_hz)


def write_brainvision(path: Path, truth: Truth, *, markers: list[tuple[str, float]] | None = None) -> Path:
    """Write .vhdr, .vmrk and .eeg; markers are label and time."""
    if markers is None:
        markers = [("S  1", time_s) for time_s in truth.times_s]
    channels = "\n".join(f"Ch{i + 1}={name},,0.1,µV" for i, name in enumerate(truth.names))
    path.write_text(
        "BrainVision Data Exchange Header File Version 1.0\n\n[Common Infos]\nCodepage=UTF-8\n"
        f"DataFile={path.stem}.eeg\nMarkerFile={path.stem}.vmrk\nDataFormat=BINARY\n"
        f"DataOrientation=MULTIPLEXED\nNumberOfChannels={len(truth.names)}\n"
        f"SamplingInterval={1e6 / truth.rate_hz:g}\n\n[Binary Infos]\nBinaryFormat=INT_16\n\n"
        f"[Channel Infos]\n{channels}\n\n[Comment]\nPatient = Jeanne Dupont\n",
        encoding="utf-8",
    )
    lines = [
        f"Mk{i + 2}=Stimulus,{label},{round(t * truth.rate_hz) + 1},1,0"
        for i, (label, t) in enumerate(markers)
    ]
    path.with_suffix(".vmrk").write_text(
        "BrainVision Data Exchange Marker File, Version 1.0\n\n[Marker Infos]\nMk1=New Segment,,1,1,0\n"
        + "\n".join(lines)
        + "\nMk99=Comment,Jeanne Dupont moved,10,1,0\n",
        encoding="utf-8",
    )
    np.round(truth.emg_mv.T * 1e4).astype("<i2").tofile(path.with_suffix(".eeg"))
    return path


def write_edf(
    path: Path,
    truth: Truth,
    *,
    annotations: list[tuple[float, str]] | None = None,
    patient: str = "X F 01-JAN-1961 Jeanne_Dupont",
    bdf: bool = False,
) -> Path:
    """Write EDF+ with annotations, or BDF with trigger code 7 in a status channel; one record a second."""
    rate = round(truth.rate_hz)
    n_records = truth.emg_mv.shape[1] // rate
    if annotations is None:
        annotations = [(time_s, "TMS") for time_s in truth.times_s]
    tal_width = 120
    low, high = (-(2**23), 2**23 - 1) if bdf else (-(2**15), 2**15 - 1)
    physical = 10.0
    signals: list[tuple[str, str, float, float, int]] = [
        (n, "mV", -physical, physical, rate) for n in truth.names
    ]
    signals.append(("Status", "", -1, 1, rate) if bdf else ("EDF Annotations", "", -1, 1, tal_width // 2))
    version = b"\xffBIOSEMI" if bdf else b"0       "
    n = len(signals)

    def field(text: object, width: int) -> bytes:
        return str(text)[:width].ljust(width).encode("latin-1")

    header = version + field(patient, 80) + field("Startdate X X X X", 80) + field("01.01.24", 8)
    header += field("10.00.00", 8) + field(256 * (n + 1), 8) + field("" if bdf else "EDF+C", 44)
    header += field(n_records, 8) + field("1", 8) + field(n, 4)
    header += b"".join(field(s[0], 16) for s in signals) + b"".join(field("", 80) for _ in signals)
    header += b"".join(field(s[1], 8) for s in signals)
    header += b"".join(field(s[2], 8) for s in signals) + b"".join(field(s[3], 8) for s in signals)
    header += b"".join(field(low, 8) for _ in signals) + b"".join(field(high, 8) for _ in signals)
    header += b"".join(field("", 80) for _ in signals) + b"".join(field(s[4], 8) for s in signals)
    header += b"".join(field("", 32) for _ in signals)
    gain = 2 * physical / (high - low)
    digital = np.round((truth.emg_mv + physical) / gain + low).astype(np.int64)
    status = np.zeros(truth.emg_mv.shape[1], dtype=np.int64)
    for time_s in truth.times_s:
        status[round(time_s * rate) : round(time_s * rate) + 20] = 7
    body = b""
    for record in range(n_records):
        part = slice(record * rate, (record + 1) * rate)
        for channel in digital:
            body += _integers(channel[part], bdf)
        if bdf:
            body += _integers(status[part], bdf)
        else:
            tal = f"+{record}\x14\x14\0"
            for onset, text in annotations:
                if record <= onset < record + 1:
                    tal += f"+{onset:g}\x14{text}\x14\0"
            body += tal.encode("utf-8").ljust(tal_width, b"\0")
    path.write_bytes(header + body)
    return path


def _integers(values: np.ndarray[Any, np.dtype[np.int64]], three_bytes: bool) -> bytes:
    if not three_bytes:
        return values.astype("<i2").tobytes()
    return values.astype("<i4").view(np.uint8).reshape(-1, 4)[:, :3].tobytes()


def write_cfs(
    path: Path,
    frames: list[np.ndarray[Any, np.dtype[np.float64]]],
    *,
    starts: list[float] | None = None,
    states: list[int] | None = None,
    labels: list[str] | None = None,
    unit: str = "mV",
    first_x: float = 0.0,
    rate_hz: float = RATE_HZ,
    table: bool = True,
    per_second: float = 1.0,
    name: str = "EMG",
) -> Path:
    """Write CFS: one channel of 16-bit samples, frame variables State, Start and StateL.

    `per_second` is 1000 where the times of a frame are in milliseconds.
    """
    scale = 1 / 6553.6

    def text(value: str, width: int) -> bytes:
        raw = value.encode("latin-1")
        return (bytes([len(raw)]) + raw + b"\xa5" * width)[:width]

    n_file, n_frame = 1, 3
    header_size = 178 + 48 + 36 * (n_file + 1 + n_frame + 1)
    out = bytearray(header_size)
    places = []
    variables_size = 4 + 8 + 22
    for index, frame in enumerate(frames):
        samples_at = len(out)
        samples = np.round(frame / scale).astype("<i2").tobytes()
        out += samples
        places.append(len(out))
        out += struct.pack("<3iH16s", places[-2] if index else 0, samples_at, len(samples), 0, b"")
        out += struct.pack("<2i4f", 0, frame.size, scale, 0.0, per_second / rate_hz, per_second * first_x)
        out += struct.pack("<i", (states or [0] * len(frames))[index])
        out += struct.pack("<d", (starts or [0.0] * len(frames))[index])
        out += text((labels or [""] * len(frames))[index], 22)
    table_at = len(out) if table else 0
    out += struct.pack(f"<{len(places)}i", *places)
    general = struct.pack(
        "<8s14si8s8s5hiHH74si40s", b'CEDFILE"', text("made", 14), len(out), b"08:00:00", b"01/01/24",
        1, n_file, n_frame, header_size, 30 + 24 + variables_size, places[-1], len(places), 1,
        text("Jeanne Dupont", 74), table_at, b"",
    )  # fmt: skip
    x_unit = "s" if per_second == 1.0 else "ms"
    channel = struct.pack("<22s10s10sBBhh", text(name, 22), text(unit, 10), text(x_unit, 10), 2, 0, 2, 0)
    entries = [("", 4, 0), ("", 4, 4), ("State", 4, 0), ("Start", 6, 4), ("StateL", 7, 12), ("", 4, 34)]
    variables = b"".join(struct.pack("<22sh10sh", text(n, 22), t, text("", 10), o) for n, t, o in entries)
    out[:header_size] = general + channel + variables
    path.write_bytes(bytes(out))
    return path


def write_brainsight(path: Path, truth: Truth, *, before_ms: float = 50.0, after_ms: float = 200.0) -> Path:
    """Write a Brainsight export in microvolts, samples in reverse order of time."""
    head = [
        "# Version: 12", "# Coordinate system: Brainsight", "# Created by: Brainsight 2.4.6",
        "# Subject Name: Jeanne Dupont", "# Target Name\tLoc. X\tLoc. Y", "hotspot\t1.0\t2.0",
        "# Sample Name\tAssoc. Target\tDate\tTime\tEMG Start\tEMG End\tEMG Res.\tEMG Channels"
        "\tEMG Peak-to-peak 1\tEMG Data 1",
    ]  # fmt: skip
    rows = []
    for index, time_s in enumerate(truth.times_s):
        centre = round(time_s * truth.rate_hz)
        part = slice(
            centre - round(before_ms * truth.rate_hz / 1e3),
            centre + round(after_ms * truth.rate_hz / 1e3) + 1,
        )
        data = ";".join(f"{1e3 * value:.3f}" for value in truth.emg_mv[0, part])
        clock = f"10:00:{time_s:06.3f}"
        interval = f"{1e3 / truth.rate_hz:.3f}"
        rows.append(
            f"Sample {index + 1}\thotspot\t2024-01-01\t{clock}"
            f"\t{-before_ms:.3f}\t{after_ms:.3f}\t{interval}\t1\t100.0\t{data}"
        )
    path.write_text("\n".join(head + rows[::-1]) + "\n", encoding="utf-8")
    return path


def write_xdf(path: Path, truth: Truth, *, markers: tuple[str, ...] = ("TMS",)) -> Path:
    """Write a stream of doubles and a stream of texts, 100 s after the start of the clock."""

    def chunk(tag: int, content: bytes) -> bytes:
        return b"\x04" + struct.pack("<IH", len(content) + 2, tag) + content

    def header(name: str, n: int, rate: float, form: str, described: str = "") -> bytes:
        return (
            f'<?xml version="1.0"?><info><name>{name}</name><type>EMG</type>'
            f"<channel_count>{n}</channel_count><nominal_srate>{rate:g}</nominal_srate><channel_format>{form}</channel_format>"
            f"<source_id>{name}</source_id><desc>{described}</desc></info>"
        ).encode()

    labels = "".join(
        f"<channel><label>{name}</label><unit>microvolts</unit></channel>" for name in truth.names
    )
    n = truth.emg_mv.shape[1]
    out = b"XDF:" + chunk(1, b'<?xml version="1.0"?><info><version>1.0</version></info>')
    out += chunk(
        2,
        struct.pack("<I", 1)
        + header("amplifier", 2, truth.rate_hz, "double64", f"<channels>{labels}</channels>"),
    )
    out += chunk(2, struct.pack("<I", 2) + header("stimulator", 1, 0, "string"))
    samples = b"".join(
        (b"\x08" + struct.pack("<d", 100.0) if i == 0 else b"\x00") + struct.pack("<2d", *(1e3 * row))
        for i, row in enumerate(truth.emg_mv.T)
    )
    out += chunk(3, struct.pack("<I", 1) + b"\x04" + struct.pack("<I", n) + samples)
    texts = b""
    for i, time_s in enumerate(truth.times_s):
        label = markers[i % len(markers)].encode()
        texts += b"\x08" + struct.pack("<d", 100.0 + time_s) + b"\x01" + bytes([len(label)]) + label
    out += chunk(3, struct.pack("<I", 2) + b"\x04" + struct.pack("<I", len(truth.times_s)) + texts)
    for stream in (1, 2):
        out += chunk(6, struct.pack("<I", stream) + b"<info><sample_count>1</sample_count></info>")
    path.write_bytes(out)
    return path


def write_abf(
    path: Path, sweeps: np.ndarray[Any, np.dtype[np.float64]], rate_hz: float, *, name: str = "RFDI"
) -> Path:
    """Write an episodic ABF 1.8 file of one channel of 16-bit samples over 10 V, in millivolts."""
    n_sweeps, n = sweeps.shape
    head = bytearray(6144)

    def put(form: str, at: int, *values: object) -> None:
        struct.pack_into("<" + form, head, at, *values)

    put("4sfh", 0, b"ABF ", 1.83, 5)
    put("i", 10, sweeps.size)
    put("i", 16, n_sweeps)
    put("i", 40, len(head) // 512)
    put("hh", 118, 0, 1)
    put("f", 122, 1e6 / rate_hz)
    put("i", 138, n)
    put("f", 244, 10.0)
    put("i", 252, 32768)
    put("16h", 378, *range(16))
    put("16h", 410, 0, *[-1] * 15)
    put("10s", 442, name.encode())
    put("8s", 602, b"mV")
    for at in (730, 922, 1050):  # programmable gain, scale of the instrument, gain of the signal
        put("16f", at, *[1.0] * 16)
    samples = np.round(sweeps * 3276.8).astype("<i2").tobytes()
    samples += b"\0" * (-len(samples) % 512)
    put("2i", 92, (len(head) + len(samples)) // 512, n_sweeps)  # place and length of the list of sweeps
    listed = b"".join(struct.pack("<2i", 2 * n * i, n) for i in range(n_sweeps))
    path.write_bytes(bytes(head) + samples + listed)
    return path
