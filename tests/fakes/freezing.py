"""freezegun, for a process that has loaded every SDK."""

import functools

import freezegun

freeze_time = functools.partial(freezegun.freeze_time, ignore=["cohere"])
"""It looks at each attribute of each module, and cohere imports what is looked at: its types, which refuse a frozen clock."""
