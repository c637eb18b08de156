"""Long runs: random statements by every way, mixed work, random writes. `python -m tests.soak`."""
