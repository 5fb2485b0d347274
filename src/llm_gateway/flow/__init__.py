"""Logic as generators that yield steps, and the two drivers that do them. No I/O, no clock of its own. Internal."""
