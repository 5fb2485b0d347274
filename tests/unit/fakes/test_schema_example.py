"""Examples of schemas fit their schemas."""

from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Annotated, Literal

import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel, Field, TypeAdapter

from llm_gateway.fakes.schema_example import example


class Shade(Enum):
    RED = "red"


class Leaf(BaseModel):
    name: Annotated[str, Field(min_length=12)]
    shade: Shade
    when: date
    share: Annotated[float, Field(gt=0, le=1)]
    price: Decimal
    kind: Literal["a", "b"]


class Tree(BaseModel):
    leaves: Annotated[list[Leaf], Field(min_length=2)]
    child: "Tree | None"
    parents: dict[str, int]
    pair: tuple[int, str] | None = None
    count: Annotated[int, Field(ge=3, multiple_of=3)] = 3


@pytest.mark.parametrize("model", [Leaf, Tree, list[Leaf], int | str, bool, list[Tree | None], tuple[int, Leaf]])
def test_an_example_fits(model):
    """Required fields, minimal lengths, formats, choices, references and recursion."""
    schema = TypeAdapter(model).json_schema()

    made = example(schema)

    Draft202012Validator(schema).validate(made)
    assert TypeAdapter(model).validate_python(made) is not None
    assert made == example(schema)


@pytest.mark.parametrize(
    ("schema", "made"),
    [
        ({"type": "integer", "maximum": -5}, -6),
        ({"type": "integer", "exclusiveMinimum": 7}, 8),
        ({"type": ["string", "null"]}, "text"),
        ({"const": 4}, 4),
        ({"type": "string", "maxLength": 2}, "te"),
        (
            {"allOf": [{"properties": {"a": {"type": "boolean"}}}, {"properties": {"b": {"type": "null"}}}]},
            {"a": True, "b": None},
        ),
        ({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}, 0.5),
        ({"type": "integer", "minimum": 4, "multipleOf": 3}, 6),
        ({}, None),
    ],
)
def test_small_schemas(schema, made):
    """One rule each."""
    assert made == example(schema)
