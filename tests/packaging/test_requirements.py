"""The versions that the suite runs on are those that pyproject.toml declares."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
OWN = [
    Requirement(text)
    for texts in [PROJECT["project"]["dependencies"], *PROJECT["project"]["optional-dependencies"].values()]
    for text in texts
    if not text.startswith("pytest-llm-gateway")
]
NOT_IN_ALL = {"litellm"}


def pins(name):
    """Return the versions in a file of constraints, by package; some stand once for each kind of Python."""
    found: dict[str, list[str]] = {}
    for line in (ROOT / "tests/requirements" / name).read_text(encoding="utf-8").splitlines():
        if match := re.match(r"([\w.-]+)==([^ ;]+)", line):
            found.setdefault(canonicalize_name(match[1]), []).append(match[2])
    return found


@pytest.mark.parametrize("requirement", [one for one in OWN if one.name not in NOT_IN_ALL], ids=str)
def test_the_lowest_environment_has_each_lower_bound(requirement):
    """A bound that nothing was ever run with is a guess."""
    bounds = [one.version for one in requirement.specifier if one.operator == ">="]

    assert 1 == len(bounds)
    assert Version(bounds[0]) == min(map(Version, pins("lowest.txt")[canonicalize_name(requirement.name)]))


def test_the_lock_holds_whatever_an_environment_asks_for():
    """What it does not hold is resolved on the day of the run, and may turn it red."""
    groups = [one for group in PROJECT["dependency-groups"].values() for one in group if isinstance(one, str)]
    wanted = {canonicalize_name(Requirement(text).name) for text in groups} | {
        canonicalize_name(one.name) for one in OWN
    }

    assert set() == wanted - pins("locked.txt").keys()


@pytest.mark.parametrize("name", ["locked.txt", "lowest.txt"])
def test_the_lock_names_no_place_that_packages_come_from(name):
    """Whoever installs has an index of their own."""
    text = (ROOT / "tests/requirements" / name).read_text(encoding="utf-8")

    assert [] == re.findall(r"://|--index|--find-links", text)
