"""The driver: plans a bench, prepares environments, starts the runners and the report. Runs on the host."""
