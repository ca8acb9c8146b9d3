"""Patients whose truth is known: phantoms, EMG and cohorts, written as real files."""
