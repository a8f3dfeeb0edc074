"""pydantic-ai: what a program gets that asks Omni, and what its user reads where it gets nothing."""

import asyncio
import json
import os
from typing import Any

import openai
from openai import AsyncOpenAI
from pydantic_ai import Agent, ModelSettings
from pydantic_ai.exceptions import AgentRunError
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider


async def ask(*, base_url: str, key: str, model: str, stream: bool, retries: int, **fields: Any) -> str:
    provider = OpenAIProvider(openai_client=AsyncOpenAI(base_url=base_url, api_key=key, max_retries=retries))
    agent = Agent(OpenAIChatModel(model, provider=provider), model_settings=ModelSettings(extra_body=fields))
    if not stream:
        return str((await agent.run("Which weather?")).output)
    async with agent.run_stream("Which weather?") as answer:
        return "".join([piece async for piece in answer.stream_text(delta=True)])


async def main() -> None:
    told: list[dict[str, Any]] = []
    for asked in json.loads(os.environ["ASKED"]):
        try:
            told.append({"said": await ask(**asked)})
        except (AgentRunError, openai.APIError) as error:
            told.append({"refused": str(error), "status": getattr(error, "status_code", None)})
    print(json.dumps(told))  # noqa: T201 - this is how it answers


asyncio.run(main())
