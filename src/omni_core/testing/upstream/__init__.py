"""A model provider to test against: OpenAI's and Anthropic's protocols on a free port of this machine.

It answers by script, reports exact token counts, remembers every call and misbehaves on demand::

    async with FakeUpstream() as upstream:
        upstream.script("gpt-test", Script(text="Hello", usage=TokenUsage(12, 3)))
        ...  # point a provider at upstream.url
        assert upstream.totals["gpt-test"].input_tokens == 12

`python -m omni_core.testing.upstream` runs it as a process of its own.
"""

from omni_core.testing.upstream.journal import Call, Totals
from omni_core.testing.upstream.scripts import FAULTS, Fault, Script
from omni_core.testing.upstream.server import FakeUpstream

__all__ = ["FAULTS", "Call", "FakeUpstream", "Fault", "Script", "Totals"]
