"""The study folder: layout, tables, settings, decisions, and the check of them all."""
