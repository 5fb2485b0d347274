"""Sum up a week with the claude command line."""

import json
import subprocess


def summary(notes: str) -> str:
    """Return *notes* summed up in one line."""
    command = [
        "claude",
        "-p",
        "--model",
        "haiku",
        "--tools",
        "",
        "--setting-sources",
        "",
        "--output-format",
        "json",
    ]
    done = subprocess.run(command, input=f"Sum up in one line:\n{notes}", capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["result"]
