"""CI workflows run tox environments that exist, with the least permissions."""

import configparser
import itertools
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def load(file):
    return yaml.safe_load(file.read_text(encoding="utf-8"))


def environments():
    """Return the names of the environments in ``tox.ini``."""
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(ROOT / "tox.ini", encoding="utf-8")
    listed = tox["tox"]["env_list"].replace(",", " ").split()
    sections = [name.removeprefix("testenv:") for name in tox.sections() if name.startswith("testenv:")]
    return {*listed, *(name for section in sections for name in expanded(section))}


def expanded(name):
    """Return the environment names that *name* with braces is short for: ``demo{,-newest}`` is two."""
    parts = [part.split(",") for part in re.split(r"[{}]", name)]
    return ["".join(chosen) for chosen in itertools.product(*parts)]


def rows(job):
    """Return the rows of a job's matrix; one empty row if it has none."""
    matrix = job.get("strategy", {}).get("matrix", {})
    return [*matrix.get("include", []), *({"env": name} for name in matrix.get("env", []))] or [{}]


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_workflows_run_tox_environments_that_exist(file):
    """Whatever ``tox run -e`` names, directly or by the matrix."""
    jobs = load(file)["jobs"].values()
    commands = [
        step["run"].replace("${{ matrix.env }}", row.get("env", ""))
        for job in jobs
        for row in rows(job)
        for step in job["steps"]
        if "run" in step
    ]
    named = {name for text in commands for names in re.findall(r"tox run -e (\S+)", text) for name in names.split(",")}

    assert named
    assert set() == named - environments()


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_permissions_are_minimal(file):
    """Jobs may read the sources; only publishing uses an identity token, and no job uses a secret."""
    workflow = load(file)
    rights = [job["permissions"] for job in workflow["jobs"].values() if "permissions" in job]

    assert {"contents": "read"} == workflow["permissions"]
    assert [{"id-token": "write"}] * (file.stem == "release") == rights
    assert "secrets." not in file.read_text(encoding="utf-8")


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.stem)
def test_actions_are_pinned_and_jobs_have_a_time_limit(file):
    """Each action to a version or a commit."""
    jobs = load(file)["jobs"].values()
    actions = [step["uses"] for job in jobs for step in job["steps"] if "uses" in step]

    assert all(re.search(r"@(v\d+|release/v\d+|[0-9a-f]{40})$", action) for action in actions)
    assert all("timeout-minutes" in job for job in jobs)


def test_workflows_exist_for_changes_nights_and_releases():
    """One for each of these triggers."""
    assert {"tests", "nightly", "release"} == {file.stem for file in WORKFLOWS}
