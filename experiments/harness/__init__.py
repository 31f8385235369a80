"""`make bench-harness`: what the harness itself costs, as ratios within one run."""
