"""Progress bars that a program draws in its output, read as what they say. Nothing of the deck's is known here."""
