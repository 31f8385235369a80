"""The page as data: what it says, before it has a language."""
