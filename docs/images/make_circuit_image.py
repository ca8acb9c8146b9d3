"""Remake circuit.png: the circuit of a synthetic patient before and after treatment, as its page draws it.

Run from anywhere, with Chromium on the path: ``python docs/images/make_circuit_image.py``; needs the extra
``circuit``.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from browser import photograph

from circuit_virtual_patient import WITH_CALLOSUM, draw_patient
from sudeck.circuit.reference import load_distribution
from sudeck.mechanism.circuit_fit.patient_fit import explain_patient
from sudeck.report.mechanism import circuit_rows as rows
from sudeck.report.mechanism import words
from sudeck.report.mechanism.drawing import circuit_figure

TARGET = Path(__file__).with_name("circuit.png")
SIZE = (960, 800)


def main() -> None:
    """Draw a patient with too little GABA-A on the pain side, measure precisely, fit, draw, photograph."""
    patient = draw_patient(
        load_distribution(),
        np.random.default_rng(1901),
        account="local_gaba_a_loss",
        measures=(*WITH_CALLOSUM, "CSP"),
        log_se=0.05,
    )
    explanation = explain_patient(patient.data)
    visits = words.circuit_visits(explanation.visits)
    names = words.visit_names(visits)
    panels = [(names[visit], rows.drawn_factors(explanation, visit)) for visit in visits]
    drawing = circuit_figure(panels, name="circuit", description="The circuit of a synthetic patient")
    page = f'<body style="margin:16px;background:white;font-family:sans-serif">{drawing}</body>'
    photograph(f"<!doctype html><meta charset='utf-8'>{page}", TARGET, SIZE)
    print(explanation.verdict)


if __name__ == "__main__":
    main()
