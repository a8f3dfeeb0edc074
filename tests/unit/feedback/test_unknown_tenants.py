import pytest

from omni_core import Omni, PageRequest
from omni_core.domain.feedback.api import SubmitFeedback
from omni_core.domain.tenancy.errors import UnknownTenant
from omni_core.testing.builders.kernel import a_tenant_id


async def test_nothing_is_taken_in_for_a_tenant_that_does_not_exist():
    async with Omni.open(memory=True) as omni:
        nobody = omni.operator(a_tenant_id())
        for asking in (
            omni.feedback.submit(nobody, SubmitFeedback("A title", "A text of some length.")),
            omni.feedback.list(nobody, PageRequest()),
        ):
            with pytest.raises(UnknownTenant):
                await asking
