"""Recordings: their format, matching, scrubbing and the hooks that make and replay them. Serves any SDK."""
