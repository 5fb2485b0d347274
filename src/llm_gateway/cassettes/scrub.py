"""Interim; replaced."""
class Scrubber:
    def __init__(self, env, extra=None): pass
    def scrub(self, e): return e
def find_secrets(text, env): return []
