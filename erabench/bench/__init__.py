"""`make bench` and `make tune`: rounds over the rows, in one engine."""
