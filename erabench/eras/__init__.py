"""`make eras`: the same rows with the releases of several years, in rounds over the years."""
