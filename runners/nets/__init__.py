"""The nets that several frameworks build: described, trained and scored without any framework. NumPy only."""
