"""Which months can be billed, and when."""

from datetime import datetime

from omni_core.domain.billing.errors import MonthBeforeTenant, MonthNotBegun, MonthRuns, NothingToBill
from omni_core.domain.billing.ports import Customers
from omni_core.domain.kernel.clock import Clock, Month
from omni_core.domain.kernel.uow import Transaction


class Months:
    """The months of the calendar, as far as they have come, and those of a tenant's life."""

    def __init__(self, customers: Customers, clock: Clock) -> None:
        self._customers = customers
        self._clock = clock

    def now(self) -> datetime:
        """Return the present moment."""
        return self._clock.now()

    def check_begun(self, month: Month) -> None:
        """Raise `MonthNotBegun` where the month lies in the future."""
        now = self.now()
        if month.start > now:
            raise MonthNotBegun(
                f"{month} has not begun", field="month", allowed=f"a month up to {Month.of(now)}", month=str(month)
            )

    def check_over(self, month: Month) -> None:
        """Raise `MonthRuns` where the month has not ended yet."""
        if month.end > self.now():
            raise MonthRuns(
                f"{month} still runs, and what is used until its end would be on a later invoice: close it when it has"
                " ended, or early, as the operator",
                month=str(month),
                ends_at=month.end.isoformat(),
            )

    async def check_may_be_empty(self, tx: Transaction, month: Month, *, empty: bool) -> None:
        """Check a month without anything to bill: raise `NothingToBill` unless an invoice may be `empty`.

        Raises `MonthBeforeTenant` where it ended before the tenant was there.
        """
        first = (await self._customers.get(tx)).created_at
        if month.end <= first:
            raise MonthBeforeTenant(
                f"{month} ended before the tenant was there, and nothing was used in it",
                field="month",
                allowed=f"a month from {Month.of(first)} on",
                month=str(month),
            )
        if not empty:
            raise NothingToBill(
                f"nothing was used until the end of {month} that is not on an invoice already; no invoice was issued",
                month=str(month),
            )
