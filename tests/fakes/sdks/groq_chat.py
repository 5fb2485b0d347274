"""groq, an SDK like openai's without its parser."""

import groq
import httpx

from sdks.driver import SCHEMA
from sdks.openai_chat import OpenAI


class Groq(OpenAI):
    name = "groq"
    model = "llama-3.3-70b-versatile"
    clients = (groq.Groq, groq.AsyncGroq)
    wrong = groq.APIStatusError
    limited, lost, late = groq.RateLimitError, groq.APIConnectionError, groq.APITimeoutError
    cut = httpx.ReadError
    parses = False

    def stream(self, client, **options):
        return self.ask(client, stream=True, **options)

    async def ask_object(self, client):
        schema = {"type": "json_schema", "json_schema": SCHEMA}
        return self.text(await self.ask(client, response_format=schema))
