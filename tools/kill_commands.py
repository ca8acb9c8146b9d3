"""Kill every command that writes, at random moments: nothing saved may be lost, nothing half may stay.

    python tools/kill_commands.py [--kills 200] [--seed 1] [--only NAME ...]

Each command begins on a copy of one folder and is killed with its workers (SIGKILL). What lies there then
must be files as they were before or as an undisturbed command leaves them, tables and results whole. The
same command, given again, must then end as the undisturbed one did: same exit status, same files, same
values (times apart). A kill that comes after the end counts for nothing. The exit status is 1 if anything
was lost.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from compare_results import contents, differences
from sudeck.core.storage import write_json
from sudeck.demo.study_on_disk import make_demo_study
from sudeck.study.answers.elsewhere.centres import share_study
from sudeck.study.folder.create import create_study
from sudeck.study.folder.layout import StudyFolder
from sudeck.study.folder.pseudonyms import Key, write_key
from sudeck.study.folder.settings import read_settings
from sudeck.synthetic import BoneScanDesign, make_demo_recordings, simulate_bone_scan, write_bone_scan

START = "from sudeck.cli import main\nif __name__ == '__main__':\n    main()\n"
# Written at every start, or a lock: the record of each attempt, of which a second one makes two.
PASSING = ("run.json", ".lock")
ATTEMPTS = "imports"


@dataclass(frozen=True, slots=True)
class Attack:
    """A command, and the folder it begins on (by name; none for the empty one)."""

    name: str
    begins: str
    words: tuple[str, ...]


ATTACKS = (
    Attack("init", "", ("init", "study")),
    Attack("import", "new", ("import", "study", "--dicom", "in", "--tms", "in", "--patient", "77", "--yes")),
    Attack("scan", "new", ("scan", "in/scan", "--affected", "right", "--out", "out")),
    Attack("tms", "new", ("tms", "in/emg", "--out", "out")),
    Attack("run", "raw", ("run", "study", "--jobs", "2")),
    Attack("decide", "raw", ("decide", "study", "sub-001", "side", "left", "--who", "r", "--why", "seen")),
    Attack("predict", "measured", ("predict", "study")),
    Attack("explain", "measured", ("explain", "study", "--no-circuit")),
    Attack("ketamine", "measured", ("ketamine", "study")),
    Attack("check", "measured", ("check", "study", "--fix", "--yes")),
    Attack("share", "measured", ("share", "study")),
    Attack("pool", "measured", ("pool", "--joint", "question.json", "here.json", "there.json")),
    Attack("answer", "asked", ("share", "study", "--question", "question.json", "--out", "said.json")),
)


def prepare(place: Path, *, patients: int) -> None:
    """Make the folders that commands begin on."""
    new, raw, measured, asked = (place / name for name in ("new", "raw", "measured", "asked"))
    create_study(new / "study")
    study = StudyFolder(new / "study")
    write_key(read_settings(study).key_path(study), Key(bytes(range(32))))
    make_demo_recordings(new / "in" / "emg", seed=1)
    scan = simulate_bone_scan(BoneScanDesign(), rng=np.random.default_rng(1))
    write_bone_scan(scan, new / "in" / "scan", patient_id="77")
    make_demo_study(raw / "study", patients=4, jobs=2)
    make_demo_study(measured / "study", patients=patients, jobs=2)
    given(("run", "study"), measured)
    summary = share_study(measured / "study", path=measured / "here.json")[0].to_dict()
    write_json(measured / "there.json", {**summary, "centre": "there"})
    shutil.copytree(measured, asked, symlinks=True)
    given(("pool", "--joint", "question.json", "here.json", "there.json"), asked)
    table = measured / "study" / "participants.tsv"  # a word that `check --fix` translates
    table.write_text(table.read_text(encoding="utf-8").replace("\tleft", "\tlinks"), encoding="utf-8")


def given(words: Sequence[str], folder: Path) -> int:
    """Give a command in a folder, and return its exit status."""
    return subprocess.run(_command(words), cwd=folder, capture_output=True, check=False).returncode


def _command(words: Sequence[str]) -> list[str]:
    return [sys.executable, "-c", START, *words]


def killed(words: Sequence[str], folder: Path, after_s: float) -> bool:
    """Give a command and kill it and its workers after a while; tell whether it was still there."""
    with subprocess.Popen(
        _command(words),
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        time.sleep(after_s)
        there = process.poll() is None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    return there


def files(folder: Path) -> dict[str, Path]:
    """Return every file by its place in the folder.

    Left out are those that pass, and what a write that was cut short leaves under a hidden name nobody reads.
    """
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {
        path.relative_to(folder).as_posix(): path
        for path in found
        if path.name not in PASSING
        and path.parent.name != ATTEMPTS
        and not any(part.startswith(".sudeck-") for part in path.relative_to(folder).parts)
    }


def half_done(folder: Path, before: Path, after: Path) -> Iterator[str]:
    """Yield every file that is neither as before nor as afterwards, and every one that is gone."""
    here, old, new = files(folder), files(before), files(after)
    for name in sorted(old.keys() & new.keys() - here.keys()):
        yield f"{name} is gone"
    for name, path in here.items():
        others = [one[name] for one in (old, new) if name in one]
        if others and not any(same(path, other) for other in others):
            yield f"{name} is neither the old file nor the new one"


def unlike(folder: Path, wanted: Path) -> Iterator[str]:
    """Yield every file that only one of two folders has, or that says something else in them."""
    here, there = files(folder), files(wanted)
    for name in sorted(here.keys() ^ there.keys()):
        yield f"{name} is there once only"
    for name in sorted(here.keys() & there.keys()):
        if not same(here[name], there[name]):
            yield f"{name} differs from that of the undisturbed command"


def same(one: Path, other: Path) -> bool:
    """Tell whether two files hold the same, times apart."""
    if one.read_bytes() == other.read_bytes():
        return True
    try:
        if one.suffix == ".jsonl":
            return decided(one) == decided(other)
        if one.suffix not in (".json", ".tsv"):
            return one.suffix == ".html"  # pages state when they were made
        return not any(differences(contents(one), contents(other), one.name, 1e-9))
    except ValueError:
        return False


def decided(path: Path) -> set[tuple[str, ...]]:
    """Return what a file of decisions says; one given twice says it once."""
    lines = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return {tuple(line[name] for name in ("patient", "kind", "about", "value", "who")) for line in lines}


def attack(one: Attack, place: Path, kills: int, rng: random.Random) -> tuple[int, list[str]]:
    """Kill a command so many times; return how often it was still running, and what was found."""
    before, after, scratch = place / (one.begins or "empty"), place / "after", place / "scratch"
    before.mkdir(exist_ok=True)
    shutil.rmtree(after, ignore_errors=True)
    shutil.copytree(before, after, symlinks=True)
    begun = time.perf_counter()
    status = given(one.words, after)
    took = time.perf_counter() - begun
    hits, found = 0, []
    for _ in range(kills):
        shutil.rmtree(scratch, ignore_errors=True)
        shutil.copytree(before, scratch, symlinks=True)
        moment = rng.uniform(0.1, 1.0) * took
        if not killed(one.words, scratch, moment):
            continue
        hits += 1
        wrong = list(half_done(scratch, before, after))
        done = not list(unlike(scratch, after))
        again = given(one.words, scratch)
        if again != status and not done:  # a study that is there whole is not made again
            wrong.append(f"given again it ends with {again}, undisturbed with {status}")
        wrong += unlike(scratch, after)
        found += [f"{one.name}, killed after {moment:.2f} of {took:.2f} s: {what}" for what in wrong]
    return hits, found


def main() -> int:
    """Attack from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--kills", type=int, default=200, help="of all commands together")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--patients", type=int, default=24, help="of the study that answers are made from")
    parser.add_argument("--only", nargs="+", choices=[one.name for one in ATTACKS])
    chosen = parser.parse_args()
    attacks = [one for one in ATTACKS if chosen.only is None or one.name in chosen.only]
    rng, hits, lost = random.Random(chosen.seed), 0, 0
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder), patients=chosen.patients)
        for one in attacks:
            landed, found = attack(one, Path(folder), -(-chosen.kills // len(attacks)), rng)
            print(*found, f"{one.name}: {landed} kills, {len(found)} faults", sep="\n", flush=True)
            hits, lost = hits + landed, lost + len(found)
    print(f"{hits} kills landed, {lost} faults")
    return 1 if lost or not hits else 0


if __name__ == "__main__":
    sys.exit(main())
