"""Arrow columns at the sandbox's border to numpy; typed loosely, as the stubs of pyarrow's compute functions are."""

from __future__ import annotations

from typing import Any, TypeAlias

import pyarrow as pa

Column: TypeAlias = Any


def column(values: Any, kind: Any = None, mask: Any = None) -> Column:
    """Return an Arrow array of the values; NULL where the mask holds."""
    return pa.array(values, kind, mask=mask)
