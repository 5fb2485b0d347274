"""Wire formats ("dialects"): one pure module each, read and written both ways. No I/O, no clock. Internal."""
