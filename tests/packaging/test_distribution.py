"""The built wheel and source archive."""

import email
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def build(target, source, folder):
    """Build without isolation, which needs no network, and return the one archive."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(folder)]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (archive,) = folder.iterdir()
    return archive


@pytest.fixture(scope="module")
def sdist(tmp_path_factory):
    """Return the source archive and the folder where it was unpacked."""
    archive = build("sdist", ROOT, tmp_path_factory.mktemp("sdist"))
    unpacked = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(archive) as tar:
        tar.extractall(unpacked, filter="data")
    return next(unpacked.iterdir())


@pytest.fixture(scope="module")
def wheel(sdist, tmp_path_factory):
    """Return the wheel, built from the source archive as installers do."""
    with zipfile.ZipFile(build("wheel", sdist, tmp_path_factory.mktemp("wheel"))) as archive:
        yield archive


@pytest.fixture(scope="module")
def metadata(wheel):
    """Return the metadata of the wheel."""
    name = next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    return email.message_from_bytes(wheel.read(name))


def test_the_wheel_holds_the_typed_package_and_nothing_else(wheel):
    """Type checkers find ``py.typed``; no test, example or cassette is installed."""
    tops = {name.partition("/")[0] for name in wheel.namelist()}

    assert "llm_gateway/py.typed" in wheel.namelist()
    assert {"llm_gateway", f"pytest_llm_gateway-{PROJECT['version']}.dist-info"} == tops
    assert [] == [name for name in wheel.namelist() if "test" in Path(name).stem.split("_")]


def test_the_wheel_holds_every_module(wheel):
    """Each file of the package's source tree."""
    modules = {str(path.relative_to(ROOT / "src").as_posix()) for path in (ROOT / "src").rglob("*.py")}

    assert modules == {name for name in wheel.namelist() if name.endswith(".py")}


def test_versions_match(metadata):
    """Those of the project file, the wheel and the installed package."""
    assert PROJECT["version"] == metadata["Version"]
    assert PROJECT["version"] == version("pytest-llm-gateway")


def test_the_wheel_has_the_pytest_entry_point_and_the_licence(wheel, metadata):
    """The entry point makes pytest load the plugin."""
    info = f"pytest_llm_gateway-{PROJECT['version']}.dist-info"

    assert "[pytest11]\nllm_gateway = llm_gateway.pytest_plugin" in wheel.read(f"{info}/entry_points.txt").decode()
    assert f"{info}/licenses/LICENSE" in wheel.namelist()
    assert "MIT" == metadata["License-Expression"]


@pytest.mark.parametrize(
    "path", ["tests/unit/test_imports.py", "examples/quickstart/pyproject.toml", "tox.ini", "CHANGELOG.md", "README.md"]
)
def test_the_source_archive_can_run_its_own_tests(sdist, path):
    """Packagers run the suite from the archive."""
    assert (sdist / path).is_file()


@pytest.mark.parametrize("unwanted", ["*.pyc", ".env", ".tox", ".hypothesis", ".pytest_cache"])
def test_the_source_archive_holds_no_local_files(sdist, unwanted):
    """Such as caches and settings of the machine that builds it."""
    assert [] == list(sdist.rglob(unwanted))
