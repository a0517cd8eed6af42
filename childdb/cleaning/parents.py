"""Father and mother of a row compared: whether they stand in each other's column."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa
    from numpy.typing import NDArray


def swapped_parents(names: tuple[pl.Series, pl.Series], numbers: Sequence[pa.Array]) -> NDArray[np.bool_]:
    """Return the rows where numbers or names say that father and mother stand in each other's column.

    Thị and Văn alone say little in some groups: one of them counts only with the other, or with a number.
    """
    father, mother = names
    sexes = [pl.Series(cells).str.extract(r"^\d{3}([01])\d{8}$", 1) for cells in numbers]
    female_father, male_mother = sexes[0].eq_missing("1"), sexes[1].eq_missing("0")
    agrees = sexes[0].eq_missing("0") | sexes[1].eq_missing("1")
    by_number = (female_father | male_mother) & ~agrees
    has_thi = father.str.contains(" Thị ").fill_null(False)
    has_van = mother.str.contains(" Văn ").fill_null(False)
    by_name = (has_thi & has_van) | ((has_thi | has_van) & (female_father | male_mother))
    return np.asarray((by_number | by_name).to_numpy())
