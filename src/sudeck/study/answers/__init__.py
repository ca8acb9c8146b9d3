"""What the measured study answers: who responds, and why."""
