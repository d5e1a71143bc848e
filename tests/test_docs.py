"""What the documents show is run, so that it stays true."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def _blocks(name: str, language: str) -> list[str]:
    text = (ROOT / name).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


def test_readme_python_runs() -> None:
    (snippet,) = _blocks("README.md", "python")
    done = subprocess.run([sys.executable, "-c", snippet], capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr
    assert re.match(r"[1-9]\d* spikes; [1-9]\d* synapses; MultiDiGraph", done.stdout)


def test_the_complete_scenario_runs_as_it_says(tmp_path: Path) -> None:
    import neurosim as ns

    (complete,) = [block for block in _blocks("docs/scenarios.md", "yaml") if block.startswith("name:")]
    path = tmp_path / "small.yaml"
    path.write_text(complete, encoding="utf-8")
    result = ns.run(path, output=tmp_path / "small.nsim")
    assert result.spikes("exc")[0].size


def test_parts_of_scenarios_have_the_right_shape(tmp_path: Path) -> None:
    """The fragments of docs/scenarios.md, each put into the complete example."""
    from neurosim.scenario import load

    blocks = _blocks("docs/scenarios.md", "yaml")
    (complete,) = [block for block in blocks if block.startswith("name:")]
    (places,) = [block for block in blocks if "positions: {ball" in block]
    placed, replaced = re.subn(r"^populations:\n(?: .*\n)+", places, complete, flags=re.MULTILINE)
    assert replaced == 1
    for fragment in set(blocks) - {complete}:
        section = fragment.split(":")[0]
        path = tmp_path / f"{section}.yaml"
        text, replaced = re.subn(rf"^{section}:\n(?: .*\n)+", fragment, placed, flags=re.MULTILINE)
        if section == "structure":  # the complete example has none
            text, replaced = placed + fragment, 1
        assert replaced == 1
        path.write_text(text, encoding="utf-8")
        load(path)


def test_every_key_of_a_scenario_is_documented() -> None:
    """What `schema.py` knows stands in docs/scenarios.md, in backticks or in an example."""
    from neurosim.scenario import schema

    text = (ROOT / "docs/scenarios.md").read_text(encoding="utf-8")
    sections = [kind for kind in vars(schema).values() if isinstance(kind, type) and issubclass(kind, schema.Section)]
    keys = {info.alias or name for section in sections for name, info in section.model_fields.items()}
    missing = sorted(key for key in keys if not re.search(rf"(?<![\w-]){key}(?:`|:)", text))
    assert not missing


def test_every_kind_of_a_scenario_is_documented() -> None:
    """Models, learning rules, connectors, placements, kernels, distributions."""
    from neurosim.graph.connectors import connectors
    from neurosim.graph.distance_kernels import distance_kernels
    from neurosim.graph.distributions import KINDS
    from neurosim.graph.placement import placements
    from neurosim.models import neuron_models
    from neurosim.models.learning import learning_rules

    text = (ROOT / "docs/scenarios.md").read_text(encoding="utf-8")
    kinds = {*neuron_models(), *learning_rules(), *connectors(), *placements(), *distance_kernels()}
    kinds |= KINDS.keys() - {"constant"}
    assert not sorted(kind for kind in kinds if f"`{kind}" not in text)


def test_the_architecture_names_files_that_exist() -> None:
    """A path in backticks is that of a file or folder, seen from the root, from neurosim/ or from one of its rooms."""
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:[\w.]+/)*[\w.]+\.(?:py|yaml|toml)|(?:[\w.]+/)+)`", text)
    homes = [ROOT, ROOT / "neurosim", *(ROOT / "neurosim").glob("*/")]
    gone = [path for path in named if "NAME" not in path and not any((home / path).exists() for home in homes)]
    assert len(named) > 50
    assert not gone
