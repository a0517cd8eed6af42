"""Vietnamese words of the quality pages and reports."""

from __future__ import annotations

OUTCOMES_VI = {
    "passed": "Đạt",
    "warned": "Cảnh báo",
    "stopped": "Dừng",
    "released": "Cho qua có quyết định",
    "not_applicable": "Không áp dụng",
    "not_in_force": "Quy tắc chưa có hiệu lực",
}
STATUSES_VI = {
    "landed": "Đã nhận",
    "loaded": "Đã nạp",
    "held": "Đang giữ",
    "refused": "Đã trả lại",
    "judged": "Đã kiểm tra",
}
DATASETS_VI = {
    "treem__children": "Danh sách trẻ em của xã",
    "population__persons": "Trích xuất dân cư",
    "identity": "Ghép số định danh",
    "figures": "Số liệu công bố",
}


def vietnamese_share(value: float | None) -> str:
    """Return a share as a percentage with one decimal.

    >>> vietnamese_share(0.9876)
    '98,8%'
    """
    return "–" if value is None else f"{value * 100:.1f}%".replace(".", ",")
