"""Self-contained HTML reports: one file, opens offline, good on paper."""
