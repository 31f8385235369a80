"""Turns data into text: languages, escaping, numbers, Markdown, pictures, the terminal."""
