"""The answers of every stub of a model; a small module, because a command imports it at its start."""

from llm_gateway.types import ChatReply, TextPart, TokenUsage, ToolCall


def answer_to(request):
    """Return the reply to a decoded request, by the words in its last message."""
    prompt = request.messages[-1].text
    usage = TokenUsage(11, 7, 0, 0, reasoning_tokens=None)
    if "cut off" in prompt:
        return ChatReply((TextPart('{"answer": "fo'),), request.model, "id-1", "max_tokens", usage)
    is_wrong = "wrong shape" in prompt and "does not fit" not in prompt
    if request.tool_choice in {tool.name for tool in request.tools}:
        given = {"reply": 42} if is_wrong else {"answer": "forty-two"}
        call = ToolCall("call_0", request.tool_choice, given)
        return ChatReply((call,), request.model, "id-1", "tool_use", usage)
    if is_wrong:
        return ChatReply((TextPart('{"reply": 42}'),), request.model, "id-1", "end_turn", usage)
    if request.response_schema is not None:
        return ChatReply((TextPart('{"answer": "forty-two"}'),), request.model, "id-1", "end_turn", usage)
    if request.tools and request.messages[-1].role == "user" and prompt:
        calls = [
            ToolCall(f"call_{n}", request.tools[0].name, {"what": what}) for n, what in enumerate(prompt.split()[1:])
        ]
        return ChatReply((TextPart("I will."), *calls), request.model, "id-1", "tool_use", usage)
    images = sum(type(part).__name__ == "ImagePart" for message in request.messages for part in message.parts)
    text = f"{images} images" if images else prompt.upper() or "done"
    return ChatReply((TextPart(text),), request.model, "id-1", "end_turn", usage)
