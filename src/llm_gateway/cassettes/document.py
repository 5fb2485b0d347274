"""Cassette files: read safely, with the line of every mistake; written readably, in one step or not at all."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from pathlib import Path
from typing import Any

import yaml

from llm_gateway.exceptions import CassetteReadError, CassetteSaveError

__all__ = ["VERSION", "dump", "flow", "line_of", "nodes", "parse", "read", "shown", "write"]

VERSION = 1
_DEEPEST = 200  # libyaml's composer calls itself for each level, and runs out of stack at some ten thousand
_TOO_DEEP = "nested too deep to be a cassette"
_TEXT = "tag:yaml.org,2002:str"
_FIRST_LINE = "# recorded by pytest-llm-gateway; the file ends with a line of three dots"
_READ_FIX = "restore it from version control, or delete it and record again: pytest --llm-record"
_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_FastDumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
# YAML takes three more characters for line breaks, and changes them on the way back unless they are escaped.
_SAFE_TEXT = re.compile("[\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff\n]*")


class _RejectedError(yaml.MarkedYAMLError):
    """YAML that could be read, and that no cassette may hold; its words are ours."""


class _Loader(_Base):  # type: ignore[misc]
    """Safe YAML that builds no Python object, and reads the header names of early aiohttp cassettes as text."""

    depth = 0

    def descend_resolver(self, parent: Any, _index: Any) -> None:
        """Count a level; the composer calls this on the way into every node."""
        self.depth += 1
        if self.depth > _DEEPEST:
            raise _RejectedError(None, None, _TOO_DEEP, parent.start_mark)

    def ascend_resolver(self) -> None:
        """Count a level less; the composer calls this on the way out."""
        self.depth -= 1

    def construct_object(self, node: Any, deep: bool = False) -> Any:
        """Construct a node; a text, as most are, needs no care for objects that contain themselves."""
        if node.tag == _TEXT and isinstance(node, yaml.ScalarNode):
            return node.value
        return super().construct_object(node, deep)


def _header_name(loader: Any, suffix: str, node: Any) -> str:
    if not suffix.endswith(".istr") or not isinstance(node, yaml.SequenceNode):
        raise _python_object(f"python/object/apply:{suffix}", node)
    return str(loader.construct_sequence(node)[0])


def _python_object(tag: str, node: Any) -> _RejectedError:
    return _RejectedError(None, None, f"refused to build a Python object ({tag})", node.start_mark)


def _reject_object(_loader: Any, suffix: str, node: Any) -> Any:
    raise _python_object(f"python/{suffix}", node)


_Loader.add_multi_constructor("tag:yaml.org,2002:python/object/apply:", _header_name)
_Loader.add_multi_constructor("tag:yaml.org,2002:python/", _reject_object)


def shown(path: Path) -> str:
    """Return *path* relative to the working directory where possible, for messages."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def read(path: Path) -> bytes | None:
    """
    Return the file's bytes, or None when there is no such file.

    Raises:
        CassetteReadError: It exists and cannot be read.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CassetteReadError(
            f"cannot read cassette {shown(path)}", cause=f"{error.strerror}", fix=f"ls -l {shown(path)}"
        ) from error


def parse(raw: bytes, path: Path) -> dict[str, Any]:
    """
    Read a cassette's text.

    Raises:
        CassetteReadError: Not UTF-8, not YAML, a Python object, not a cassette, or of another version.
    """
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise _unreadable(path, line, f"not UTF-8: byte 0x{raw[error.start]:02x}") from None
    try:
        document = yaml.load(text, Loader=_Loader)  # noqa: S506  a subclass of the safe loader
    except (yaml.YAMLError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        problem = _problem(error)
        line = min(mark.line + 1, len(text.splitlines())) if mark else 1
        raise _unreadable(path, line, problem) from None
    return _checked(document, text, path)


def _problem(error: Exception) -> str:
    """Return the cause in our words, and the parser's own behind them: those change with its releases."""
    stated = str(getattr(error, "problem", None) or error)
    if isinstance(error, _RejectedError):
        return stated
    return _TOO_DEEP if "nesting depth" in stated else f"not YAML: {stated}"


def _checked(document: object, text: str, path: Path) -> dict[str, Any]:
    is_cassette = isinstance(document, dict) and isinstance(document.get("interactions"), list)
    if not isinstance(document, dict) or not is_cassette:
        problem = "it is empty" if document is None else "a mapping with a list `interactions` was expected"
        raise _unreadable(path, 1, f"not a cassette: {problem}")
    if text.startswith(_FIRST_LINE) and not text[-16:].rstrip().endswith("\n..."):
        raise _unreadable(path, len(text.splitlines()), "it is cut off: its last line is not `...`")
    version = document.get("version", VERSION)
    if version != VERSION:
        line = next((n for n, row in enumerate(text.splitlines(), 1) if row.startswith("version")), 1)
        raise _unreadable(
            path,
            line,
            f"version {version!r}; this release reads version {VERSION}",
            fix="pip install -U pytest-llm-gateway",
        )
    return document


def _unreadable(path: Path, line: int, problem: str, fix: str = _READ_FIX) -> CassetteReadError:
    return CassetteReadError(f"cannot read cassette {shown(path)}, line {line}", cause=problem, fix=fix)


def line_of(raw: bytes, section: str, index: int) -> int:
    """Return the line where entry *index* of the list *section* starts; 1 when that is unknown."""
    entries = nodes(raw).get(section, [])
    return int(entries[index].start_mark.line) + 1 if index < len(entries) else 1


def nodes(raw: bytes) -> dict[str, list[Any]]:
    """Return the YAML nodes of each list of a cassette, with their places in the text."""
    root: Any = yaml.compose(raw.decode("utf-8-sig"), Loader=_Loader)
    return {key.value: value.value for key, value in root.value if isinstance(value, yaml.SequenceNode)}


class _Flow(list[Any]):
    """A list to be written on one line."""


def flow(items: list[Any]) -> list[Any]:
    """Ask for *items* to be written on one line."""
    return _Flow(items)


def _represent_text(dumper: Any, text: str) -> Any:
    style = '"' if not _SAFE_TEXT.fullmatch(text) else "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _represent_flow(dumper: Any, items: _Flow) -> Any:
    return dumper.represent_sequence("tag:yaml.org,2002:seq", items, flow_style=True)


def _dumper(base: Any) -> Any:
    made: Any = type("CassetteDumper", (base,), {"ignore_aliases": lambda _self, _data: True})
    made.add_representer(str, _represent_text)
    made.add_representer(_Flow, _represent_flow)
    return made


_Dumper, _AstralDumper = _dumper(_FastDumper), _dumper(yaml.SafeDumper)


def dump(document: dict[str, Any]) -> str:
    """Write *document* so that a person can read and diff it; text with line breaks becomes blocks."""
    options: dict[str, Any] = {"allow_unicode": True, "sort_keys": False, "width": 10_000_000, "explicit_end": True}
    text = yaml.dump(document, Dumper=_Dumper, **options)
    if "\\U000" in text:  # libyaml escapes what lies beyond the basic plane, emoji first of all
        text = yaml.dump(document, Dumper=_AstralDumper, **options)
    return f"{_FIRST_LINE}\n{text}"


def write(path: Path, text: str) -> None:
    """
    Replace the file with *text* in one step, in UTF-8. It keeps its mode.

    Raises:
        CassetteSaveError: The file or its folder is read-only, the disk is full, ... The old file is byte for byte as
            it was.
    """
    path = path.resolve()  # a link stays one
    mode = _mode(path)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with draft.open("x", encoding="utf-8", newline="\n") as file:
            if mode is not None:
                draft.chmod(mode)  # before the text is in it, which may be for one reader only
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        raise CassetteSaveError(
            f"cannot save cassette {shown(path)}: {error.strerror}",
            cause="the recording of this run is not kept; a cassette that was there before is as it was",
            fix=f"make {shown(path.parent)} writable, with room on its disk, then record again",
        ) from error
    finally:
        with contextlib.suppress(OSError):
            draft.unlink()


def _mode(path: Path) -> int | None:
    """Return the mode of the file to be replaced; None where there is none, or it cannot be reached."""
    try:
        mode = path.stat().st_mode & 0o777
    except OSError:
        return None
    if not mode & 0o222:  # a rename needs rights to the folder alone
        raise CassetteSaveError(
            f"cannot save cassette {shown(path)}: the file is read-only",
            cause="the recording of this run is not kept; the cassette is as it was",
            fix=f"chmod u+w {shown(path)}",
        )
    return mode
