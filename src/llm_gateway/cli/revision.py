"""
Cassettes of a git revision, read by ``git`` in a process of its own: the one place of the commands that starts any.

Objects are read as they are stored, so neither hooks nor filters nor LFS run, and nothing is fetched or changed.
"""

from __future__ import annotations

import difflib
import os
import subprocess
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from llm_gateway.exceptions import CassetteReadError

__all__ = ["Repository", "check"]

# fsmonitor is a program of the user's; a clone that fetches lazily would use the network
_QUIET = ("git", "--no-pager", "-c", "core.fsmonitor=false")
_ENVIRON = {"GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1", "GIT_ALLOW_PROTOCOL": "none", "LC_ALL": "C"}
_ON_DISK = "compare files or folders instead: llm-gateway cassettes diff OLD NEW"


class Repository:
    """
    The repository around *folder*.

    Raises:
        CassetteReadError: There is none, or no git.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        done = self._run("rev-parse", "--show-toplevel")
        if done.returncode != 0:
            raise CassetteReadError(f"cannot read revisions in {str(folder)!r}", cause=_error(done), fix=_ON_DISK)
        self.top = Path(os.fsdecode(done.stdout.rstrip(b"\r\n")))
        self._folder = self.top

    def _run(self, *arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        try:
            return subprocess.run(  # noqa: S603  no shell, and no name from outside begins with a dash
                [*_QUIET, *arguments],
                cwd=self._folder,
                env={**os.environ, **_ENVIRON},
                input=given,
                capture_output=True,
                check=False,
            )
        except FileNotFoundError:
            raise CassetteReadError(
                "cannot read revisions: there is no command `git`", cause="it is not on the search path", fix=_ON_DISK
            ) from None

    def _read(self, *arguments: str, given: bytes = b"") -> bytes:
        done = self._run(*arguments, given=given)
        if done.returncode != 0:
            raise CassetteReadError(f"git {arguments[0]} failed in {str(self.top)!r}", cause=_error(done), fix=_ON_DISK)
        return done.stdout

    def find(self, spec: str) -> str | None:
        """Return the object that *spec* names, such as ``HEAD~1`` or ``main:cassettes``; None if it names none."""
        check(spec)
        done = self._run("rev-parse", "--verify", "--quiet", spec)
        return done.stdout.decode().strip() if done.returncode == 0 else None

    def resolve(self, spec: str) -> str:
        """
        Return the object that *spec* names.

        Raises:
            CassetteReadError: It names no object; offers the nearest name.
        """
        found = self.find(spec)
        if found is None:
            raise self._nothing_at(spec)
        return found

    def _nothing_at(self, spec: str) -> CassetteReadError:
        revision, colon, inside = spec.partition(":")
        known = self.find(revision) if colon and revision else None
        if known is not None:
            return CassetteReadError(
                f"the revision {revision!r} has nothing at {inside!r}",
                cause=_nearest(inside, self._places(known)),
                fix=f"git ls-tree -r --name-only {revision}",
            )
        if self._read("rev-parse", "--is-shallow-repository").strip() == b"true":
            return CassetteReadError(
                f"{spec!r} is neither a file, a folder nor a revision of this clone",
                cause="the clone is shallow: it holds only the latest commits",
                fix="git fetch --unshallow",
            )
        return CassetteReadError(
            f"{spec!r} is neither a file, a folder nor a revision",
            cause=_nearest(spec, ["HEAD", *self._names(), *(entry.name for entry in Path.cwd().iterdir())]),
            fix="git log --oneline --all -- '*.yaml'",
        )

    def _places(self, identity: str) -> set[str]:
        files = list(self.tree(identity))
        return {*files, *(str(folder) for file in files for folder in PurePosixPath(file).parents)}

    def _names(self) -> list[str]:
        return self._read("for-each-ref", "--format=%(refname:short)").decode("utf-8", "replace").split()

    def is_file(self, identity: str) -> bool:
        """Return whether an object is one file."""
        return self._read("cat-file", "-t", identity).strip() == b"blob"

    def tree(self, identity: str) -> dict[str, str]:
        """Return the files of a tree or commit, from the path to the object; neither links nor submodules."""
        listed = self._read("ls-tree", "-r", "-z", "--full-tree", identity).split(b"\0")
        rows = [row.partition(b"\t") for row in listed if row.startswith(b"100")]
        return {os.fsdecode(path): head.split()[2].decode() for head, _, path in rows}

    def on_disk(self) -> list[str]:
        """Return the files of the working tree, tracked or new, without those that git ignores."""
        listed = self._read("ls-files", "--cached", "--others", "--exclude-standard", "-z").split(b"\0")
        return sorted({os.fsdecode(path) for path in listed if path and not path.endswith(b"/")})

    def contents(self, identities: Iterable[str]) -> dict[str, bytes]:
        """
        Return the bytes of objects.

        Raises:
            CassetteReadError: The clone does not hold one of them.
        """
        wanted = list(dict.fromkeys(identities))
        done = self._run("cat-file", "--batch", given="".join(f"{one}\n" for one in wanted).encode())
        output = done.stdout
        found: dict[str, bytes] = {}
        position = 0
        for one in wanted:
            start = output.find(b"\n", position) + 1
            head = output[position:start].split() or [b"missing"]
            if head[-1] == b"missing":
                raise CassetteReadError(
                    f"git object {one} is not in this clone",
                    cause="it was cloned in part",
                    fix="git fetch --refetch --no-filter",
                )
            found[one] = output[start : start + int(head[-1])]
            position = start + int(head[-1]) + 1
        return found


def check(spec: str) -> None:
    """
    Raise where *spec* cannot name an object.

    Raises:
        CassetteReadError: It begins as git's options or exclusions do.
    """
    if spec.startswith("-"):
        raise CassetteReadError(
            f"refused the revision {spec!r}",
            cause="it begins with a dash: git would take it for an option",
            fix="write its full name, as in refs/heads/NAME",
        )
    if spec.startswith("^"):
        raise CassetteReadError(
            f"refused the revision {spec!r}",
            cause="to git it is everything but that revision",
            fix=f"llm-gateway cassettes diff {spec.lstrip('^') or 'HEAD'}",
        )


def _nearest(name: str, known: Iterable[str]) -> str | None:
    near = difflib.get_close_matches(name, sorted(known), n=1)
    return f"did you mean {near[0]!r}?" if near else None


def _error(done: subprocess.CompletedProcess[bytes]) -> str:
    return done.stderr.decode("utf-8", "replace").strip() or f"it ended with exit code {done.returncode}"
