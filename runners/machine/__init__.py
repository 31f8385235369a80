"""What the machine reports about itself. What it does not report is ``None``."""
