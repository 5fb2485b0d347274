"""Work on cassette files outside of a run: summarise, compare and reprice what they hold. Internal."""
