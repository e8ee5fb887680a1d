# SPDX-License-Identifier: Apache-2.0
"""What the pictures of the documentation share: SVG that is readable on light and dark pages.

Every picture has a ground of its own and two sets of colours, of which the reader's browser takes
one. It has a title and a description for those who do not see it, loads nothing, and contains no
time, so that the same facts give the same bytes.
"""

import html

SANS = "system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif"
MONOSPACE = "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace"

# Each class, with its colours on light and on dark pages.
COLOURS = {
    "ground": ("#ffffff", "#161b22"),
    "edge": ("#d0d7de", "#3d444d"),
    "text": ("#1f2328", "#e6edf3"),
    "quiet": ("#59636e", "#9ea7b3"),
    "box": ("#eef4fb", "#1f2a3a"),
    "inside": ("#eaf6ec", "#1b2b20"),
    "accent": ("#0969da", "#4493f8"),
    "other": ("#8c959f", "#768390"),
    "floor": ("#c5ccd3", "#4a525c"),
}


def escaped(text):
    return html.escape(str(text), quote=True)


class Picture:
    """A picture, to which shapes are added from back to front."""

    def __init__(self, width, height, title, description, font=SANS):
        self.width, self.height = width, height
        self.title, self.description, self.font = title, description, font
        self.shapes = []
        self.rectangle(0.5, 0.5, width - 1, height - 1, "ground", radius=8)

    def rectangle(self, x, y, width, height, colour, edge="edge", radius=6, dashed=False):
        stroke = f" e-{edge}" if edge else ""
        dash = ' stroke-dasharray="5 4"' if dashed else ""
        self.shapes.append(
            f'<rect class="f-{colour}{stroke}" x="{x:g}" y="{y:g}" width="{width:g}"'
            f' height="{height:g}" rx="{radius}"{dash}/>')

    def text(self, x, y, text, colour="text", size=13, anchor="start", bold=False, width=None):
        """A line of text. With `width` it is stretched to that, whatever the font."""
        extra = ' font-weight="600"' if bold else ""
        extra += f' text-anchor="{anchor}"' if anchor != "start" else ""
        extra += f' textLength="{width:g}" lengthAdjust="spacingAndGlyphs"' if width else ""
        self.shapes.append(
            f'<text class="f-{colour}" x="{x:g}" y="{y:g}" font-size="{size}"{extra}'
            f' xml:space="preserve">{escaped(text)}</text>')

    def arrow(self, points, dashed=False, head=True):
        path = "M" + "L".join(f"{x:g} {y:g}" for x, y in points)
        extra = ' stroke-dasharray="4 4"' if dashed else ""
        extra += ' marker-end="url(#head)"' if head else ""
        self.shapes.append(f'<path class="line" d="{path}"{extra}/>')

    def __str__(self):
        def rules(which):
            for name, colours in COLOURS.items():
                if any(f"f-{name}" in shape for shape in self.shapes):
                    yield f".f-{name}{{fill:{colours[which]}}}"
                if any(f"e-{name}" in shape for shape in self.shapes):
                    yield f".e-{name}{{stroke:{colours[which]}}}"
            if any('class="line"' in shape for shape in self.shapes):
                yield f".line{{stroke:{COLOURS['quiet'][which]};fill:none}}"
                yield f"#head{{fill:{COLOURS['quiet'][which]}}}"

        marker = (
            '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7"'
            ' markerHeight="7" orient="auto-start-reverse"><path d="M0 0L8 4L0 8z"/></marker></defs>')
        lines = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}"'
            f' width="{self.width}" height="{self.height}" role="img"'
            f' aria-labelledby="title description" font-family="{self.font}">',
            f'<title id="title">{escaped(self.title)}</title>',
            f'<desc id="description">{escaped(self.description)}</desc>',
            f"<style>{''.join(rules(0))}",
            f"@media(prefers-color-scheme:dark){{{''.join(rules(1))}}}</style>",
            *([marker] if any("#head" in shape for shape in self.shapes) else []),
            *self.shapes,
            "</svg>",
        ]
        return "\n".join(lines) + "\n"
