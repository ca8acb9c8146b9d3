"""Why it works: changes, associations, the published pattern and a two-hemisphere circuit. Knows no files."""
