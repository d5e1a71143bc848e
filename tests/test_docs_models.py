"""What the pages about models and learning rules show runs, and the gallery is complete."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from neurosim.models import neuron_models
from neurosim.models.learning import learning_rules
from neurosim.models.structure import structural_rules

ROOT = Path(__file__).parent.parent
PAGES = ("models.md", "learning.md", "structure.md", "gallery.md")


def _text(page: str) -> str:
    return (ROOT / "docs" / page).read_text(encoding="utf-8")


def _blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", _text(page), flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", ["models.md", "learning.md", "structure.md"])
def test_python_runs(page: str) -> None:
    snippets = _blocks(page, "python")
    assert snippets
    done = subprocess.run([sys.executable, "-c", "\n".join(snippets)], capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr


def test_the_model_in_place_is_a_scenario(tmp_path: Path) -> None:
    from neurosim.scenario import load

    (block,) = _blocks("models.md", "yaml")
    path = tmp_path / "own.yaml"
    path.write_text(block, encoding="utf-8")
    load(path)


def test_the_scenario_of_structural_rules_runs(tmp_path: Path) -> None:
    from neurosim.scenario import run

    path = tmp_path / "alive.yaml"
    path.write_text(_blocks("structure.md", "yaml")[0], encoding="utf-8")
    result = run(path, tmp_path / "alive.nsim")
    assert [one["status"] for one in result.summary["expect"]] == ["held", "held"]


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    for link, anchor in re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", _text(page)):
        target = ROOT / "docs" / (link or page)
        assert target.exists(), link
        if anchor:
            headings = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), flags=re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", h).strip().lower().replace(" ", "-") for h in headings}


def test_methods_and_events_are_documented() -> None:
    from neurosim.models.dynamics import METHODS
    from neurosim.models.rules import EVENTS

    assert all(f"`{method}`" in _text("models.md") for method in METHODS)
    assert all(f"`{event}`" in _text("learning.md") for event in (*EVENTS, "transmit", "period", "modulator"))


def test_clauses_and_options_are_documented() -> None:
    from neurosim.models.structural import ALIASES, CLAUSES, FOR_NEURONS, FOR_SYNAPSES

    words = set(re.findall(r"`(\w+)`", _text("structure.md")))
    assert not sorted({*CLAUSES, *ALIASES, *FOR_NEURONS, *FOR_SYNAPSES} - words)


def test_functions_are_documented() -> None:
    from neurosim.expressions import BUILTINS

    words = set(re.findall(r"\w+", _text("models.md")))
    assert not sorted(set(BUILTINS) - words)


def test_the_gallery_shows_everything_and_nothing_else() -> None:
    wanted = {f"images/models/{name}.png" for name in neuron_models()}
    wanted |= {f"images/learning/{name}.png" for name in learning_rules()}
    wanted |= {f"images/structure/{name}.png" for name in structural_rules()}
    assert set(re.findall(r"\]\((images/[^)]*)\)", _text("gallery.md"))) == wanted
    here = {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs/images").glob("*/*.png")}
    assert {path for path in here if path.split("/")[1] in ("models", "learning", "structure")} == wanted
    for path in wanted:
        content = (ROOT / "docs" / path).read_bytes()
        assert content.startswith(b"\x89PNG")
        assert len(content) < 60_000, path
