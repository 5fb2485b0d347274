"""An agent that can look up the weather, and a streamed summary."""

import json
from collections.abc import Iterator

import anthropic
import openai

TOOLS = [
    {
        "name": "look_up",
        "description": "The weather in a city, now.",
        "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    }
]
MOST_TURNS = 4


class GaveUpError(Exception):
    """Raised when the model requests tools in every turn."""


def look_up(city: str) -> str:
    """Return the weather as a weather service would."""
    if city not in ("Oslo", "Rome"):
        raise KeyError(city)
    return json.dumps({"city": city, "degrees": 12 if city == "Oslo" else 24})


def ask(question: str) -> str:
    """Answer *question*, with as many lookups as the model requests, up to a limit."""
    client = anthropic.Anthropic()
    messages = [{"role": "user", "content": question}]
    for _ in range(MOST_TURNS):
        answer = client.messages.create(model="claude-haiku-5-5", max_tokens=500, tools=TOOLS, messages=messages)
        calls = [block for block in answer.content if block.type == "tool_use"]
        if not calls:
            return answer.content[0].text
        messages += [
            {"role": "assistant", "content": answer.content},
            {"role": "user", "content": [result_of(call) for call in calls]},
        ]
    raise GaveUpError(question)


def result_of(call) -> dict:
    """Return the result of the tool, or its error, in the format of the API."""
    try:
        return {"type": "tool_result", "tool_use_id": call.id, "content": look_up(**call.input)}
    except (KeyError, TypeError) as error:
        return {"type": "tool_result", "tool_use_id": call.id, "content": repr(error), "is_error": True}


def summary(text: str) -> Iterator[str]:
    """Yield a summary of *text*, chunk by chunk; retry once if the stream breaks before its first chunk."""
    client = openai.OpenAI(max_retries=0)
    for tries_left in (1, 0):
        has_begun = False
        try:
            for chunk in client.chat.completions.create(
                model="gpt-5-mini", messages=[{"role": "user", "content": f"Summarize: {text}"}], stream=True
            ):
                if chunk.choices and (words := chunk.choices[0].delta.content):
                    has_begun = True
                    yield words
        except (openai.RateLimitError, openai.InternalServerError, openai.APIConnectionError):
            if has_begun or not tries_left:
                raise
        else:
            return
