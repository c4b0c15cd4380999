"""Long ranges: what each minute of a series held, kept where raw samples would be too many."""
