"""The face of feedback: what shells and other contexts may use of it."""

from omni_core.domain.feedback.model import Category, Item, Priority, Status, Tally, Vote
from omni_core.domain.feedback.service import ChangeItem, Feedback, SubmitItem

__all__ = [
    "Category",
    "ChangeItem",
    "Feedback",
    "Item",
    "Priority",
    "Status",
    "SubmitItem",
    "Tally",
    "Vote",
]
