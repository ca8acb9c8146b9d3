"""What every room uses: estimates, errors, flags, provenance, privacy, storage. Imports nothing of ours."""
