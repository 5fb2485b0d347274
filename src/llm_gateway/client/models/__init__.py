"""Models of a client: what providers list, what the user registers, and what is published of them. Internal."""
