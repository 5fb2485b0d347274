"""Fake replies through frameworks that use the official SDKs: ``tox run -e fakes-frameworks,litellm``."""

import importlib.util

import pytest
from sdks.cells import CELLS

DRIVERS = {
    "pydantic_ai": ("sdks.pydantic_ai_agent", "PydanticAI PydanticAIAnthropic"),
    "langchain_openai": ("sdks.langchain_chat", "LangChainOpenAI LangChainAnthropic"),
    "litellm": ("sdks.litellm_chat", "LiteLLM LiteLLMAnthropic"),
}
INSTALLED = [driver for package, driver in DRIVERS.items() if importlib.util.find_spec(package)]
SDKS = [getattr(importlib.import_module(module), name) for module, names in INSTALLED for name in names.split()]
if not SDKS:
    pytest.skip(f"none of {', '.join(DRIVERS)} is installed", allow_module_level=True)
ROWS = [sdk(kind) for sdk in SDKS for kind in sdk.kinds]


@pytest.mark.filterwarnings("ignore")  # of the frameworks, for each other
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("sdk", ROWS, ids=repr)
def test_framework_behaviour(sdk, cell, fake_llm, record_property):
    """Each behaviour is the same as with the official SDKs."""
    note = sdk.run(CELLS[cell](sdk, fake_llm))

    record_property("cell fakes by framework", (repr(sdk), cell, note))
