"""The study folder: layout, tables, import, checks, outcomes, and every measure of every patient."""
