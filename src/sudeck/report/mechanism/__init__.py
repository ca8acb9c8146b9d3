"""The report of why: page, drawing, rows, words, console."""
