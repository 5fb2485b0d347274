"""Catch the calls of any library and decide what becomes of them; know which cassette is active. Internal."""
