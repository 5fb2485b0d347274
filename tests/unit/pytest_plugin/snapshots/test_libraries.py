"""Shown on the installed libraries: why the canonical form is made by a walk of its own."""

import dataclasses
import decimal
import json

import pydantic
import pytest

from llm_gateway.pytest_plugin.snapshots import canonical
from llm_gateway.types import ToolCall

CYCLE: dict[str, object] = {}
CYCLE["again"] = CYCLE


@dataclasses.dataclass
class Line:
    price: decimal.Decimal


class Invoice(pydantic.BaseModel):
    lines: list[Line]
    note: str | None = None


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ({1: "by number", "a": "by name"}, {"a": "by name"}),
        (CYCLE, {"again": "..."}),
        (object(), "<class 'object'>"),
        (Line(decimal.Decimal("1.10")), "Line(price=Decimal('1.10'))"),
        (Invoice(lines=[]), "Invoice(lines=[], note=None)"),
        (Line(decimal.Decimal("1.10")).price, "Decimal('1.10')"),
        (b"hi", "b'hi'"),
    ],
    ids=["key", "cycle", "object", "dataclass", "pydantic", "decimal", "bytes"],
)
def test_syrupys_json_loses_parts_of_a_value(value, written):
    """It drops keys, shortens cycles, and writes the source text of objects in one line."""
    extension = pytest.importorskip("syrupy.extensions.json").JSONSnapshotExtension()

    assert written == json.loads(extension.serialize(value))


def test_syrupys_json_has_one_file_for_each_assertion():
    """Snapshots of one module are one file, written before and after."""
    single = pytest.importorskip("syrupy.extensions.single_file").SingleFileSnapshotExtension

    assert issubclass(pytest.importorskip("syrupy.extensions.json").JSONSnapshotExtension, single)


def test_pydantics_json_loses_the_kind_and_the_owner_of_a_value():
    """A decimal equals the text, and an argument looks like an id of the provider."""
    adapter = pydantic.TypeAdapter(ToolCall)
    call = ToolCall("toolu_01XyZ9876", "find", {"id": "C-42"})
    invoice = Invoice(lines=[Line(decimal.Decimal("1.10"))])

    assert {"lines": [{"price": "1.10"}], "note": None} == invoice.model_dump(mode="json")
    assert {"lines": [{"price": "<decimal 1.10>"}]} == canonical(invoice)
    assert {"id": "toolu_01XyZ9876", "arguments": {"id": "C-42"}}.items() <= adapter.dump_python(
        call, mode="json"
    ).items()
    assert {"id": "<id 1>", "arguments": {"id": "C-42"}}.items() <= canonical(call).items()
