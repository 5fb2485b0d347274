"""boto3's converse; boto3 has no async client."""

import json
import random
from contextlib import closing

import boto3
import botocore.config
import botocore.exceptions
import urllib3

from sdks.driver import NAME, PARAMETERS, PROMPT, Driver, Report

NO_WAIT = 12214
"""botocore waits for a random time, up to a second: with this seed, for next to nothing."""


class Bedrock(Driver):
    name = "boto3 converse"
    model = "anthropic.claude-sonnet-4-5-v1:0"
    kinds = ("sync",)
    limited = wrong = botocore.exceptions.ClientError
    lost = botocore.exceptions.ConnectionClosedError
    cut = urllib3.exceptions.ProtocolError
    late = botocore.exceptions.ReadTimeoutError
    opening = 1
    parses = False
    session = boto3.Session("AKIAEXAMPLE", "k", region_name="us-east-1")

    def make(self, retries):
        random.seed(NO_WAIT)
        config = botocore.config.Config(retries={"total_max_attempts": 1 + retries, "mode": "standard"})
        return closing(self.session.client("bedrock-runtime", config=config))

    def status(self, error):
        return error.response["ResponseMetadata"]["HTTPStatusCode"]

    def arguments(self, *, with_tool=False, **options):
        tool = {"toolSpec": {"name": NAME, "inputSchema": {"json": PARAMETERS}}}
        tools = {"toolConfig": {"tools": [tool]}} if with_tool else {}
        messages = [{"role": "user", "content": [{"text": PROMPT}]}]
        return {"modelId": self.model, "messages": messages, **tools, **options}

    async def ask(self, client, **options):
        return client.converse(**self.arguments(**options))

    def stream(self, client, **options):
        return client.converse_stream(**self.arguments(**options))["stream"]

    async def ask_object(self, client):
        schema = {"name": "Report", "schema": json.dumps(Report.model_json_schema())}
        wanted = {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": schema}}}
        return self.text(await self.ask(client, outputConfig=wanted))

    def text(self, reply):
        return reply["output"]["message"]["content"][0]["text"]

    def call(self, reply):
        (called,) = [block["toolUse"] for block in reply["output"]["message"]["content"] if "toolUse" in block]
        return called["name"], called["input"]

    def usage(self, reply):
        return reply["usage"]["inputTokens"], reply["usage"]["outputTokens"]

    def chunk_text(self, event):
        return event.get("contentBlockDelta", {"delta": {}})["delta"].get("text")

    def streamed_call(self, events):
        starts = [event["contentBlockStart"]["start"] for event in events if "contentBlockStart" in event]
        (called,) = [start["toolUse"] for start in starts if "toolUse" in start]
        deltas = [event["contentBlockDelta"]["delta"] for event in events if "contentBlockDelta" in event]
        return called["name"], json.loads("".join(delta["toolUse"]["input"] for delta in deltas if "toolUse" in delta))

    def streamed_usage(self, events):
        return self.usage(events[-1]["metadata"])
