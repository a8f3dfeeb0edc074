"""What something costs, exactly, and in which money."""

import msgspec

from omni_core.domain.kernel.money import Picos, format_picos


class Cost(msgspec.Struct, frozen=True):
    """An exact amount, `picos` in 10⁻¹² of the major unit of `currency`. `str` of it is `0.010007 USD`."""

    picos: Picos
    currency: str

    @property
    def amount(self) -> str:
        """The same in major units, with every digit that matters: `0.010007`."""
        return format_picos(self.picos)

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"
