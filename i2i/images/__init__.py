"""Images at the edges of the system: what a model takes and gives (the card), and reading and writing files."""
