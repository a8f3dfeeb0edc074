"""langchain-openai: what a program gets that asks Omni, and what its user reads where it gets nothing."""

import json
import os
from typing import Any

import openai
from langchain_openai import ChatOpenAI


def ask(*, base_url: str, key: str, model: str, stream: bool, retries: int, **fields: Any) -> str:
    chat = ChatOpenAI(base_url=base_url, api_key=key, model=model, max_retries=retries, extra_body=fields or None)
    if stream:
        return "".join(str(piece.content) for piece in chat.stream("Which weather?"))
    return str(chat.invoke("Which weather?").content)


told: list[dict[str, Any]] = []
for asked in json.loads(os.environ["ASKED"]):
    try:
        told.append({"said": ask(**asked)})
    except openai.APIError as error:
        told.append({"refused": str(error), "status": getattr(error, "status_code", None)})
print(json.dumps(told))  # noqa: T201 - this is how it answers
