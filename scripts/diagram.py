"""Draw docs/architecture.svg: the layers in pyproject.toml, and the first sentence of each module.

    python scripts/diagram.py

`make diagram` runs it; a test compares the picture with what this draws.
"""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs" / "architecture.svg"

WIDTH = 880
MARGIN = 20
BAND_LEFT = 50
NAME_LEFT = 64
SENTENCE_LEFT = 220
HEAD_HEIGHT = 64
ROW_HEIGHT = 22
BAND_PADDING = 7
BAND_GAP = 10
LONGEST_SENTENCE = 90

TITLE = "Modules of the portal and the direction of imports"
DESCRIPTION = (
    "Layers from top to bottom. A module may import modules of the layers below its own, and none "
    "beside or above it. The simulator stands apart: it and the portal import nothing of each "
    "other. The layers, from the top:"
)
STYLE = """
  svg { color-scheme: light dark; }
  text { font-family: system-ui, sans-serif; font-size: 13px; fill: #24292f; }
  .title { font-size: 16px; font-weight: 600; }
  .name { font-family: ui-monospace, monospace; font-weight: 600; }
  .page { fill: #ffffff; }
  .band { fill: #eef3fa; stroke: #9db2cf; }
  .apart { fill: #f6f3ea; stroke: #c2b280; stroke-dasharray: 5 3; }
  .arrow { stroke: #57606a; stroke-width: 2; fill: none; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .page { fill: #0d1117; }
    .band { fill: #17202d; stroke: #3d5475; }
    .apart { fill: #221f16; stroke: #6b6040; }
    .arrow { stroke: #9198a1; }
  }
"""


@dataclass(frozen=True, slots=True)
class Module:
    name: str
    sentence: str


Layers = list[list[Module]]


def read_layers() -> Layers:
    """The layers of the import contract, from the top; each with its modules.

    Raises ValueError for a module whose docstring tells too little or too much for one line.
    """
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contracts = settings["tool"]["importlinter"]["contracts"]
    layers = next(each["layers"] for each in contracts if each["type"] == "layers")
    return [
        [_read_module(ROOT / "portal", name.strip()) for name in layer.split("|")]
        for layer in layers
    ]


def draw(layers: Layers) -> str:
    """The text of the SVG file."""
    bands = [*layers, [_read_module(ROOT, "tactical_simulator")]]
    heights = [2 * BAND_PADDING + ROW_HEIGHT * len(band) for band in bands]
    bottom = HEAD_HEIGHT + sum(heights) + BAND_GAP * len(bands) + MARGIN
    lines = [*_draw_head(layers, bottom), *_draw_arrow(HEAD_HEIGHT, bottom - heights[-1] - 40)]
    top = HEAD_HEIGHT
    for band, height in zip(bands, heights, strict=True):
        is_apart = band is bands[-1]
        top += BAND_GAP if is_apart else 0
        lines += _draw_band(band, top, height, "apart" if is_apart else "band")
        top += height + BAND_GAP
    return "\n".join([*lines, "</svg>", ""])


def _read_module(folder: Path, name: str) -> Module:
    file = folder / f"{name}.py"
    source = file if file.exists() else folder / name / "__init__.py"
    text = " ".join((ast.get_docstring(ast.parse(source.read_text())) or "").split())
    sentence = text.split(". ")[0].removesuffix(".").replace("`", "")
    if not 0 < len(sentence) <= LONGEST_SENTENCE:
        raise ValueError(
            f"{source.relative_to(ROOT)} needs a docstring whose first sentence has at most "
            f"{LONGEST_SENTENCE} characters."
        )
    return Module(name, sentence)


def _draw_head(layers: Layers, height: int) -> Iterator[str]:
    listed = "; ".join(", ".join(module.name for module in layer) for layer in layers)
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}" role="img" aria-labelledby="title desc">'
    )
    yield f'<title id="title">{escape(TITLE)}</title>'
    yield f'<desc id="desc">{escape(f"{DESCRIPTION} {listed}.")}</desc>'
    yield f"<style>{STYLE}</style>"
    yield f'<rect class="page" width="{WIDTH}" height="{height}" rx="8"/>'
    yield _draw_text(MARGIN, 28, "portal/", "title")
    yield _draw_text(MARGIN, 48, "A module may import what stands in a layer below its own.")


def _draw_arrow(top: int, bottom: int) -> Iterator[str]:
    middle = (MARGIN + BAND_LEFT) // 2
    yield f'<path class="arrow" d="M {middle} {top} V {bottom} m -6 -9 l 6 9 l 6 -9"/>'


def _draw_band(modules: list[Module], top: int, height: int, kind: str) -> Iterator[str]:
    width = WIDTH - BAND_LEFT - MARGIN
    yield (
        f'<rect class="{kind}" x="{BAND_LEFT}" y="{top}" width="{width}" height="{height}" rx="6"/>'
    )
    for number, module in enumerate(modules):
        baseline = top + BAND_PADDING + ROW_HEIGHT * number + 15
        yield _draw_text(NAME_LEFT, baseline, module.name, "name")
        yield _draw_text(SENTENCE_LEFT, baseline, module.sentence)


def _draw_text(left: int, baseline: int, text: str, kind: str = "") -> str:
    attribute = f' class="{kind}"' if kind else ""
    return f'<text{attribute} x="{left}" y="{baseline}">{escape(text)}</text>'


if __name__ == "__main__":
    PICTURE.write_text(draw(read_layers()))
