"""Plant bugs, one at a time, and tell which of them the tests catch.

    python tools/plant_bugs.py [--only scan --only tms] [--begin 48] [--list]

Each bug is a line of a module changed into what somebody might have written: a factor, a sign, a limit, a
wrong side, a step left out. It is planted in a copy of the repository, and the tests named with it run there;
a bug that they pass with has survived. A line that is no longer there is told, and counts as survived: the
list has to follow the code. The exit status is 1 if a bug survived.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Bug:
    """A line, what becomes of it, and the tests that should notice."""

    module: str
    line: str
    planted: str
    tests: str


def _bugs(tests: str, *changes: tuple[str, str, str]) -> list[Bug]:
    return [Bug(module, line, planted, tests) for module, line, planted in changes]


BUGS = [
    *_bugs(
        "scan/ratios",
        ("scan/ratios/ratios.py", "a, b = first + 0.5, second + 0.5", "a, b = first, second"),
        (
            "scan/ratios/ratios.py",
            "math.hypot(ratio.counting_high - ratio.value, z * ratio.placement.total)",
            "math.hypot(ratio.value - ratio.counting_low, z * ratio.placement.total)",
        ),
        (
            "scan/ratios/ratios.py",
            "below = math.hypot(over.value - over.counting_low, under.counting_high - under.value)",
            "below = math.hypot(over.value - over.counting_low, under.value - under.counting_low)",
        ),
        ("scan/ratios/ratios.py", "over.value - under.value,", "under.value - over.value,"),
        ("scan/ratios/ratios.py", "se=math.hypot(counting, placement)", "se=counting"),
        (
            "scan/ratios/placement.py",
            "self.shared.get(cause, 0.0) - other.shared.get(cause, 0.0)",
            "self.shared.get(cause, 0.0) + other.shared.get(cause, 0.0)",
        ),
        (
            "scan/ratios/ratios.py",
            "math.sqrt(sum(ratio.counting_se**2 for ratio in ratios)) / count",
            "math.sqrt(sum(ratio.counting_se**2 for ratio in ratios))",
        ),
        ("scan/ratios/uptake.py", "counts / area_px - background.per_pixel", "counts / area_px"),
        ("scan/ratios/uptake.py", "effective = counts**2 / squares", "effective = counts"),
    ),
    *_bugs(
        "scan/reading",
        ("scan/reading/clock.py", "TC99M_HALF_LIFE_S = 6.0067 * 3600", "TC99M_HALF_LIFE_S = 6.0067 * 60"),
        ("scan/reading/counts.py", "if abs(difference) > SUM_TOLERANCE:", "if difference > SUM_TOLERANCE:"),
        ("scan/reading/counts.py", "if lowest < 0:", "if lowest < -1e9:"),
    ),
    *_bugs(
        "scan/phases/test_side_pairs.py",
        (
            "scan/phases/side_pairs.py",
            "0.5 ** (elapsed_s / (item.half_life_s or TC99M_HALF_LIFE_S))",
            "0.5 ** (elapsed_s / (2 * (item.half_life_s or TC99M_HALF_LIFE_S)))",
        ),
    ),
    *_bugs(
        "tms/test_readers.py tms/test_readers_clock.py study/imports/test_import_tms.py",
        ("tms/readers/cfs.py", '"ms": 1e-3', '"ms": 1e-2'),
        ("tms/readers/edf.py", "starts = [start if onset is None else onset", "starts = [start"),
        ("tms/readers/edf.py", "(value & 0x800000) << 1", "(value & 0x800000)"),
        ("tms/signals/units.py", '"uv": 1e-3', '"uv": 1e-6'),
        (
            "tms/readers/edf.py",
            "physical = (digital - channel.digital_min) * gain + channel.physical_min",
            "physical = digital * gain",
        ),
    ),
    *_bugs(
        "tms/responses tms/signals tms/measures",
        (
            "tms/responses/windows.py",
            "first = pulse_sample + round(window_ms[0] * rate_hz / 1e3)",
            "first = round(window_ms[0] * rate_hz / 1e3)",
        ),
        (
            "tms/responses/silent_period.py",
            "offset[trial] = (end_column - pulse_sample) * 1e3 / rate_hz",
            "offset[trial] = end_column * 1e3 / rate_hz",
        ),
        ("tms/responses/silent_period.py", "self.offset_ms - self.onset_ms", "self.offset_ms"),
        ("tms/measures/lognormal.py", "return ((self.se_low + self.se_high) / 2) ** 2", "return 0.0"),
        (
            "tms/measures/lognormal.py",
            "np.sqrt(np.maximum(amplitude**2 - noise_mv**2, 0.0))",
            "np.maximum(amplitude - noise_mv, 0.0)",
        ),
        (
            "tms/measures/paired_pulse.py",
            "variance = over.variance + under.variance",
            "variance = over.variance",
        ),
        (
            "tms/measures/paired_pulse.py",
            "difference = over.value - under.value",
            "difference = under.value - over.value",
        ),
        (
            "tms/measures/paired_pulse.py",
            "se = sd / math.sqrt(amplitude.size)",
            "se = sd",
        ),
    ),
    *_bugs(
        "tms/thresholds",
        (
            "tms/thresholds/classical_rules.py",
            "drop = normal_quantile(level) ** 2 / 2",
            "drop = normal_quantile(level) ** 2",
        ),
        (
            "tms/thresholds/classical_rules.py",
            "inside = grid[log_likelihood >= log_likelihood.max() - drop]",
            "inside = grid[log_likelihood >= log_likelihood.max() - 1e-9]",
        ),
        ("tms/thresholds/classical_rules.py", "if hits >= pulses / 2:", "if hits > pulses / 2:"),
        (
            "tms/thresholds/posterior.py",
            "(threshold * posterior.relative_spread))[:, :, None]",
            "posterior.relative_spread)[:, :, None]",
        ),
    ),
    *_bugs(
        "tms/test_change.py",
        ("tms/change.py", "sd = float((after - before).std(ddof=1)) / math.sqrt(2)",
         "sd = float((after - before).std(ddof=1))"),
        ("tms/change.py", "max(trial_se, session_se)", "min(trial_se, session_se)"),
    ),
    *_bugs(
        "statistics",
        ("statistics/proportion.py", "middle = (successes + z2 / 2)", "middle = (successes + z2)"),
        (
            "statistics/proportion.py",
            "beta.ppf(1 - tail, successes + 1, total - successes)",
            "beta.ppf(1 - tail, successes, total - successes + 1)",
        ),
        ("statistics/roc.py", "(cases * (below + through) / 2)", "(cases * below)"),
        ("statistics/roc.py", "by_case.var(ddof=1) / len(by_case)", "by_case.var(ddof=1)"),
        ("statistics/regression/firth.py", "(variance * (1.0 + leverage))", "variance"),
        ("statistics/regression/linear.py", "np.asarray(error / (total - k))", "np.asarray(error / total)"),
        (
            "statistics/sign_flip.py",
            "limit = observed * (1 - TIE) - TIE_NEAR_ZERO",
            "limit = observed * (1 + TIE)",
        ),
        (
            "statistics/equivalence.py",
            "p_no_change = 2 * float(stats.t.sf(abs(log_ratio) / log_se, df))",
            "p_no_change = float(stats.t.sf(abs(log_ratio) / log_se, df))",
        ),
        (
            "statistics/effect_size.py",
            "correction = 1 - 3 / (4 * df - 1)",
            "correction = 1 + 3 / (4 * df - 1)",
        ),
        ("statistics/imputation.py", "total = within + (1 + 1 / m) * between", "total = within + between"),
    ),
    *_bugs(
        "prediction",
        (
            "prediction/published/published_rule.py",
            "return value - cutoff > 1e-9 * cutoff",
            "return value - cutoff > -1e-9 * cutoff",
        ),
        (
            "prediction/decision.py",
            "false * thresholds / (1 - thresholds)",
            "false * thresholds",
        ),
        (
            "prediction/ratios.py",
            "(variances[:, i] + variances[:, j] - se[measure] ** 2) / 2",
            "(variances[:, i] + variances[:, j] - se[measure] ** 2)",
        ),
        (
            "prediction/validation.py",
            "(1 - level) / 2, (1 + level) / 2",
            "(1 - level), level",
        ),
        (
            "prediction/updating.py",
            "max(2 * (fullest.log_likelihood - step.log_likelihood), 0.0)",
            "max(fullest.log_likelihood - step.log_likelihood, 0.0)",
        ),
    ),
    *_bugs(
        "mechanism",
        (
            "mechanism/published_pattern.py",
            "running = max(running, min(1.0, p * (len(ordered) - rank)))",
            "running = min(1.0, p * (len(ordered) - rank))",
        ),
        (
            "mechanism/published_pattern.py",
            'verdict = "supported" if ratio.value < 1 else "not supported"',
            'verdict = "supported"',
        ),
        (
            "mechanism/circuit_fit/patient_data.py",
            "return self.person_covariance + np.diag(self.log_se**2)",
            "return self.person_covariance + np.diag(self.log_se)",
        ),
        (
            "mechanism/circuit_fit/hierarchy.py",
            "weight = count / spread**2 + 1 / prior**2",
            "weight = count / spread**2",
        ),
    ),
    *_bugs(
        "ketamine",
        ("ketamine/units.py", "return dose_mg * BASE_SHARE", "return dose_mg / BASE_SHARE"),
        ("ketamine/solve.py", "1e3 * kept[..., :k, :]", "kept[..., :k, :]"),
        (
            "ketamine/exposure.py",
            "crossing = np.clip(-first / rise, 0.0, 1.0)",
            "crossing = np.clip(first / rise, 0.0, 1.0)",
        ),
        ("ketamine/record_checks.py", "12.0  # four times", "1.2  # four times"),
    ),
    *_bugs(
        "circuit/test_readout.py circuit/steppers circuit/test_equations.py",
        (
            "circuit/steppers/kinetics.py",
            "return np.asarray((1 + MAGNESIUM_AT_REST) / (1 + blocked))",
            "return np.asarray(1 / (1 + blocked))",
        ),
        (
            "circuit/readout.py",
            "values[m.name] = value if m.over is None else value / shown[m.over, \"mep\"]",
            "values[m.name] = value",
        ),
    ),
    *_bugs(
        "study/answers/test_outcomes.py study/answers/test_after_treatment.py",
        (
            "study/answers/outcomes.py",
            "relief >= settings.responder.at_least - 1e-9",
            "relief > settings.responder.at_least",
        ),
        ("study/answers/outcomes.py", "max(days) - start", "max(days)"),
        ("study/answers/after_treatment.py", "times.append(max(seen) if first is None else first)",
         "times.append(max(seen))"),
    ),
    *_bugs(
        "study/measuring/test_run.py",
        (
            "study/measuring/patient_measures.py",
            "affected = choices.affected or patient.affected",
            "affected = patient.affected or choices.affected",
        ),
    ),
    *_bugs(
        "study/imports",
        (
            "study/imports/deidentify.py",
            'clean.PatientIdentityRemoved = "YES"',
            'clean.PatientIdentityRemoved = "NO"',
        ),
        ("study/imports/import_people.py", "value + shift if isinstance(value, date)",
         "value if isinstance(value, date)"),
        ("study/imports/import_tms.py", "item.started + key.shift(whose.patient)", "item.started"),
        ("study/imports/bdf_file.py", "gaps = any(", "gaps = False and any("),
    ),
    *_bugs(
        "core",
        (
            "core/storage.py",
            "temporary.replace(path)",
            "temporary.chmod(0o666)\n        temporary.replace(path)",
        ),
        ("core/storage.py", "temporary.replace(path)", "path.write_bytes(data)"),
    ),
    *_bugs(
        "study/folder",
        ("study/folder/pseudonyms.py", "return -timedelta(days=_SHORTEST_SHIFT_DAYS + drawn)",
         "return -timedelta(days=drawn)"),
        ("study/folder/fields.py", "if (self.low is not None and number < self.low) or (self.high",
         "if (self.high"),
    ),
    *_bugs(
        "core",
        ("core/quantile.py", "NormalDist().inv_cdf(0.5 + level / 2)", "NormalDist().inv_cdf(level)"),
        ("core/estimate.py", "return float(distance > 0)", "return float(distance < 0)"),
        ("core/missing.py", '"n/a", ', ""),
        ("core/claim.py", "return self.low <= true <= self.high", "return true <= self.high"),
    ),
    *_bugs(
        "scan/test_measurement.py scan/test_crossed_fingers.py scan/ratios report/scan/test_words.py",
        ("scan/region_checks.py", "if share < _LEAST_ON_LIMB:", "if share < 0:"),
        ("scan/region_checks.py", "return region if seen.all() else region.part(seen)", "return region"),
        ("scan/crossed_fingers.py", '"affected" if widths.narrower < 0', '"affected" if widths.narrower > 0'),
        ("scan/drivers.py", "'up' if estimate.value > 1", "'up' if estimate.value < 1"),
        ("scan/ratios/hot_spots.py", "if share > _MOST_MASKED:", "if share > 1:"),
    ),
    *_bugs(
        "tms/measures tms/thresholds tms/test_measurement.py",
        ("tms/thresholds/table_noise.py", "noise_mv = float(np.median(amplitude_mv[plateau]))",
         "noise_mv = float(np.quantile(amplitude_mv[plateau], 0.95))"),
        ("tms/measures/group_noise.py", 'self.floor(trials), _rms(column(trials, "noise_floor_mv"))',
         "self.floor(trials), 0.0"),
        ("tms/measures/group_noise.py", "return no_more_than_chance(seen, len(trials))", "return False"),
    ),
    *_bugs(
        "truth",
        ("truth/goals.py", "if beyond <= 0 else", "if beyond <= 1 else"),
    ),
    *_bugs(
        "study/folder app",
        ("study/folder/decisions.py", " and sha256_of(found[1] + b\"}\").encode() == found[2]", ""),
    ),
]  # fmt: skip


def planted(bug: Bug, place: Path, *, seconds: int) -> str:
    """Plant one bug in the copy, run its tests, take it out again; return what became of it."""
    path = place / "src" / "sudeck" / bug.module
    before = path.read_text(encoding="utf-8")
    if before.count(bug.line) < 1:
        return "the line is gone"
    path.write_text(before.replace(bug.line, bug.planted, 1), encoding="utf-8")
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider",
             *(f"tests/{part}" for part in bug.tests.split())],
            cwd=place, capture_output=True, text=True, timeout=seconds, check=False,
            env={**os.environ, "PYTHONPATH": str(place / "src")},
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return "the tests took too long"  # a bug that never ends, or a busy machine: look which
    finally:
        path.write_text(before, encoding="utf-8")
    if done.returncode == 0:
        return "survived"
    if done.returncode != 1:  # no tests, or they could not be gathered
        return f"the tests did not run: {done.stdout.strip().splitlines()[-1:]}"
    return "caught"


def _short(bug: Bug) -> str:
    return bug.planted.splitlines()[0] if bug.planted else "left out"


def main() -> int:
    """Plant every bug from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--only", action="append", help="bugs of modules whose path begins so")
    parser.add_argument("--begin", type=int, default=1, help="go on with this number of the list")
    parser.add_argument("--list", action="store_true", help="tell the bugs and plant none")
    parser.add_argument("--seconds", type=int, default=600, help="longest run of the tests of one bug")
    chosen = parser.parse_args()
    wanted = tuple(chosen.only or [""])
    bugs = {
        number: bug
        for number, bug in enumerate(BUGS, 1)
        if number >= chosen.begin and bug.module.startswith(wanted)
    }
    if chosen.list:
        print(*(f"{number:2} {bug.module}: {_short(bug)}" for number, bug in bugs.items()), sep="\n")
        print(f"{len(bugs)} bugs")
        return 0
    caught = 0
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "copy"
        for part in ("src", "tests", "tools", "benchmarks", "docs"):
            shutil.copytree(ROOT / part, place / part, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("pyproject.toml", "README.md", "CHANGELOG.md", "Makefile"):
            shutil.copy(ROOT / name, place / name)
        for number, bug in bugs.items():
            started = time.monotonic()
            fate = planted(bug, place, seconds=chosen.seconds)
            caught += fate == "caught"
            took = time.monotonic() - started
            print(f"{number:2} {fate:9} {took:4.0f} s  {bug.module}: {_short(bug)}", flush=True)
    print(f"{caught} of {len(bugs)} caught")
    return 0 if caught == len(bugs) else 1


if __name__ == "__main__":
    sys.exit(main())
