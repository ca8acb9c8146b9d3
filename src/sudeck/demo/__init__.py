"""`sudeck demo`: run the whole chain on a real bone scan and on synthetic data, and put it on one page."""

from __future__ import annotations

from pathlib import Path

from sudeck.core.provenance import Provenance
from sudeck.core.storage import write_text
from sudeck.demo.mechanism import mechanism
from sudeck.demo.part import SEED, Say
from sudeck.demo.scan import real_scan, synthetic_scan
from sudeck.demo.study import study
from sudeck.demo.tms import stimulation
from sudeck.demo.treatment import treatment
from sudeck.report.kit.page import render_page


def run_demo(folder: Path, *, patients: int = 105, say: Say = print) -> Path:
    """Run every part of the demo into a folder.

    Parameters
    ----------
    folder : Path
        Where files, results and reports go.
    patients : int
        Patients of the synthetic study; 0 leaves it out.
    say : callable
        Told what happens, one line at a time.

    Returns
    -------
    Path
        The page that leads to everything, ``report.html``.
    """
    real = real_scan(folder / "real-scan", say=say)
    parts = [
        *([real] if real is not None else []),
        synthetic_scan(folder / "synthetic-scan", say=say),
        stimulation(folder / "tms", say=say),
    ]
    if patients:
        parts.append(study(folder / "study", patients=patients, say=say))
        parts.append(treatment(folder / "study", say=say))
        explained = mechanism(folder / "study", patients=patients, say=say)
        parts += [explained] if explained is not None else []
    page = render_page(
        "demo.html.j2",
        title="Sudeck demo",
        provenance=Provenance((), {"seed": SEED, "patients": patients}),
        parts=parts,
    )
    write_text(folder / "report.html", page)
    return folder / "report.html"
