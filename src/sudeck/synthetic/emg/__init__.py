"""Synthetic recordings of magnetic stimulation with their truth, and their files."""
