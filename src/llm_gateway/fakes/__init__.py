"""
Scripted answers to the calls of a test, in each provider's own wire format.

Public are the names below; the modules of this package are internal.
"""

from __future__ import annotations

from llm_gateway.fakes.auxiliary import AuxiliaryCall
from llm_gateway.fakes.fake_llm import FakeLLM
from llm_gateway.fakes.provider import FakeLLMProvider
from llm_gateway.fakes.request import FakeCall
from llm_gateway.fakes.script import Script

__all__ = ["AuxiliaryCall", "FakeCall", "FakeLLM", "FakeLLMProvider", "Script"]
