"""What callers may pass as messages and tools, and what they read where something in it is odd."""

import datetime as dt
import math

import pytest
from pydantic import BaseModel

from llm_gateway import ImagePart, LLMMessage, SyncLLMClient, TextPart, Tool, ToolCall, ToolResult
from llm_gateway.client.message import messages_from, tools_from
from llm_gateway.exceptions import ConfigError
from llm_gateway.providers.encoding import encode_checked
from llm_gateway.types import ChatRequest

EXAMPLE = 'llm.chat([{"role": "user", "content": "Hello"}])'
BLOCKS = 'a text, or [{"type": "text", "text": "..."}, {"type": "image_url", "image_url": {"url": "https://..."}}]'
ROLES = "roles are system, user, assistant, tool"


@pytest.fixture
def llm():
    return SyncLLMClient(model="openai:gpt-4o", api_key="k")


def test_messages_are_made_by_their_role():
    """Texts become parts; other parts stay as they are."""
    picture, call = ImagePart(url="https://example.com/a.png"), ToolCall("c1", "weigh", {})
    assert LLMMessage("system", (TextPart("Be brief."),)) == LLMMessage.system("Be brief.")
    assert LLMMessage("user", (TextPart("What?"), picture)) == LLMMessage.user("What?", picture)
    assert LLMMessage("assistant", (TextPart("Hm."), call)) == LLMMessage.assistant("Hm.", call)
    assert LLMMessage("tool", (ToolResult("c1", "1 kg"),)) == LLMMessage.tool("c1", "1 kg")
    assert LLMMessage("tool", (ToolResult("c1", "no", True),)) == LLMMessage.tool("c1", "no", is_error=True)


def test_messages_come_in_many_forms():
    """Alone or listed, as text, dict or message."""
    hello = LLMMessage.user("Hello")
    for given in ("Hello", hello, {"role": "user", "content": "Hello"}, [hello], ("Hello",), iter([hello])):
        assert (hello,) == messages_from(given)
    assert (LLMMessage.system("x"), hello) == messages_from([{"role": "developer", "content": "x"}, hello])
    blocks = [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": "https://x"}}]
    assert (LLMMessage.user("a", ImagePart(url="https://x")),) == messages_from({"role": "user", "content": blocks})
    assert (LLMMessage("assistant", ()),) == messages_from([{"role": "assistant", "content": None}])


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("", f"there is nothing to send\n  the text is empty\n  give a text or messages: {EXAMPLE}"),
        ([], f"there is nothing to send\n  the list of messages is empty\n  give a text or messages: {EXAMPLE}"),
        (5, f"5 is no message\n  a message is a str, an LLMMessage, or a dict with `role` and `content`\n  for example: {EXAMPLE}"),
        ([{"role": "usr", "content": "x"}], f"messages[0] has the role 'usr'\n  did you mean 'user'?\n  {ROLES}, developer"),
        ([{"role": None, "content": "x"}], f"messages[0] has the role None\n  no provider knows that role\n  {ROLES}, developer"),
        ([LLMMessage("robot", (TextPart("x"),))], f"messages[0] has the role 'robot'\n  no provider knows that role\n  {ROLES}"),
        (["a", {"role": "user", "content": 5}], f"messages[1] has the content 5\n  content is a text, or a list of blocks\n  {BLOCKS}"),
        (
            [{"role": "user", "content": [{"type": "input_audio"}]}],
            f"messages[0].content[0] is {{'type': 'input_audio'}}\n  dicts are read as OpenAI's chat completions have them\n  {BLOCKS}",
        ),
        (
            [{"role": "user", "content": ["x"]}],
            f"messages[0].content[0] is 'x'\n  dicts are read as OpenAI's chat completions have them\n  {BLOCKS}",
        ),
        (
            [{"role": "user", "content": [{"type": "text", "text": 5}]}],
            (f"messages[0].content[0] is {{'type': 'text', 'text': 5}}\n"
            f"  a block of the type 'text' has its content under 'text'\n  {BLOCKS}"),
        ),
        (
            [{"role": "tool", "content": "1 kg"}],
            ("messages[0] is the result of a tool, and does not say of which call\n  it has no `tool_call_id`\n"
            '  {"role": "tool", "tool_call_id": response.tool_calls[0].id, "content": "..."}'),
        ),
        (
            [{"role": "assistant", "content": None, "tool_calls": [{"function": 5}]}],
            ("messages[0] cannot be read: {'role': 'assistant', 'content': None, 'tool_calls': [{'function': 5}]}\n"
            "  a dict is read as OpenAI's chat completions have it: AttributeError: 'int' object has no attribute 'get'\n"
            f"  for example: {EXAMPLE}"),
        ),
        ([{"role": "user"}], "messages[0] is empty\n  a message of 'user' has content\n  LLMMessage.user(\"Hello\")"),
        (LLMMessage("user", "hi"), "messages[0] has the parts 'hi'\n  parts are a tuple\n  LLMMessage.user('hi')"),
        (
            LLMMessage("user", ("hi",)),
            ("messages[0].parts[0] is 'hi'\n  a part is one of TextPart, ThinkingPart, ImagePart, ToolCall, ToolResult\n"
            '  for example: TextPart("Hello")'),
        ),
        (LLMMessage.user(TextPart(5)), "messages[0].parts[0] is TextPart(text=5)\n  its text is no str\n  TextPart('5')"),
        (
            LLMMessage.user(ImagePart()),
            ("messages[0].parts[0] is an image without content\n  it has neither data nor url\n"
            '  ImagePart(url="https://...")'),
        ),
        (
            LLMMessage.user(ImagePart("iVBOR", "image/png")),
            ("messages[0].parts[0] is an image whose data is a str\n  data are the bytes of the file\n"
            '  ImagePart(path.read_bytes(), "image/png")'),
        ),
        (
            LLMMessage.user(ImagePart(b"\x89PNG")),
            ("messages[0].parts[0] is an image of the media type None\n  providers need to know the format of the image\n"
            '  ImagePart(data, "image/png")'),
        ),
    ],
)  # fmt: skip
def test_what_is_no_message_is_named_by_its_place(given, words, llm):
    """With what to give instead; nothing is sent."""
    with pytest.raises(ConfigError) as error:
        llm.chat(given)
    assert words == str(error.value)


def test_tools_come_in_many_forms():
    """Ours, bare, and as OpenAI has them."""
    tool = Tool("weigh", "", {"type": "object"})
    for given in (tool, {"name": "weigh"}, {"type": "function", "function": {"name": "weigh"}}):
        assert (tool,) == tools_from([given])


@pytest.mark.parametrize(
    "given", [5, {}, {"function": 5}, {"name": 5}, {"name": "a", "parameters": []}, Tool("", "", {})]
)
def test_what_is_no_tool_is_named(given):
    """With an example."""
    with pytest.raises(ConfigError) as error:
        tools_from([{"name": "weigh"}, given])
    assert (
        f"tools[1] is {given!r}\n"
        "  a tool has a name, and parameters: a JSON schema of an object, as a dict\n"
        '  for example: {"name": "weigh", "description": "Weigh it", "parameters": {"type": "object", "properties": {}}}'
        == str(error.value)
    )


def test_two_tools_of_one_name_are_refused():
    """A call could mean either."""
    with pytest.raises(
        ConfigError, match="two tools are called 'weigh'\n  a call names its tool\n  rename one of them"
    ):
        tools_from([{"name": "weigh"}, {"name": "weigh"}])


LOOP = {}
LOOP["again"] = LOOP
PLAIN = "give texts, numbers, true, false, None, lists and dicts of only these"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"extra": {"at": dt.date(2026, 1, 2)}}, "extra.at: datetime.date(2026, 1, 2)\n  a date is no JSON"),
        ({"extra": {"n": [1, math.nan]}}, "extra.n[1]: nan\n  JSON has no such number"),
        ({"tools": [Tool("a", "", {"x": {1, 2}})]}, "tools[0].parameters.x: {1, 2}\n  a set is no JSON"),
        (
            {"extra": {"x": "\ud800"}},
            "extra.x: '\\ud800'\n  it contains half of a character, which UTF-8 cannot encode",
        ),
        ({"temperature": math.inf}, "temperature: inf\n  JSON has no such number"),
    ],
)
def test_what_json_cannot_hold_is_named_by_its_place(options, words, llm):
    """Before anything is sent."""
    with pytest.raises(ConfigError) as error:
        llm.chat("hi", **options)
    assert f"openai cannot be sent {words}\n  {PLAIN}" == str(error.value)


def test_what_holds_itself_is_refused(llm):
    """As is what is nested as deeply; arguments of calls of tools too are looked into."""
    with pytest.raises(
        ConfigError, match=r"openai cannot be sent extra\.again\.again(.|\n)*\n  it contains itself, or is"
    ):
        llm.chat("hi", extra=LOOP)
    call = ToolCall("c", "weigh", {"x": object()})
    with pytest.raises(ConfigError, match=r"openai cannot be sent messages\[1\]\.parts\[0\]\.arguments\.x: <object "):
        llm.chat(["hi", LLMMessage.assistant(call)])


def test_a_mistake_of_our_own_is_not_blamed_on_the_caller():
    """What JSON could hold was not why it could not be written."""
    with pytest.raises(ValueError, match="invalid literal"):
        encode_checked("x", ChatRequest("m", ()), lambda: int("x"))


class Open(BaseModel, arbitrary_types_allowed=True):
    """Validates what no schema can say."""

    lock: type(llm)


class NoModel:
    """Nothing that pydantic knows."""


@pytest.mark.parametrize(
    ("model", "why"),
    [
        (Open, "Cannot generate a JsonSchema for core_schema.IsInstanceSchema"),
        (NoModel, "Unable to generate pydantic-core schema for <class '.*NoModel'>"),
    ],
)
def test_a_model_without_a_schema_is_named(model, why, llm):
    """Nothing is sent, and the fix names types that have one."""
    with pytest.raises(
        ConfigError, match=f"^no JSON schema can be made of response_model={model.__name__}\n  {why}"
    ) as error:
        llm.complete("hi", response_model=model)
    assert "use a pydantic model, a dataclass or a TypedDict whose fields" in error.value.fix
