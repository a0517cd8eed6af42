"""Why a row was tied to a person: the weight of each field as a picture. Weights only; no value of either side is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

# Vietnamese first, as reviewers read it.
LABELS: Mapping[str, str] = {
    "prior": "Trước khi so sánh",
    "name": "Họ tên trẻ",
    "born": "Ngày sinh",
    "entry": "Năm nhập tin",
    "sex": "Giới tính",
    "number": "Số định danh",
    "registration": "Số giấy khai sinh",
    "ethnic": "Dân tộc",
    "parents": "Cha mẹ",
    "home": "Nơi ở, điện thoại",
    "relatives": "Có thể là anh chị em",
    "claims": "Hàng khác cùng nhận người này",
}
_ROW, _LEFT, _WIDTH, _RIGHT = 24, 210, 420, 70
_GOOD, _BAD, _SUM = "#2a7f62", "#b3423a", "#34495e"


@dataclass(frozen=True)
class Step:
    """One bar of the picture, in bits."""

    label: str
    start: float
    end: float
    is_total: bool = False

    @property
    def change(self) -> float:
        """Return the bits this step adds or takes."""
        return self.end - self.start


def steps(evidence: Mapping[str, float]) -> tuple[Step, ...]:
    """Return the bars from the prior to the match weight, strongest evidence first; fields that say nothing are left out."""
    last = ("relatives", "claims")
    fields = sorted(
        (name for name in evidence if name not in ("prior", *last)),
        key=lambda name: (-abs(evidence[name]), name),
    )
    order = ["prior", *fields, *last]
    found, level = [], 0.0
    for name in order:
        weight = evidence.get(name, 0.0)
        if weight:
            found.append(Step(LABELS.get(name, name), level, level + weight))
            level += weight
    return (*found, Step("Tổng trọng số", 0.0, level, is_total=True))


def waterfall(evidence: Mapping[str, float], probability: float) -> str:
    """Return a picture (SVG) of one link: bits to the right speak for the pair, to the left against it."""
    bars = steps(evidence)
    low = min(min(bar.start, bar.end) for bar in bars)
    high = max(max(bar.start, bar.end) for bar in bars)
    scale = _WIDTH / ((high - low) or 1.0)
    height = _ROW * (len(bars) + 2)
    title = f"Xác suất là cùng một trẻ: {probability:.4f}"
    zero = _LEFT + (0 - low) * scale
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_LEFT + _WIDTH + _RIGHT}" height="{height}" role="img"'
        f' font-family="sans-serif" font-size="13"><title>{escape(title)}</title>',
        f'<text x="8" y="17" font-weight="bold">{escape(title)}</text>',
        f'<line x1="{zero:.1f}" x2="{zero:.1f}" y1="{_ROW}" y2="{height - _ROW}" stroke="#999"/>',
        *_drawn(bars, low, scale),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _drawn(bars: Sequence[Step], low: float, scale: float) -> list[str]:
    lines = []
    for place, bar in enumerate(bars, start=1):
        top = place * _ROW
        left = _LEFT + (min(bar.start, bar.end) - low) * scale
        width = max(abs(bar.change) * scale, 1.0)
        colour = _SUM if bar.is_total else (_GOOD if bar.change > 0 else _BAD)
        lines.append(f'<text x="8" y="{top + 16}">{escape(bar.label)}</text>')
        lines.append(
            f'<rect x="{left:.1f}" y="{top + 4}" width="{width:.1f}" height="{_ROW - 8}" fill="{colour}"/>'
        )
        lines.append(f'<text x="{_LEFT + _WIDTH + 8}" y="{top + 16}">{bar.change:+.1f} bit</text>')
    return lines
