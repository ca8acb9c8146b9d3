"""De-identified import of bone scans and REDCap exports."""
