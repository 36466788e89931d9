# Copyright (c) 2026 The Interlock authors
# SPDX-License-Identifier: BSL-1.0
"""Bars with spreads, as SVG without colours, to be a part of a page, whose style sheet has the colours."""

import html

LEFT, RIGHT, BAR, GAP = 210, 560, 16, 5


def bars(title, groups):
    """GROUPS: a name, and its bars: a name, the median, and what lies around it. A line marks 1."""
    most = max(high for _, rows in groups for _, _, _, high in rows)
    scale = (RIGHT - LEFT) / max(most, 1.05)
    parts, y = [f'<text x="8" y="20" font-size="14" font-weight="bold">{html.escape(title)}</text>'], 34
    for name, rows in groups:
        parts.append(f'<text x="8" y="{y + 12}" font-weight="bold">{html.escape(name)}</text>')
        y += BAR + GAP
        for label, median, low, high in rows:
            kind = "bar ours" if label.startswith("Interlock") else "bar"
            middle = y + BAR / 2
            parts += [
                f'<text x="{LEFT - 8}" y="{y + 12}" text-anchor="end">{html.escape(label)}</text>',
                f'<rect class="{kind}" x="{LEFT}" y="{y}" width="{median * scale:.1f}" height="{BAR}"/>',
                f'<line class="spread" x1="{LEFT + low * scale:.1f}" y1="{middle}" x2="{LEFT + high * scale:.1f}" '
                f'y2="{middle}"/>',
                f'<text x="{LEFT + high * scale + 6:.1f}" y="{y + 12}">{median:.2f}</text>']
            y += BAR + GAP
        y += GAP
    one = LEFT + scale
    parts.append(f'<line class="life" x1="{one:.1f}" y1="28" x2="{one:.1f}" y2="{y}"/>')
    width, height = RIGHT + 60, y + 8
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
            f'font-size="12" aria-label="{html.escape(title)}">\n' + "\n".join(parts) + "\n</svg>\n")
