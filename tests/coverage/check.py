"""
Report which code the suite runs, and fail below the floor that pyproject.toml sets.

usage: coverage run -m pytest ..., then python tests/coverage/check.py [ARGUMENTS OF PYTEST]

With arguments only a part of the suite ran: then nothing is reported and no floor holds.
"""

import sys

from coverage.cmdline import main as coverage


def check(arguments):
    """Return the exit status of the report; 0 where *arguments* chose a part of the suite."""
    return 0 if arguments else coverage(["combine", "--quiet"]) or coverage(["report"])


if __name__ == "__main__":
    sys.exit(check(sys.argv[1:]))
