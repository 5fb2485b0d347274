"""
Wire formats ("dialects"), pure and in both directions. Internal: users reach them through providers and fakes.

One module for each format: `anthropic`, `openai_chat`, `openai_responses`, `gemini`, `bedrock`, `bedrock_invoke`,
`cohere`, `ollama`, `claude_cli`, and `count_tokens` for the formats of token counting; `base` has the
protocol of a format and `dialects` finds one by its API's name.

Readers of any format: `reading` and `usage` read recorded exchanges, `bounds` the most that a request can use,
`identify` the provider of an address, `model_lists` what providers list.

Shared parts: `framing` (server-sent events, AWS event streams), `parts` (bodies and errors), `claude` (the command's
arguments and events), `tokens` (estimates).
"""
