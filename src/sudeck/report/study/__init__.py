"""The report of who responds: page, figures, rows, words."""
