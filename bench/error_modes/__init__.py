"""Every error mode by its id: planted on invented children and in real files, cleaned, compared with the truth.

    python -m bench.error_modes --cases 100000 --json

The children, the errors and the other mistakes put on the same rows are made here without any code of the cleaning
step; a third of the cases carries a second, harmless-looking mistake as well.
"""

from bench.error_modes.scoring import AUTO, ELSEWHERE, MODES, Score, measure

__all__ = ["AUTO", "ELSEWHERE", "MODES", "Score", "measure"]
