"""Cohorts and whole studies whose truth is known."""
