"""ollama, which has no retries, and no error class of its own for 429."""

import httpx
import ollama

from sdks.driver import MESSAGES, TOOL, Driver, Report, done


class Ollama(Driver):
    name = "ollama"
    model = "llama3.2"
    limited = wrong = ollama.ResponseError
    lost, cut, late = httpx.RemoteProtocolError, httpx.ReadError, httpx.ReadTimeout
    opening = 0
    parses = retries = False

    def make(self, retries):
        return ollama.AsyncClient() if self.is_async else ollama.Client()

    def status(self, error):
        return error.status_code

    async def ask(self, client, *, with_tool=False, **options):
        tools = {"tools": [TOOL]} if with_tool else {}
        return await done(client.chat(self.model, MESSAGES, **tools, **options))

    def stream(self, client, **options):
        return self.ask(client, stream=True, **options)

    async def ask_object(self, client):
        return self.text(await self.ask(client, format=Report.model_json_schema()))

    def text(self, reply):
        return reply.message.content

    def call(self, reply):
        (called,) = [call.function for call in reply.message.tool_calls]
        return called.name, called.arguments

    def usage(self, reply):
        return reply.prompt_eval_count, reply.eval_count

    def chunk_text(self, event):
        return event.message.content

    def streamed_call(self, events):
        (found,) = [event for event in events if event.message.tool_calls]
        return self.call(found)

    def streamed_usage(self, events):
        return self.usage(events[-1])
