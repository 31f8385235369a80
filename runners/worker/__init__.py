"""The child process: measures one row on one device and hands a record to its parent."""
