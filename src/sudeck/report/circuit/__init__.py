"""What the circuit commands draw and print."""
