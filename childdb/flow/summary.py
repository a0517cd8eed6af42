"""What a run did, in numbers and in words: for the end of ``childdb run`` and ``make demo``."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from childdb.database import Database, Role
from childdb.settings import Settings
from childdb.workspace import Workspace


@dataclass(frozen=True)
class Summary:
    """Totals of the workspace after a run."""

    files: int
    files_accepted: int
    files_quarantined: int
    files_rejected: int
    physical_rows: int
    header_footer_rows: int
    accepted: int
    quarantined: int
    rejected: int
    children: int
    numbers_confirmed: int
    numbers_requested: int
    indicators_released: int
    cells_published: int
    cells_hidden: int

    def as_dict(self) -> dict[str, int]:
        """Return the totals by name."""
        return asdict(self)


LEDGER = """
select
    count(*),
    count(*) filter (where outcome in ('accept', 'accept_flagged')),
    count(*) filter (where outcome = 'quarantine_file'),
    count(*) filter (where outcome = 'reject_file'),
    coalesce(sum(physical_rows), 0), coalesce(sum(header_footer_rows), 0),
    coalesce(sum(accepted), 0), coalesce(sum(quarantined), 0), coalesce(sum(rejected), 0)
from ops.batches
where dataset = 'treem__children'
"""
CHILDREN = "select count(*), count(*) filter (where confirmed) from identity.children"
REQUESTED = """
select coalesce((select row_count from quality.request_batches order by recorded_at desc, batch_id limit 1), 0)
"""
CELLS = """
select
    count(distinct (indicator_set, indicator_code)) filter (where status in ('published', 'hidden')),
    count(*) filter (where status = 'published'),
    count(*) filter (where status = 'hidden')
from marts.agg_release_figures
where release_id = (select release_id from ops.releases order by planned_at desc, release_id limit 1)
"""


def summarise(settings: Settings, database: Database) -> Summary:
    """Return the totals of the workspace."""
    with database.connect(Role.CHECKER) as connection:
        ledger = connection.execute(LEDGER).fetchone() or ()
        children = connection.execute(CHILDREN).fetchone() or ()
        cells = connection.execute(CELLS).fetchone() or ()
        requested = connection.execute(REQUESTED).fetchone() or (0,)
    return Summary(
        *(int(n) for n in ledger), *(int(n) for n in children), *requested, *(int(n) for n in cells)
    )


def manifest_digest(settings: Settings, release_id: str) -> str:
    """Return the SHA-256 of a release's manifest."""
    manifest = Workspace(settings.home).releases / release_id / "manifest.json"
    return hashlib.sha256(manifest.read_bytes()).hexdigest()


def lines(summary: Summary) -> Iterator[str]:
    """Yield the totals in words, Vietnamese first."""
    s = summary
    yield f"Tệp nhận / files in:            {s.files}"
    yield f"  chấp nhận / accepted:         {s.files_accepted}"
    yield f"  giữ lại / quarantined:        {s.files_quarantined}"
    yield f"  từ chối / refused:            {s.files_rejected}"
    yield f"Dòng đọc / rows read:           {s.physical_rows}"
    yield f"  tiêu đề, chân trang / header and footer: {s.header_footer_rows}"
    yield f"  chấp nhận / accepted:         {s.accepted}"
    yield f"  giữ lại / quarantined:        {s.quarantined}"
    yield f"  từ chối / rejected:           {s.rejected}"
    yield f"Trẻ em / children found:        {s.children}"
    yield f"  số định danh đã xác nhận / numbers confirmed: {s.numbers_confirmed}"
    yield f"  đề nghị công an cấp, xác minh / requested:    {s.numbers_requested}"
    yield f"Chỉ tiêu phát hành / indicators released: {s.indicators_released}"
    yield f"  ô công bố / cells published:  {s.cells_published}"
    yield f"  ô che / cells hidden:         {s.cells_hidden}"


def places(settings: Settings, release_id: str | None) -> Iterator[str]:
    """Yield where the results are."""
    workspace = Workspace(settings.home)

    def entry(title: str, path: Path) -> str:
        return f"{title:<32}{path}"

    yield entry("Cổng thông tin / portal:", workspace.portal / "vi" / "index.html")
    if release_id:
        yield entry("Biểu mẫu / forms:", workspace.releases / release_id / "forms")
    yield entry("Chất lượng / quality pages:", workspace.quality / "index.html")
    yield entry("Danh sách / lists:", workspace.requests)
