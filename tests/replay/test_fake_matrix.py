"""Every official SDK gets from a script what it gets from its provider: SDK x behaviour, by the SDK's own objects."""

import pytest
from sdks.anthropic_messages import Anthropic
from sdks.bedrock import Bedrock
from sdks.cells import CELLS
from sdks.cohere_chat import Cohere
from sdks.google import Google
from sdks.groq_chat import Groq
from sdks.mistral import Mistral
from sdks.ollama_chat import Ollama
from sdks.openai_chat import OpenAI
from sdks.openai_responses import Responses
from sdks.together_chat import Together

SDKS = [Anthropic, OpenAI, Responses, Google, Bedrock, Mistral, Groq, Cohere, Together, Ollama]
ROWS = [sdk(colour) for sdk in SDKS for colour in sdk.colours]


@pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")  # google-genai's own
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("sdk", ROWS, ids=repr)
def test_cell(sdk, cell, fake_llm, record_property):
    """The SDK's own value or error; where it leaves something to its caller, the cell says what."""
    words = sdk.run(CELLS[cell](sdk, fake_llm))

    record_property("cell fakes by SDK", (repr(sdk), cell, words))
