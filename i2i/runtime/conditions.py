"""From the name of a domain to the number that the graph takes: the one place where names are looked up."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from i2i.errors import I2IError
from i2i.images.card import ImageCard
from i2i.tables import unknown


def domain_index(card: ImageCard, domain: str | None) -> npt.NDArray[np.int64] | None:
    """int64 [1], the position of `domain` in the card's list, or None for a model without domains.

    Raises `I2IError` (E_CONDITION) for a missing or unknown name, and for a name given to a model that takes none.
    """
    condition = card.condition
    if condition is None or condition.kind != "domains":
        if domain is not None:
            raise I2IError("E_CONDITION", f"model '{card.name}' takes no domain; leave out '{domain}'")
        if condition is not None:
            message = (
                f"model '{card.name}' takes attributes ({', '.join(condition.names)}), which cannot be set by name"
            )
            raise I2IError("E_CONDITION", message)
        return None
    if domain is None:
        message = f"model '{card.name}' needs a domain, one of: {', '.join(condition.names)}"
        raise I2IError("E_CONDITION", message)
    if domain not in condition.names:
        raise I2IError("E_CONDITION", unknown("domain", domain, condition.names))
    return np.array([condition.names.index(domain)], dtype=np.int64)
