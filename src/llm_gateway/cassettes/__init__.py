"""Recordings: their file format, matching, playback and faults. Serves any SDK. Internal."""
