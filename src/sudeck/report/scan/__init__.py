"""The report of a bone scan: page, figures, words, console."""
