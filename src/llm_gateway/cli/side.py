"""What ``cassettes diff`` compares: files on disk or in a git revision, each side by paths that the other shares."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from llm_gateway.cli.files import bytes_of, is_cassette, is_named, named_in
from llm_gateway.cli.revision import Repository
from llm_gateway.exceptions import CassetteReadError

__all__ = ["Side", "sides"]

_LFS = b"version https://git-lfs.github.com/spec/"


@dataclass(frozen=True, slots=True)
class Side:
    """The *files* by their path below *name*; a single file has an empty path. *above* is put before a path."""

    name: str
    files: dict[str, bytes]
    above: str = ""

    def shown(self, path: str) -> str:
        """Return how a message names one of its files."""
        return f"{self.above}{path}" if path else self.name


def sides(old: str | None, new: str | None, limits: list[str]) -> tuple[Side, Side]:
    """
    Return both sides, without the paths that *limits* leave out.

    Args:
        old: A path, a revision, or ``REVISION:PATH``; None is the revision ``HEAD``.

        new: The same; None is the working tree.

        limits: Paths to which both sides are limited; none is everything.

    Raises:
        CassetteReadError: A side or a limit names nothing, a file is compared with a folder, or cannot be read.
    """
    if old is not None and new is None and _exists(old):
        old, new = None, old
    before, after = _pair(old or "HEAD", new)
    if ("" in before.files) != ("" in after.files) and before.files and after.files:
        raise CassetteReadError(
            f"cannot compare {before.name!r} with {after.name!r}",
            cause="one is a file, the other a folder",
            fix="name two files or two folders",
        )
    return _limited(before, after, limits)


def _exists(name: str) -> bool:
    try:
        return Path(name).exists()
    except OSError:  # too long to be a file's
        return False


def _pair(old: str, new: str | None) -> tuple[Side, Side]:
    if new is None:
        return _against_working_tree(old)
    if _exists(old) and _exists(new):
        return _on_disk(Path(old)), _on_disk(Path(new))
    git = Repository(Path.cwd())
    return _one(git, old, new), _one(git, new, old)


def _one(git: Repository, name: str, other: str) -> Side:
    if _exists(name):
        return _on_disk(Path(name))
    if ":" in name or not _exists(other):
        return _in_revision(git, name, git.resolve(name))
    return _same_place(git, name, Path(other))


def _same_place(git: Repository, revision: str, path: Path) -> Side:
    """Return a revision's files at the place of *path*; none where it had nothing there."""
    git.resolve(revision)
    try:
        inside = path.resolve().relative_to(git.top.resolve()).as_posix()
    except ValueError:
        raise CassetteReadError(
            f"{str(path)!r} is not in the repository {str(git.top)!r}",
            cause=f"so the revision {revision!r} has no such place",
            fix=f"name the place in the revision: {revision}:PATH",
        ) from None
    spec = f"{revision}:{'' if inside == '.' else inside}"
    found = git.find(spec)
    return Side(spec, {}) if found is None else _in_revision(git, spec, found)


def _in_revision(git: Repository, spec: str, identity: str) -> Side:
    if git.is_file(identity):
        return Side(spec, {"": _stored(spec, git.contents([identity])[identity])})
    listed = {path: one for path, one in git.tree(identity).items() if is_named(path)}
    contents = git.contents(listed.values())
    above = f"{spec}{'/' if ':' in spec else ':'}"
    named = ((path, _stored(f"{above}{path}", contents[one])) for path, one in listed.items())
    return Side(spec, _cassettes(named), above)


def _against_working_tree(revision: str) -> tuple[Side, Side]:
    git = Repository(Path.cwd())
    before = _in_revision(git, revision, git.resolve(revision))
    _, colon, inside = revision.partition(":")
    if colon:
        place = git.top / inside
        return before, _on_disk(place) if place.exists() else Side(str(place), {})
    files = [path for path in git.on_disk() if is_named(path) and (git.top / path).is_file()]
    return before, Side("working tree", _cassettes((path, bytes_of(git.top / path)) for path in files))


def _on_disk(path: Path) -> Side:
    if path.is_dir():
        named = {str(PurePosixPath(file.relative_to(path))): bytes_of(file) for file in named_in(path)}
        return Side(str(path), _cassettes(named.items()), f"{path}/")
    return Side(str(path), {"": bytes_of(path)})


def _cassettes(files: Iterable[tuple[str, bytes]]) -> dict[str, bytes]:
    return {path: raw for path, raw in files if is_cassette(raw)}


def _stored(name: str, raw: bytes) -> bytes:
    if raw.startswith(_LFS):
        raise CassetteReadError(
            f"cannot read {name}",
            cause="git holds only a pointer: the file itself is in Git LFS",
            fix="git worktree add ../old REVISION, and compare with the files there",
        )
    return raw


def _limited(before: Side, after: Side, limits: list[str]) -> tuple[Side, Side]:
    if not limits:
        return before, after
    for limit in limits:
        if not any(_is_under(path, limit) for path in (*before.files, *after.files)):
            raise CassetteReadError(
                f"no cassette of {before.name} or {after.name} is at {limit!r}",
                cause="paths are relative to what is compared; to the top of the repository for a revision",
                fix="leave out `-- PATH` to see all of them",
            )
    kept = [
        {path: raw for path, raw in side.files.items() if any(_is_under(path, one) for one in limits)}
        for side in (before, after)
    ]
    return replace(before, files=kept[0]), replace(after, files=kept[1])


def _is_under(path: str, limit: str) -> bool:
    place = PurePosixPath(limit)
    return place == PurePosixPath(".") or PurePosixPath(path).is_relative_to(place)
