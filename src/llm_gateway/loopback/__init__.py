"""The calls of other processes: a server on this machine that answers as a test's cassette does. Internal."""
