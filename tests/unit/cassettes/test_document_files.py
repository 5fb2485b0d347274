"""Cassette files are replaced as a whole or not at all."""

import sys

import pytest

from llm_gateway.cassettes import document
from llm_gateway.exceptions import CassetteReadError, CassetteSaveError


def test_a_missing_file_is_read_as_none(tmp_path):
    """It is not an error."""
    assert document.read(tmp_path / "none.yaml") is None


def test_a_file_that_cannot_be_opened_is_an_error(tmp_path):
    """A folder at the path of a cassette is not taken for a missing one."""
    with pytest.raises(CassetteReadError, match="Is a directory"):
        document.read(tmp_path)


def test_text_is_written_in_utf8_into_a_new_folder(tmp_path):
    """No temporary file is left in it."""
    path = tmp_path / "a" / "b.yaml"
    document.write(path, "é🎈\n")

    assert "é🎈\n".encode() == path.read_bytes()
    assert [path] == list(path.parent.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on file sizes")
def test_a_full_disk_leaves_the_old_file(tmp_path):
    """If the new text cannot be written, the old file is unchanged."""
    import resource

    path = tmp_path / "b.yaml"
    path.write_text("old")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, limits[1]))
    try:
        with pytest.raises(CassetteSaveError) as caught:
            document.write(path, "new")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert f"cannot save cassette {path}: File too large" == caught.value.message
    assert f"make {tmp_path} writable, with room on its disk, then record again" == caught.value.fix
    assert path.read_text() == "old"
    assert [path] == list(tmp_path.iterdir())


def test_a_file_at_the_path_of_the_folder_is_an_error(tmp_path):
    """The cassette is not saved."""
    (tmp_path / "a").write_text("a file")

    with pytest.raises(CassetteSaveError, match="cannot save cassette"):
        document.write(tmp_path / "a" / "b.yaml", "new")


@pytest.mark.skipif(sys.platform == "win32", reason="has no such modes")
def test_a_file_keeps_its_mode(tmp_path):
    """A file that only its owner can read stays private."""
    path = tmp_path / "b.yaml"
    path.write_text("old")
    path.chmod(0o600)
    document.write(path, "new")

    assert ("new", 0o600) == (path.read_text(), path.stat().st_mode & 0o777)


def test_a_read_only_file_is_not_replaced(tmp_path):
    """Although its folder would allow that."""
    path = tmp_path / "b.yaml"
    path.write_text("old")
    path.chmod(0o444)

    with pytest.raises(CassetteSaveError) as caught:
        document.write(path, "new")

    assert f"cannot save cassette {path}: the file is read-only" == caught.value.message
    assert f"chmod u+w {path}" == caught.value.fix
    assert "old" == path.read_text()
    assert [path] == list(tmp_path.iterdir())
