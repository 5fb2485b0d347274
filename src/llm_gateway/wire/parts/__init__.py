"""Parts of bodies and errors that several formats share, and long parts of one format. Internal."""
