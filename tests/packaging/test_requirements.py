"""The test environments use the versions that pyproject.toml declares."""

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
    """Return the pinned versions in a constraints file, by package; several where they depend on the Python version."""
    found: dict[str, list[str]] = {}
    for line in (ROOT / "tests/requirements" / name).read_text(encoding="utf-8").splitlines():
        if match := re.match(r"([\w.-]+)==([^ ;]+)", line):
            found.setdefault(canonicalize_name(match[1]), []).append(match[2])
    return found


@pytest.mark.parametrize("requirement", [one for one in OWN if one.name not in NOT_IN_ALL], ids=str)
def test_the_lowest_environment_has_each_lower_bound(requirement):
    """A lower bound that was never tested would be a guess."""
    bounds = [one.version for one in requirement.specifier if one.operator == ">="]

    assert 1 == len(bounds)
    assert Version(bounds[0]) == min(map(Version, pins("lowest.txt")[canonicalize_name(requirement.name)]))


def test_the_lock_file_has_every_requirement_of_the_environments():
    """An unlocked package would be resolved anew in each run, and a new release could break it."""
    groups = [one for group in PROJECT["dependency-groups"].values() for one in group if isinstance(one, str)]
    wanted = {canonicalize_name(Requirement(text).name) for text in groups} | {
        canonicalize_name(one.name) for one in OWN
    }

    assert set() == wanted - pins("locked.txt").keys()


@pytest.mark.parametrize("name", ["locked.txt", "lowest.txt"])
def test_the_lock_file_names_no_package_index(name):
    """Users and CI may each have another one."""
    text = (ROOT / "tests/requirements" / name).read_text(encoding="utf-8")

    assert [] == re.findall(r"://|--index|--find-links", text)
