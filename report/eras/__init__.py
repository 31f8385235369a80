"""The page of eras: the same nets on the same machine with the releases of several years."""
