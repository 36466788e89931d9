# Copyright (c) 2026 The Interlock authors
# SPDX-License-Identifier: BSL-1.0
"""Bars with spreads, as SVG that follows the reader's light or dark mode."""

import html

STYLE = """
  text { font: 12px sans-serif; fill: #222 }
  .title { font-size: 14px; font-weight: bold }
  .axis { stroke: #888; stroke-width: 1 }
  .bar { fill: #7a9cc6 } .ours { fill: #c46a3a }
  .spread { stroke: #222; stroke-width: 1.5 }
  @media (prefers-color-scheme: dark) {
    text { fill: #ddd } .spread { stroke: #ddd }
  }
"""

LEFT, RIGHT, BAR, GAP = 210, 560, 16, 5


def bars(title, groups):
    """GROUPS: a name, and its bars: a name, the median, and what lies around it. A line marks 1."""
    most = max(high for _, rows in groups for _, _, _, high in rows)
    scale = (RIGHT - LEFT) / max(most, 1.05)
    parts, y = [f'<text class="title" x="8" y="20">{html.escape(title)}</text>'], 34
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
    parts.append(f'<line class="axis" x1="{one:.1f}" y1="28" x2="{one:.1f}" y2="{y}" stroke-dasharray="3 3"/>')
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {RIGHT + 60} {y + 8}" role="img">\n'
            f'<title>{html.escape(title)}</title>\n<style>{STYLE}</style>\n' + "\n".join(parts) + "\n</svg>\n")
