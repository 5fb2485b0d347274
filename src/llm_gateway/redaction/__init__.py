"""Take secrets out of everything that is written or shown: patterns, known values, scrub, verify. Internal."""
