"""What a recording is made of: signals, units, muscles, markers, trials."""
