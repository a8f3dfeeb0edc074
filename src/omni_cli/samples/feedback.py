"""A few items that a customer could have submitted."""

from typing import TYPE_CHECKING, Final

from omni_core.domain.feedback.api import FeedbackCategory, SubmitFeedback
from omni_core.domain.kernel.pages import PageRequest
from omni_core.domain.kernel.tenancy import Principal

if TYPE_CHECKING:
    from omni_core.bootstrap.omni import Omni

TRY: Final = ("Feedback of customers, as sample data", "feedback list --tenant {tenant} --where 'votes >= 1'")
_ITEMS: Final = (
    (
        SubmitFeedback(
            "Sample: export usage as CSV", "A download would spare us copying.", FeedbackCategory.FEATURE_REQUEST
        ),
        3,
    ),
    (SubmitFeedback("Sample: the invoice lacks our name", "It says Acme, we are Acme Ltd.", FeedbackCategory.BUG), 1),
    (
        SubmitFeedback(
            "Sample: thanks for the budgets", "They kept us out of trouble twice.", FeedbackCategory.GENERAL
        ),
        0,
    ),
)


async def prepare(omni: "Omni", operator: Principal) -> None:
    """Submit the items and vote for them, unless there is feedback already."""
    if (await omni.feedback.list(operator, PageRequest(limit=1))).items:
        return
    for command, votes in _ITEMS:
        item = await omni.feedback.submit(operator, command)
        for number in range(votes):
            await omni.feedback.vote(operator, item.id, f"sample-customer-{number + 1}")
