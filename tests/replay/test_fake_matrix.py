"""Fake replies as each official SDK sees them: every SDK with every behaviour, asserted on the SDK's own objects."""

import re

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

from llm_gateway.exceptions import FakeError
from llm_gateway.fakes import FakeLLM
from llm_gateway.interception.use_cassette import use_cassette

SDKS = [Anthropic, OpenAI, Responses, Google, Bedrock, Mistral, Groq, Cohere, Together, Ollama]
ROWS = [sdk(kind) for sdk in SDKS for kind in sdk.kinds]


@pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")  # google-genai's own
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("sdk", ROWS, ids=repr)
def test_sdk_behaviour(sdk, cell, fake_llm, record_property):
    """The SDK returns or raises its own objects; the table shows what it leaves to its caller."""
    note = sdk.run(CELLS[cell](sdk, fake_llm))

    record_property("cell fakes by SDK", (repr(sdk), cell, note))


MISS = r"""fake_llm has no answer for call #1 {provider} {model} \({api}\)
    user: 'How is the weather in Oslo\?'
  .*test_fake_matrix.py:\d+ waits for on\(model='no-such-model'\)
  to script it: fake_llm.reply\("..."\) before the call"""
MISFIT = r"""the scripted object does not fit the requested schema: city: 3 is not of type 'string'
  it was scripted at .*test_fake_matrix.py:\d+
  the call to {provider} requests \{{"(?s:.)*
  reply with an object of that schema, or with its JSON as a str to answer wrongly on purpose"""
WRONG_SCRIPTS = {
    "unknown model": (lambda fake: fake.on(model="no-such-model").reply("x"), "ask", MISS),
    "misfit": (lambda fake: fake.reply({"city": 3, "degrees": 12}), "ask_object", MISFIT),
}


@pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")
@pytest.mark.parametrize("wrong", WRONG_SCRIPTS)
@pytest.mark.parametrize("sdk", ROWS, ids=repr)
def test_error_in_the_script_fails_the_test(sdk, wrong, tmp_path, record_property):
    """No SDK retries it, its error has the first line, and the test fails with the whole message."""
    script, method, text = WRONG_SCRIPTS[wrong]
    fake = FakeLLM()
    script(fake)

    async def call():
        async with sdk.client(retries=1) as client:
            with pytest.raises(sdk.wrong) as caught:
                await getattr(sdk, method)(client)
        return caught

    with pytest.raises(FakeError) as failed, use_cassette(tmp_path / "none.yaml") as cassette:
        cassette.answer_by(fake)
        caught = sdk.run(call())

    (made,) = fake.calls
    assert failed.value.message.partition("\n")[0] in str(caught.value).replace("\\", "")
    assert re.fullmatch(text.format(provider=made.provider, model=sdk.model, api=made.api), str(failed.value))
    record_property("cell wrong scripts by SDK", (repr(sdk), wrong, caught.type.__name__))
