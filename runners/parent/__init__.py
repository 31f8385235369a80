"""The parent process: parses arguments, starts one child process per row and device, and stores the records."""
