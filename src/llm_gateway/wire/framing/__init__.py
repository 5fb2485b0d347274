"""Framings of replies: server-sent events, AWS event streams, JSON in lines and in arrays. Internal."""
