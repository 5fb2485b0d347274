"""
Write the versions that the suite runs on: ``locked.txt`` (today's newest) and ``lowest.txt`` (the declared bounds).

``tox run -e lock`` runs it. Both files are constraints for every environment and each Python: what an environment does
not ask for is not installed. In ``lowest.txt`` the package's own requirements have their lower bounds, resolved from
``pyproject.toml`` together with the test dependencies, which keep the versions of ``locked.txt`` where they can.
"""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).parent
PROJECT = HERE.parents[1] / "pyproject.toml"
_UV = ["uv", "pip", "compile", "--universal", "--python-version", "3.11"]
_PLAIN = ["--no-emit-index-url", "--no-annotate", "--no-header", "--quiet"]
# These set bounds of their own that are above the lowest of the package's requirements.
_FREE = {"boto3", "pytest-asyncio", "pytest-recording", "pytest-xdist"}


def name_of(requirement: str) -> str:
    """Return the normalised name of a requirement."""
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", requirement)[0]).lower()


def own_names(project: dict) -> set[str]:
    """Return the names of what the package itself requires, extras included."""
    extras = project["project"]["optional-dependencies"].values()
    return {name_of(one) for one in [*project["project"]["dependencies"], *(one for extra in extras for one in extra)]}


def compiled(target: str, *arguments: str) -> str:
    """Return the resolved versions and write them to *target*."""
    done = subprocess.run([*_UV, *_PLAIN, str(PROJECT), *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    note = "# Written by tests/requirements/lock.py (tox run -e lock); do not edit.\n"
    HERE.joinpath(target).write_text(note + done.stdout, encoding="utf-8")
    return done.stdout


def main() -> None:
    """Write both files."""
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))
    groups = [f"--group={name}" for name in project["dependency-groups"]]
    newest = compiled("locked.txt", "--all-extras", *groups)
    mine = own_names(project)
    tests = {name_of(one) for one in project["dependency-groups"]["test"]} - mine - _FREE
    fixed = [line for line in newest.splitlines() if name_of(line) in tests]
    kept = HERE / "kept.txt"
    kept.write_text("\n".join(fixed), encoding="utf-8")
    try:
        compiled("lowest.txt", "--extra=all", "--group=test", f"--constraint={kept}", "--resolution=lowest-direct")
    finally:
        kept.unlink()


if __name__ == "__main__":
    main()
