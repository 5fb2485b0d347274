"""together, an SDK like groq."""

import together

from sdks.groq_chat import Groq


class Together(Groq):
    name = "together"
    model = "meta-llama/Llama-3.3-70B-Instruct-Turbo"
    clients = (together.Together, together.AsyncTogether)
    wrong = together.APIStatusError
    limited, lost, late = together.RateLimitError, together.APIConnectionError, together.APITimeoutError
