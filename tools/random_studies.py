"""Throw random small studies at the desk: each must end in an answer or a sentence, and never in nonsense.

    python tools/random_studies.py --studies 10000 --seed 1 [--begin 0] [--boot 20]

A study has 0 to 40 patients, every tenth up to 200 so that there are models too, and any number of
responders; ratios, pain and covariates are drawn freely, or are constant, duplicated, missing, separating,
tied to each other, or at the edge of what the tables allow. Each is written as a folder of tables, checked,
predicted, reported and shared, and a model of another study is tried on it and updated. What is not a
`SudeckError` is a traceback; numbers outside their interval or their scale, figures from bootstraps of which
more than 5 % separate, and "nan" on a page are nonsense. Both are printed once a kind. The exit status is 1
if there was any.

Every fourth report is drawn with its figures and every 200th study goes through the command as well: drawing
costs twice as much as all the rest.
"""

from __future__ import annotations

import argparse
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from sudeck.core.errors import SudeckError
from sudeck.prediction.bootstrap import MOST_SEPARATED
from sudeck.prediction.saved_model import read_saved_model
from sudeck.report.study import figures
from sudeck.report.study.page import write_study_report
from sudeck.study.answers.elsewhere.another_study import update_study, validate_study
from sudeck.study.answers.elsewhere.centres import share_study
from sudeck.study.answers.study_prediction import StudyPrediction
from sudeck.study.answers.who_responds import MODEL_FILE, predict_patient, predict_study
from sudeck.study.checks.check import check_study
from sudeck.study.folder.create import create_study
from sudeck.study.folder.layout import open_study

_TAGS = re.compile(r"<(svg|style|script)\b.*?</\1>|<[^>]*>", re.DOTALL)
_NONSENSE = re.compile(r"(?<![\w-])(nan|inf|None(?! of| in)|-0\.0+)(?![\w-])")
# Each of these lies in [0, 1] wherever it stands in prediction.json.
_SHARES = {"c_statistic", "brier", "probability", "probability_from_all_others", "p"}
# Every so many-th study is large, has its figures drawn, goes through the command too.
_LARGE, _DRAWN, _COMMANDED = 10, 4, 200


def draw_study(root: Path, rng: np.random.Generator, *, most: int = 40) -> None:
    """Fill the tables of an empty study with up to so many random patients."""
    n = int(rng.integers(0, most + 1))
    ids = [f"sub-{i + 1:03d}" for i in range(n)]
    hidden = rng.standard_normal(n)
    ratios = _draw_ratios(rng, n, hidden)
    relief = _draw_relief(rng, n, hidden)
    baseline = np.round(rng.uniform(3, 10, n), 1)
    if rng.random() < 0.15:
        baseline[rng.random(n) < 0.3] = 0.0
    later = np.clip(np.round(baseline * (1 - relief / 100), 1), 0, 10)
    limb = np.where(rng.random(n) < rng.choice([0.0, 0.03, 0.5, 1.0]), "foot", "hand")
    months = _draw_months(rng, n)
    people = [
        f"{pid}\t{_cell(50 + 10 * h)}\t{'F' if h > 0 else 'M'}\tR\t1\t{where}\tleft\tn/a\t{_cell(month)}\t70"
        for pid, h, where, month in zip(ids, hidden, limb, months, strict=True)
    ]
    pain, scans = [], []
    missing_score, missing_phase = rng.choice([0, 0, 0.1, 0.5, 1]), rng.choice([0, 0, 0.1, 0.5, 1])
    errors = rng.choice([0.0, 0.02, 0.2, 1.0])
    for i, pid in enumerate(ids):
        pain.append(f"{pid}\tbaseline\t0\t{_cell(baseline[i])}")
        score = math.nan if rng.random() < missing_score else later[i]
        pain.append(f"{pid}\tday 5\t5\t{_cell(score)}")
        values = [math.nan if rng.random() < missing_phase else value for value in ratios[i]]
        given = "\t".join(_cell(errors if errors else math.nan) for _ in range(3))
        scans.append(f"{pid}\t" + "\t".join(map(_cell, values)) + f"\t{given}\tby hand\tAB")
    if n and rng.random() < 0.1:  # somebody twice
        people.append(rng.choice(people))
        pain.append(rng.choice(pain))
        scans.append(rng.choice(scans))
    for path, rows in (
        ("participants.tsv", people),
        ("phenotype/pain.tsv", pain),
        ("phenotype/scan_ratios.tsv", scans),
    ):
        place = root / path
        header = place.read_text(encoding="utf-8").splitlines()[0]
        place.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")


def _draw_ratios(rng: np.random.Generator, n: int, hidden: np.ndarray) -> np.ndarray:
    logs = 0.3 + rng.choice([0.0, 1e-12, 0.05, 0.4, 2.0]) * rng.standard_normal((n, 3))
    logs += rng.choice([0.0, 0.1, 1.0]) * hidden[:, None] * rng.choice([-1, 0, 1], 3)
    kind = rng.random()
    if kind < 0.1:
        logs[:, 2] = logs[:, 1]  # BPr/TPr is one in everybody
    elif kind < 0.2:
        logs[:, 2] = 2 * logs[:, 1] - logs[:, 0]  # both ratios are the same
    elif kind < 0.25:
        logs = np.repeat(logs[:1], n, axis=0)
    elif kind < 0.3:
        logs[: n // 2] = logs[n // 2 : 2 * (n // 2)]  # everybody twice
    return np.exp(np.clip(np.round(logs, int(rng.choice([1, 2, 6]))), -4, 4))


def _draw_relief(rng: np.random.Generator, n: int, hidden: np.ndarray) -> np.ndarray:
    kind = rng.random()
    if kind < 0.1:
        return np.full(n, rng.choice([-20.0, 0.0, 30.0, 100.0]))
    if kind < 0.4:  # any number of responders, separated by what nobody measured or by the ratios
        order = np.argsort(hidden) if rng.random() < 0.5 else rng.permutation(n)
        relief = np.full(n, 0.0)
        relief[order[: int(rng.integers(0, n + 1))]] = 60.0
        return relief
    return np.asarray(
        np.clip(30 + 30 * (hidden * rng.choice([0, 0.5, 1]) + rng.standard_normal(n)), -50, 100)
    )


def _draw_months(rng: np.random.Generator, n: int) -> np.ndarray:
    kind = rng.random()
    months = np.round(np.exp(2.5 + rng.standard_normal(n)), 1)
    if kind < 0.15:
        return np.full(n, 12.0)
    if kind < 0.3:
        return np.full(n, math.nan)
    if kind < 0.45:
        months[rng.random(n) < 0.3] = math.nan
    elif kind < 0.5:
        months[: n // 3] = 0.0
    return months


def _cell(value: float) -> str:
    return "n/a" if math.isnan(value) else f"{value:.6g}"


def known_study(root: Path, rng: np.random.Generator, *, patients: int = 300) -> None:
    """Fill an empty study with patients who respond by their ratios; of 300 there is a model."""
    header = {
        name: root.joinpath(name).read_text(encoding="utf-8").splitlines()[0]
        for name in ("participants.tsv", "phenotype/pain.tsv", "phenotype/scan_ratios.tsv")
    }
    rows: dict[str, list[str]] = {name: [] for name in header}
    for i in range(patients):
        logs = 0.3 * rng.standard_normal(3)
        responds = rng.random() < 1 / (1 + math.exp(-4 * (logs[1] - logs[2])))
        limb, months = rng.choice(["hand", "foot"]), _cell(math.exp(2.5 + rng.standard_normal()))
        pid = f"sub-{i + 1:03d}"
        rows["participants.tsv"].append(f"{pid}\t50\tF\tR\t1\t{limb}\tleft\tn/a\t{months}\t70")
        rows["phenotype/pain.tsv"] += [f"{pid}\tbaseline\t0\t8", f"{pid}\tday 5\t5\t{2 if responds else 8}"]
        values = "\t".join(_cell(value) for value in np.exp(logs))
        rows["phenotype/scan_ratios.tsv"].append(f"{pid}\t{values}\t0.02\t0.02\t0.02\tby hand\tAB")
    for name, lines in rows.items():
        (root / name).write_text("\n".join([header[name], *lines]) + "\n", encoding="utf-8")


def try_study(root: Path, model: Path, *, n_boot: int) -> Iterator[str]:
    """Yield what is nonsense about one study, and about the model of another on it."""
    study = open_study(root)
    try:
        check_study(study)
        predicted = predict_study(root, n_boot=n_boot)
    except SudeckError as error:
        yield from _nonsense_in_sentence("refused", str(error))
        return
    yield from _nonsense_in_numbers(predicted)
    page = write_study_report(root, predicted).read_text(encoding="utf-8")
    yield from _nonsense_in_sentence("page", _TAGS.sub(" ", page))
    yield from _nonsense_in_sentence("console", str(predicted))
    for reason in predicted.refused.values():
        yield from _nonsense_in_sentence("refused", reason)
    try:
        share_study(root)
    except SudeckError as error:
        yield from _nonsense_in_sentence("share", str(error))
    elsewhere = {"validate": validate_study, "update": lambda *given: update_study(*given)[0]}
    for name, attempt in elsewhere.items():
        try:
            yield from _nonsense_in_sentence(name, str(attempt(root, model)))
        except SudeckError as error:
            yield from _nonsense_in_sentence(name, str(error))
    if predicted.model is not None:
        read_saved_model(study.derivatives / MODEL_FILE)
        try:
            one = predict_patient(root, str(predicted.cohort.table["participant_id"].iloc[0]))
            yield from _nonsense_in_sentence("patient", str(one))
        except SudeckError as error:
            yield from _nonsense_in_sentence("patient", str(error))


def _nonsense_in_sentence(where: str, text: str) -> Iterator[str]:
    for found in _NONSENSE.finditer(text):
        around = " ".join(text[max(found.start() - 50, 0) : found.end() + 30].split())
        yield f"{where} says {found.group()}: … {around} …"


def _nonsense_in_numbers(predicted: StudyPrediction) -> Iterator[str]:
    flow, model, checked = predicted.cohort.flow, predicted.model, predicted.validation
    if model is not None and (model.n != flow.analysed or model.events != flow.responders):
        yield "model counts other patients than the flow"
    if model is not None and not 1 <= model.events < model.n:
        yield "a model of one outcome"
    if checked is not None:
        share = checked.resamples.n_separated / max(len(checked.resamples.weights), 1)
        slope = checked.measures["calibration_slope"]
        if share > MOST_SEPARATED and (
            checked.calibration is not None
            or predicted.decision is not None
            or not math.isnan(slope.corrected)
        ):
            yield "curves or a slope from bootstraps that separate"
    yield from _walk(predicted.to_dict(), "")


def _walk(part: Any, path: str) -> Iterator[str]:
    """Yield the numbers that lie outside their interval or their scale."""
    if isinstance(part, Mapping):
        low, high = part.get("low"), part.get("high")
        value = part.get("value", part.get("corrected"))
        numbers = all(isinstance(one, int | float) for one in (low, high, value))
        if numbers and all(map(math.isfinite, (low, high, value))) and not low - 1e-9 <= value <= high + 1e-9:
            yield f"{path}: value outside its interval"
        for key, inner in part.items():
            name = re.sub(r"sub-\d+", "sub", str(key))
            yield from _walk(inner, f"{path}/{name}")
    elif isinstance(part, list | tuple):
        for inner in part:
            yield from _walk(inner, f"{path}[]")
    elif isinstance(part, float):
        name = path.rsplit("/", 1)[-1]
        if math.isinf(part):
            yield f"{path}: infinite"
        elif name in _SHARES and not -1e-12 <= part <= 1 + 1e-12:
            yield f"{path}: outside 0 to 1"
        elif abs(part) > 1e6:
            yield f"{path}: beyond a million"


def try_command(root: Path) -> Iterator[str]:
    """Yield what is wrong about the command on one study."""
    start = "from sudeck.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", start, "predict", str(root), "--despite-problems"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if "Traceback" in done.stderr or done.returncode not in (0, 1, 2):  # 2: refused in a sentence
        yield f"the command ends with {done.returncode}: {done.stderr[-300:]}"
    yield from _nonsense_in_sentence("the command", done.stdout + done.stderr)


def main() -> int:
    """Run the studies asked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--studies", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--begin", type=int, default=0, help="go on with this number")
    parser.add_argument("--boot", type=int, default=20)
    options = parser.parse_args()
    found: Counter[str] = Counter()
    modelled, began = 0, time.monotonic()
    warnings.simplefilter("error")
    os.fsync = lambda _: None  # nothing here has to outlive a failing power supply
    draw = figures.draw_svg
    with tempfile.TemporaryDirectory(dir=_quick_place()) as folder:
        empty, known, root = (Path(folder) / name for name in ("empty", "known", "study"))
        create_study(empty)
        shutil.copytree(empty, known)
        known_study(known, np.random.default_rng(options.seed))
        predict_study(known, n_boot=options.boot)
        model = open_study(known).derivatives / MODEL_FILE
        for number in range(options.begin, options.begin + options.studies):
            shutil.copytree(empty, root)
            rng = np.random.default_rng([options.seed, number])
            draw_study(root, rng, most=200 if number % _LARGE == 0 else 40)
            setattr(figures, "draw_svg", draw if number % _DRAWN == 0 else _not_drawn)  # noqa: B010
            try:
                kinds = list(try_study(root, model, n_boot=options.boot))
                modelled += (root / "derivatives" / "sudeck" / MODEL_FILE).is_file()
            except Exception:  # this is what is looked for
                kinds = ["traceback: " + traceback.format_exc(limit=-4)]
            if number % _COMMANDED == 1:
                kinds += try_command(root)
            shutil.rmtree(root)
            for kind in kinds:
                if not found[kind]:
                    print(f"--- study {number}: {kind}", flush=True)
                found[kind] += 1
            if number % 500 == 499:
                print(f"{number + 1} done, {time.monotonic() - began:.0f} s", flush=True)
    print(
        f"{options.studies} studies, {modelled} with a model, {len(found)} kinds of nonsense or traceback, "
        f"{time.monotonic() - began:.0f} s, {time.process_time():.0f} s of processor time"
    )
    return 1 if found else 0


def _quick_place() -> str | None:
    """Return a folder in memory where there is one: a study is forty small files."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def _not_drawn(*_: object, **__: object) -> str:
    return ""


if __name__ == "__main__":
    sys.exit(main())
