"""Building blocks that several networks share: one idea a file."""
