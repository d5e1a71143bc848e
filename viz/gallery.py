"""All pictures of models and rules, and the page that shows them: ``python -m neurosim.viz.gallery [DOCS]``.

Writes ``DOCS/images/KIND/NAME.png`` (models, learning, structure) and ``DOCS/gallery.md`` (default: ``docs``).
"""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from neurosim.viz import models, rules, structural_rules
from neurosim.viz.style import DPI, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from neurosim.models import NeuronModel
    from neurosim.models.rules import LearningRule
    from neurosim.models.structural import StructuralRule

_COLOURS = 64  # that a picture of lines needs; it makes files a third as large

_HEAD = """\
# Gallery

What every model and rule of the library does, found out by running it. `neurosim models NAME --picture FILE.png` \
draws one, `make gallery` draws them all and writes this page. How to write your own: [models](models.md), \
[learning rules](learning.md), [structural rules](structure.md).

A **neuron model** is shown with a step of current (what else it remembers stands below the potential), with its \
firing rate over the current, and with what one spike does at each of its receptors. A **source** is shown with what \
it sends. All parameters have their defaults.
"""
_LEARNING = """\
## Learning rules

A rule for **pairs** is shown with the change by one pair, over the time from the arrival of the presynaptic spike to \
the spike of the target; over the weight that there was; and with the change by 60 pairs, over their rate. \
**Short-term plasticity** is shown with what the spikes of a train transmit. A rule that acts **periodically** is \
shown with what becomes of weights that something else has moved.
"""
_STRUCTURE = """\
## Structural rules

Each acts, every 100 ms if it does not say otherwise, in a network of 100 neurons that fire at different rates, with \
parameters by which it shows within a minute what it does: how many there are, were born and died; who was there at \
the beginning and who at the end; and how fast elements grow, or how many of the first are left, or how active the \
network is. Rules of **maturation** are shown with what they set, over the age of a neuron.
"""


def main(docs: Path) -> None:
    """Draw all pictures and write the page."""
    from neurosim.models import neuron_models
    from neurosim.models.learning import learning_rules
    from neurosim.models.structure import structural_rules as library

    page = [_HEAD, "## Neuron models\n"]
    for model in neuron_models().values():
        page.append(_entry(docs, "models", model, models.draw(model())))
    page.append(_LEARNING)
    for rule in learning_rules().values():
        page.append(_entry(docs, "learning", rule, rules.draw(rule())))
    page.append(_STRUCTURE)
    for structural in library().values():
        page.append(_entry(docs, "structure", structural, structural_rules.draw(structural)))
    (docs / "gallery.md").write_text("\n".join(page), encoding="utf-8")


def _entry(docs: Path, kind: str, declared: NeuronModel | LearningRule | StructuralRule, figure: Figure) -> str:
    """Write one picture, and return its part of the page."""
    path = docs / "images" / kind / f"{declared.name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(small_png(figure))
    click.echo(f"{path}  {path.stat().st_size / 1e3:.0f} kB")
    return f"### {declared.name}\n\n![{declared.summary}](images/{kind}/{declared.name}.png)\n"


def small_png(figure: Figure) -> bytes:
    """A figure as a PNG with few colours."""
    from PIL import Image

    drawn, small = io.BytesIO(), io.BytesIO()
    with styled():
        figure.savefig(drawn, format="png", dpi=DPI)
    image = Image.open(drawn).convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE)
    image.save(small, format="png", optimize=True)
    return small.getvalue()


if __name__ == "__main__":
    if len(sys.argv) > 2 or not (folder := Path(*sys.argv[1:] or ["docs"])).is_dir():
        raise SystemExit("usage: python -m neurosim.viz.gallery [DOCS], an existing folder")
    main(folder)
