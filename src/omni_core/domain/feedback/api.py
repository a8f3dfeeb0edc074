"""The face of feedback: what shells and other contexts may use of it."""

from omni_core.domain.feedback.model import (
    FeedbackCategory,
    FeedbackPriority,
    FeedbackStatus,
    FeedbackTally,
    FeedbackVote,
    Item,
    VoterText,
)
from omni_core.domain.feedback.service import ChangeFeedback, Feedback, SubmitFeedback

__all__ = [
    "ChangeFeedback",
    "Feedback",
    "FeedbackCategory",
    "FeedbackPriority",
    "FeedbackStatus",
    "FeedbackTally",
    "FeedbackVote",
    "Item",
    "SubmitFeedback",
    "VoterText",
]
