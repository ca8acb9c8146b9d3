"""The report of recordings: page, figures, words, console."""
