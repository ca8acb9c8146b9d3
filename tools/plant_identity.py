"""Plant a patient who does not exist wherever people and machines write names, then look for her everywhere.

    python tools/plant_identity.py WORKPLACE [--keep]

Scans and recordings of nine formats carry her name, birth date and record number in headers, labels, markers,
comments, file and folder names, in some 200 writings. They go through `scan`, `tms`, `import`, and, put into
a study by hand, through `check`, `run`, `predict` and `explain`; a decision and comments of REDCap name her,
too. What was printed and every file written are searched, by words of this script and none of the redactor's.
The exit status is 1 if anything was found.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import itertools
import re
import shutil
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import numpy as np

FAMILY, GIVEN, SECOND = "Dupöntel", "Jehanne", "Ottilie"
RECORD = "MRN-7788990"
BIRTH = "19610412"
# Whatever writing it has, one of these is in it once accents and punctuation are gone.
WORDS = ("dupontel", "dupoentel", "jehanne", "ottilie", "7788990")
DATES = (
    "19610412", "12041961", "04121961", "610412", "120461", "041261", "12apr1961", "apr121961", "1961apr12",
    "12april1961", "april121961", "12avril1961", "12abril1961", "1241961", "4121961", "1961412", "12461",
    "12thapril1961", "april12th1961", "12iv1961", "12deabrilde1961",
)  # fmt: skip


def names() -> list[str]:
    """Return ways of writing the name."""
    plain = FAMILY.replace("ö", "o")
    written = FAMILY.replace("ö", "oe")
    pairs = [
        f"{first}{gap}{second}"
        for family in (FAMILY, plain, written)
        for first, second in ((family, GIVEN), (GIVEN, family))
        for gap in (" ", ", ", "_", "^", "-", ".", "")
    ]
    alone = [
        FAMILY,
        plain,
        written,
        GIVEN,
        SECOND,
        f"{GIVEN} {SECOND} {plain}",
        f"Mme {plain}",
        f"{plain}{GIVEN[0]}",
    ]
    cases = [form for text in (*pairs, *alone) for form in (text, text.upper(), text.lower())]
    return list(dict.fromkeys(cases))


def dates() -> list[str]:
    """Return ways of writing the birth date."""
    numbers = [
        gap.join(order)
        for gap in ("", "-", ".", "/", "_", " ")
        for order in (("1961", "04", "12"), ("12", "04", "1961"), ("04", "12", "1961"), ("12", "04", "61"))
    ]
    months = [
        f"12{gap}{month}{gap}1961"
        for month in ("APR", "Apr", "April", "avril", "abril")
        for gap in ("-", " ", "")
    ]
    return [
        *numbers,
        *months,
        "April 12, 1961",
        "12th April 1961",
        "April 12th, 1961",
        "12/IV/1961",
        "12 de abril de 1961",
        "1961-Apr-12",
        "12.4.1961",
        "4/12/1961",
        "1961-4-12",
        "12.4.61",
    ]


def records() -> list[str]:
    """Return ways of writing the record number."""
    return [
        RECORD,
        "7788990",
        "MRN7788990",
        "mrn 7788990",
        "MRN_7788990",
        "#7788990",
        "No. 7788990",
        "778-8990",
        "77 88 990",
    ]


def plants() -> list[str]:
    """Return every string that is planted."""
    return [*names(), *dates(), *records()]


def found_in(text: str) -> list[str]:
    """Return what of her a text gives away."""
    import unicodedata

    flat = "".join(c for c in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(c))
    bare = re.sub(r"[\W_]+", "", flat)
    hits = [word for word in WORDS if word in bare]
    # Digits of a sample or a hash may happen to be a date: only whole runs of characters count.
    runs = set(re.findall(r"[a-z0-9]+", re.sub(r"(?<=[a-z0-9])[-./_^, ](?=[a-z0-9])", "", flat)))
    runs |= set(re.findall(r"[a-z0-9]+", flat))
    return hits + [date for date in DATES if date in runs]


class Search:
    """What has been found, by where."""

    def __init__(self) -> None:
        self.found: Counter[str] = Counter()
        self.looked = 0

    def text(self, where: str, text: str) -> None:
        """Look through a text."""
        self.looked += 1
        for line in text.splitlines():
            for word in found_in(line):
                self.found[f"{where}: {word} in {line.strip()[:100]!r}"] += 1

    def files(self, where: str, *roots: Path) -> None:
        """Look through every file and its name."""
        for path in (path for root in roots for path in sorted(root.rglob("*"))):
            self.text(f"{where}, name of {path.name}", path.name)
            if path.is_file():
                data = path.read_bytes()
                text = data.decode("utf-8", "replace") if b"\0" not in data[:4096] else data.decode("latin-1")
                # In bytes that are no text, only words count: any two bytes may be digits.
                if b"\0" in data[:4096]:
                    text = "\n".join(re.findall(r"[\x20-\x7e\xa0-\xff]{5,}", text))
                self.text(f"{where}, {path.name}", text)


def command(*words: object) -> str:
    """Run a command in this process and return everything it says."""
    from sudeck.cli import main

    said = io.StringIO()
    arguments, sys.argv = sys.argv, ["sudeck", *map(str, words)]
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said), contextlib.suppress(SystemExit):
        main()
    sys.argv = arguments
    return said.getvalue()


def forge() -> Any:
    """Return the makers of recordings that the tests use."""
    path = Path(__file__).resolve().parents[1] / "tests" / "tms" / "made_recordings.py"
    spec = spec_from_file_location("made_recordings", path)
    assert spec is not None
    assert spec.loader is not None
    sys.modules[spec.name] = module_from_spec(spec)
    spec.loader.exec_module(sys.modules[spec.name])
    return sys.modules[spec.name]


def write_recordings(folder: Path, strings: Iterator[str]) -> list[Path]:
    """Write a recording of every format, a planted string in every label and marker."""
    from scipy.io import savemat

    makers = forge()
    folder.mkdir(parents=True, exist_ok=True)
    truth = makers.make_emg()
    files: list[Path] = []

    def labelled() -> Any:
        first, second = (next(strings).replace(",", " ") for _ in range(2))
        return replace(truth, names=(f"RFDI {first}"[:16], second[:16]))

    def notes() -> list[tuple[float, str]]:
        return [(time_s, f"{next(strings)} TMS") for time_s in truth.times_s]

    who = f"{RECORD} F 12-APR-1961 {FAMILY}_{GIVEN}_{SECOND}"
    for kind in ("edf", "bdf"):
        for number in range(4):
            path = folder / f"Dupontel_{number}.{kind}"
            files.append(
                makers.write_edf(path, labelled(), annotations=notes(), patient=who, bdf=kind == "bdf")
            )
    for number in range(4):
        marks = [(label.replace(",", " "), time_s) for time_s, label in notes()]
        files.append(
            makers.write_brainvision(folder / f"jehanne 1961_04_12 {number}.vhdr", labelled(), markers=marks)
        )
    frames = list(truth.emg_mv[0, :50_000].reshape(10, 5000))
    for number in range(3):
        labels = [next(strings)[:20], next(strings)[:20]] * 5
        files.append(
            makers.write_cfs(
                folder / f"7788990-{number}.cfs", frames, first_x=-0.2, states=[1, 2] * 5, labels=labels
            )
        )
    sweeps = np.stack(
        [[truth.emg_mv[c, int(t * 5000) - 500 :][:2000] for t in truth.times_s] for c in (0, 1)]
    )
    for number in range(3):
        path = folder / f"Dupontel sweeps {number}.npz"
        conditions = [next(strings) for _ in truth.times_s]
        np.savez(
            path, emg=sweeps, fs=5000.0, pulse_sample=500, unit=np.array("mV"),
            channels=np.array([f"RFDI {next(strings)}", "LFDI"]), condition=np.array(conditions),
            comment=np.array(next(strings)),
        )  # fmt: skip
        files.append(path)
        savemat(
            folder / f"Ottilie{number}.mat",
            {"emg": sweeps[0], "fs": 5000.0, "pulse_ms": 100.0, "channel": f"RFDI {next(strings)}",
             "condition": np.array([next(strings) for _ in conditions], dtype=object), "note": next(strings)},
        )  # fmt: skip
        files.append(folder / f"Ottilie{number}.mat")
    for number in range(3):
        path = folder / f"amplitudes Jehanne {number}.csv"
        her = next(strings)
        rows = [f"{her};{next(strings)};FDI;{1 + i / 7:.3f};20.1;{next(strings)}" for i in range(12)]
        path.write_text("\n".join(["name;condition;muscle;MEP (mV);latency (ms);comment", *rows]), "utf-8")
        files.append(path)
        path = folder / f"Dupontel_{number}.txt"
        head = "Interval=\t0.0002 s\nTimeFormat=\tStartOfBlock\n"
        head += f"ChannelTitle=\tRFDI {next(strings)}\nRange=\t10 mV\n"
        marked = {round(time_s * 5000): f"\t#* {next(strings)}" for time_s in truth.times_s}
        lines = [f"{i / 5000:.4f}\t{x:.5f}{marked.get(i, '')}" for i, x in enumerate(truth.emg_mv[0])]
        path.write_text(head + "\n".join(lines) + "\n", encoding="utf-8")
        files.append(path)
    return files


def write_scan(folder: Path, strings: Iterator[str]) -> list[Path]:
    """Write a bone scan that names her in headers, private elements, comments and file names."""
    import pydicom

    from sudeck.synthetic.dicom.nm_dicom import write_bone_scan
    from sudeck.synthetic.scan.bone_scan import BoneScanDesign, simulate_bone_scan

    scan = simulate_bone_scan(BoneScanDesign(), rng=np.random.default_rng(5))
    files = []
    for path in write_bone_scan(scan, folder):
        dataset = pydicom.dcmread(path)
        dataset.SpecificCharacterSet = "ISO_IR 192"
        dataset.PatientName, dataset.PatientID, dataset.PatientBirthDate = (
            f"{FAMILY}^{GIVEN}^{SECOND}",
            RECORD,
            BIRTH,
        )
        for keyword in (
            "StudyDescription",
            "SeriesDescription",
            "InstitutionName",
            "ReferringPhysicianName",
            "ImageComments",
            "PatientComments",
            "OperatorsName",
            "StationName",
            "AccessionNumber",
            "StudyID",
            "ProtocolName",
            "PatientAddress",
            "OtherPatientIDs",
            "RequestingPhysician",
            "AdditionalPatientHistory",
            "DeviceSerialNumber",
            "PerformedProcedureStepDescription",
            "Manufacturer",
            "ManufacturerModelName",
            "SoftwareVersions",
        ):
            before = str(dataset.get(keyword) or "")
            setattr(dataset, keyword, f"{before} {next(strings)}".strip()[:60])
        block = dataset.private_block(0x0029, "ACME 1.0", create=True)
        for element in range(5):
            block.add_new(element, "LO", next(strings))
        target = path.with_name(f"Dupontel {path.name}")
        dataset.save_as(target)
        path.unlink()
        files.append(target)
    return files


def main(arguments: Sequence[str] | None = None) -> int:
    """Plant and search from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("workplace", type=Path, help="a folder that is made")
    parser.add_argument("--keep", action="store_true", help="leave the folder")
    chosen = parser.parse_args(arguments)
    place: Path = chosen.workplace
    if place.exists():
        parser.error(f"{place} is there already; name a new folder")
    place.mkdir(parents=True)
    strings = itertools.cycle(plants())
    search = Search()

    source = place / "in" / "MRN-7788990"
    recordings = write_recordings(source / "pre", strings)
    scan = write_scan(source / "pre" / "Dupontel scan", strings)
    imported = place / "imported"
    search.text("init", command("init", imported))
    said = command("import", imported, "--dicom", source.parent, "--tms", source.parent, "--yes")
    search.text("import", said)
    print(said.splitlines()[-2:], file=sys.stderr)
    search.files("imported", imported)

    for number, path in enumerate(recordings):
        out = place / "alone" / f"recording-{number}"
        if path.suffix in (".edf", ".bdf"):  # the others do not say whose they are
            search.text(f"tms {path.suffix}", command("tms", path, "--out", out))
    search.text("scan", command("scan", *scan, "--affected", "right", "--out", place / "alone" / "scan"))
    search.files("alone", place / "alone")

    by_hand = place / "by hand"
    command("init", by_hand)
    nm = by_hand / "sourcedata" / "sub-001" / "ses-pre" / "nm"
    shutil.copytree(source / "pre" / "Dupontel scan", nm)
    for number, path in enumerate(recordings, start=2):
        folder = by_hand / "sourcedata" / f"sub-{number:03d}" / "ses-pre" / "tms"
        folder.mkdir(parents=True)
        for beside in source.joinpath("pre").glob(f"{path.stem}.*"):
            shutil.copy(beside, folder)
    rows = [f"sub-{n:03d}\t50\tF\tR\t1\thand\tright\tn/a\t5\t70\n" for n in range(1, len(recordings) + 2)]
    table = by_hand / "participants.tsv"
    table.write_text(table.read_text().splitlines()[0] + "\n" + "".join(rows))
    search.text(
        "decide",
        decided := command("decide", by_hand, "sub-002", "exclude", "tms", "--session", "ses-pre",
                           "--who", "NM", "--why", f"{names()[0]} moved"),
    )  # fmt: skip
    if not decided.startswith("Kept"):
        parser.error(f"the decision that names her was not kept: {decided}")
    for words in (
        ("check",),
        ("run", "--jobs", 1, "--despite-problems"),
        ("predict", "--despite-problems"),
        ("explain",),
    ):
        said = command(words[0], by_hand, *words[1:])
        search.text(str(words[0]), said)
        print(words[0], said.strip().splitlines()[-1:], file=sys.stderr)
    search.files("by hand", by_hand / "derivatives")

    mapping = place / "map.toml"
    mapping.write_text(
        '[patients]\nidentifier = "record_id"\n[participants]\nage = "age"\nsex = "sex"\n'
        '[treatment]\nday = "day"\ncomment = "remark"\n'
        '[pain]\nvisit = { constant = "baseline" }\nnrs = "nrs"\nday = "day"\n'
    )
    export = place / "export.csv"
    lines = [f"{RECORD}-{n},{FAMILY},{50 + n},F,0,{n},her: {next(strings)}" for n in range(6)]
    export.write_text("\n".join(["record_id,surname,age,sex,day,nrs,remark", *lines]), "utf-8")
    with_comments = place / "redcap"
    command("init", with_comments)
    said = command("import", with_comments, "--redcap", export, "--map", mapping, "--yes")
    search.text("redcap", said)
    print("redcap", said.strip().splitlines()[-2:], file=sys.stderr)
    search.files("redcap", with_comments)

    for line, times in search.found.most_common(60):
        print(f"{times:4d} {line}")
    total = sum(search.found.values())
    print(f"{len(plants())} strings planted, {search.looked} texts and files searched, {total} found")
    if not chosen.keep:
        shutil.rmtree(place)
    return 1 if total else 0


if __name__ == "__main__":
    sys.exit(main())
