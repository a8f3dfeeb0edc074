"""Embed Omni: chat, read the usage, close the month. No server, no key, nothing is kept: run it as it is."""

import asyncio
from datetime import UTC, datetime, timedelta

from omni_core import OPERATOR, ChatRequest, CreateTenant, Message, Month, Omni, Role, UsageQuery

QUESTION = "The pool opens at nine. A ticket costs four pounds. How much does a ticket cost?"


async def main() -> None:
    # memory=True keeps all data in this process; without it, Omni runs on a PostgreSQL.
    async with Omni.open(memory=True) as omni:
        tenant = await omni.tenants.create(OPERATOR, CreateTenant("acme", "Acme Inc."))
        acme = omni.operator(tenant.id)

        answer = await omni.chat.complete(acme, ChatRequest("omni-brain", (Message.of(Role.USER, QUESTION),)))
        print(answer.response.message.text)

        now = datetime.now(UTC)
        (used,) = await omni.metering.summary(acme, UsageQuery(now - timedelta(days=1), now + timedelta(seconds=1)))
        tokens = used.quantities
        print(f"{used.calls} call, {tokens.input} + {tokens.output} tokens, {used.cost}")

        # The month still runs, so it is closed early: what follows would be on the next invoice.
        invoice = await omni.billing.close(acme, Month.of(now), early=True)
        for line in invoice.lines:
            print(f"{line.model:12}{line.meter:10}{line.quantity:6}{line.amount!s:>12}")
        print(f"{invoice.number} for {invoice.month}: {invoice.total}")


if __name__ == "__main__":
    asyncio.run(main())
