"""What runs on a node: one attempt at one cell. Reads submission.json; writes into its own folder only."""
