"""omni-brain: Omni's own in-process engine, which answers and summarises in the sentences of the text it is given.

It is an extractive engine and nothing more: no language model, no network, no key, no knowledge of its own. What it
does, its limits and its measured quality are in `docs/howto/omni-brain.md`.
"""

from omni_core.adapters.llm.brain.engine import OmniBrain

__all__ = ["OmniBrain"]
