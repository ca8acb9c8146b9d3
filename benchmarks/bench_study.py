"""A whole study: 105 patients made, measured on the pixels, predicted and reported; and killed 20 times.

    python benchmarks/bench_study.py [--quick] [--jobs 2] [--patients 105] [--kills 20]

Each line: what, target, measured. The baseline of a run is the same run with one worker.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sudeck.demo.study_on_disk import make_demo_study
from sudeck.report.study.page import REPORT_FILE, write_study_report
from sudeck.report.study.patient_pages import present
from sudeck.study.answers.who_responds import predict_and_report
from sudeck.study.folder.create import create_study
from sudeck.study.folder.layout import StudyFolder
from sudeck.study.folder.schema import TABLES
from sudeck.study.measuring.run import run_study
from sudeck.synthetic.study.synthetic_cohort import CohortSettings, draw_cohort

START = (
    "import sys; from pathlib import Path; from sudeck.study.measuring.run import run_study\n"
    "if __name__ == '__main__':\n    run_study(Path(sys.argv[1]), jobs=int(sys.argv[2]))\n"
)
PREDICT = (
    "import sys; from pathlib import Path; from sudeck.report.study.page import write_study_report as write\n"
    "from sudeck.study.answers.who_responds import predict_study\n"
    "root = Path(sys.argv[1]); write(root, predict_study(root))\n"
    "import resource; spent = resource.getrusage(resource.RUSAGE_SELF)\n"
    "print(spent.ru_utime + spent.ru_stime, spent.ru_maxrss / 1024)\n"
)
NOT_COMPARED = {"run.json", ".lock"}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="16 patients, 4 kills")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--patients", type=int, default=105)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    patients = 16 if options.quick else options.patients
    kills = 4 if options.quick else options.kills
    print(
        f"{patients} patients, {options.jobs} workers, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    )
    print(f"{'what':<44}{'target':>12}{'measured':>12}  CPU time, baseline")
    with tempfile.TemporaryDirectory() as scratch:
        whole_study(Path(scratch) / "study", patients, options.jobs)
        thousand(Path(scratch) / "thousand", 100 if options.quick else 1000)
        killed(Path(scratch) / "killed", kills, options.jobs, options.seed)


def whole_study(root: Path, patients: int, jobs: int) -> None:
    """Make, run, predict and report; then all of it again, and the run with one worker."""
    times = []
    with timed() as made:
        make_demo_study(root, patients=patients, jobs=jobs)
    with timed() as ran:
        summary = run_study(root, jobs=jobs, present=present)
    with timed() as told:
        predict(root)
    for name, step in (("make the study", made), ("run", ran), ("predict and report", told)):
        times.append(step["wall"])
        line(name, "", f"{step['wall']:.1f} s", f"{step['cpu']:.1f} s CPU")
    target = "60 s" if patients == 105 else ""
    line("all of it", target, f"{sum(times):.1f} s", f"{made['cpu'] + ran['cpu'] + told['cpu']:.1f} s CPU")
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    worker = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    most = (own + jobs * worker) / 1024**2
    line(
        "memory, this process and its workers",
        "1 GB",
        f"{most:.2f} GB",
        f"a worker {worker / 1024**2:.2f} GB",
    )
    with timed() as again:
        make_demo_study(root, patients=patients, jobs=jobs)
        run_study(root, jobs=jobs, present=present)
        predict(root)
    line("all of it again, nothing changed", "5 s", f"{again['wall']:.1f} s", f"{again['cpu']:.1f} s CPU")
    scanned = f"{summary.scanned} of {patients}"
    reasons = sum(failure.measure == "scan" for failure in summary.failures)
    line("one damaged scan: results, reasons", f"{patients - 1}, 1", f"{summary.scanned}, {reasons}", scanned)
    first = results(root)
    shutil.rmtree(StudyFolder(root).derivatives)
    with timed() as alone:
        run_study(root, jobs=1, present=present)
    predicted = {name for name in first if name.endswith((".html", ".json", ".tsv")) and "/" not in name}
    same = {name: data for name, data in first.items() if name not in predicted} == {
        name: data for name, data in results(root).items() if name not in predicted
    }
    shutil.rmtree(StudyFolder(root).derivatives)
    with timed() as bare:
        run_study(root, jobs=jobs)
    share = (ran["cpu"] + told["cpu"]) / bare["cpu"]
    measured = f"{bare['wall']:.1f} s, {bare['cpu']:.1f} s CPU measuring alone"
    line("run, predict, report over measuring alone", "1.5", f"{share:.2f}", measured)
    line("one worker gives the same bytes", "yes", "yes" if same else "NO", f"{alone['wall']:.1f} s wall")


def thousand(root: Path, patients: int) -> None:
    """Predict and report a large study of typed ratios, a tenth of the durations missing."""
    create_study(root)
    rng = np.random.default_rng(5)
    table = draw_cohort(CohortSettings(n=patients, missing={}), rng=rng).table
    table = table.assign(visit="baseline", day=0, nrs=7.0, handedness="R")
    table.loc[rng.random(patients) < 0.1, "duration_months"] = np.nan
    after = table.assign(visit="day 5", day=5, nrs=(7 - 0.07 * table["relief_percent"]).clip(0, 10))
    rows = {"participants": table, "pain": pd.concat([table, after]), "scan_ratios": table}
    for name, frame in rows.items():
        place = root / TABLES[name].path
        columns = list(TABLES[name].columns)
        frame.reindex(columns=columns).round(4).to_csv(place, sep="\t", index=False, na_rep="n/a")
    said = subprocess.run(
        [sys.executable, "-c", PREDICT, str(root)], check=True, capture_output=True, text=True
    ).stdout
    seconds, megabytes = map(float, said.split())
    page = (StudyFolder(root).derivatives / REPORT_FILE).stat().st_size / 1e6
    line(f"{patients} patients, predict and report", "30 s CPU", f"{seconds:.0f} s", "a process of its own")
    line("  memory", "500 MB", f"{megabytes:.0f} MB", "")
    line("  page", "3 MB", f"{page:.1f} MB", "")


def predict(root: Path) -> None:
    """Predict and report, as the command does."""
    place = StudyFolder(root).derivatives / REPORT_FILE
    predict_and_report(root, place=place, write_page=lambda said: write_study_report(root, said, path=place))


def killed(root: Path, kills: int, jobs: int, seed: int) -> None:
    """Kill a run at a random moment, run again, compare with a run that nobody disturbed."""
    make_demo_study(root, patients=4, jobs=jobs)
    script = root.parent / "start.py"
    script.write_text(START)
    with timed() as calm:
        subprocess.run([sys.executable, str(script), str(root), str(jobs)], check=True)
    undisturbed = results(root)
    moments = random.Random(seed)
    completed = identical = interrupted = 0
    for _ in range(kills):
        shutil.rmtree(StudyFolder(root).derivatives)
        command = [sys.executable, str(script), str(root), str(jobs)]
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        time.sleep(moments.uniform(0.0, 0.9) * calm["wall"])
        process.send_signal(signal.SIGKILL)
        interrupted += process.wait() == -signal.SIGKILL
        rerun = subprocess.run([sys.executable, str(script), str(root), str(jobs)], check=False)
        completed += rerun.returncode == 0
        identical += results(root) == undisturbed
    line(
        f"killed at random, {interrupted} of {kills} in time",
        f"{kills}",
        f"{completed}",
        "runs that completed",
    )
    line("  results identical to an undisturbed run", f"{kills}", f"{identical}", "")


def results(root: Path) -> dict[str, bytes]:
    folder = StudyFolder(root).derivatives
    files = (path for path in folder.rglob("*") if path.is_file() and path.name not in NOT_COMPARED)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@contextmanager
def timed() -> Any:
    """Measure wall time and the processor time of this process and its finished children."""
    spent: dict[str, float] = {}
    wall, cpu = time.perf_counter(), processor_time()
    yield spent
    spent |= {"wall": time.perf_counter() - wall, "cpu": processor_time() - cpu}


def processor_time() -> float:
    parts = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(part.ru_utime + part.ru_stime for part in parts)


def line(what: str, target: str, measured: str, beside: str) -> None:
    print(f"{what:<44}{target:>12}{measured:>12}  {beside}", flush=True)


if __name__ == "__main__":
    main()
