"""Whatever a user calls the symbols of a rule, kernels keep them apart from their own names."""

from __future__ import annotations

import ast

import numpy as np
import pytest
from numpy.typing import NDArray

import neurosim as ns
from neurosim.engine.learning.base import FIELDS
from neurosim.engine.learning.events import Events
from neurosim.engine.learning.generate import module_source
from neurosim.graph.precision import SINGLE
from neurosim.graph.rule_names import _DERIVED, _RESERVED, named

BOUNDS = {"weight": (0.0, 10.0), "delay": (0.1, 10.0)}


@pytest.mark.parametrize("name", sorted(ns.learning.learning_rules()))
def test_kernels_use_no_names_but_those_set_aside(name: str) -> None:
    rule = ns.learning.rule(name).bind("mV", BOUNDS, {"v": "mV"}, {"v": "mV"})
    own = named([rule])
    symbols = {*own[0].names.values(), *(f"{s.target}_1" for code in rule.events.values() for s in code)}
    symbols |= {"v_post"} if name == "clopath" else set()
    for learns_delay in {rule.writes_delay, True}:
        tree = ast.parse(module_source(Events(own, SINGLE, learns_delay, True)))
        functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
        used = {node.id for one in functions for node in ast.walk(one) if isinstance(node, ast.Name)}
        used |= {one.name for one in functions} | {a.arg for one in functions for a in one.args.args}
        assert {one for one in used - symbols - _RESERVED if not _DERIVED.search(one)} == set()


def test_records_have_no_fields_but_those_set_aside() -> None:
    assert {name for name, _ in FIELDS} <= _RESERVED


def _weights(tau: str, amount: str, pre: str, post: str) -> NDArray[np.float64]:
    """Weights that come out where a rule calls its symbols so."""
    rule = ns.learning.from_code(
        equations=f"d{pre}/dt = -{pre}/{tau} : 1 (pre)\nd{post}/dt = -{post}/{tau} : 1 (post)",
        parameters={tau: "20 ms", amount: "0.5 mV"},
        on_arrival=f"weight -= {amount}*{post}", on_post=f"weight += {amount}*{pre}",
    )  # fmt: skip
    network = ns.Network(seed=1)
    source = network.add_population("source", 20, ns.models.poisson(rate=50.0))
    target = network.add_population("target", 20, ns.models.lif_delta)
    learned = network.connect(
        source, target, "all_to_all", weight=2.0, delay="uniform(1 ms, 5 ms)", learning=[rule()], bounds=BOUNDS
    )
    simulation = ns.Simulation(network, dt=1.0)
    simulation.run(300.0)
    assert simulation._plan is not None
    assert simulation._plan.learning[learned.name].incoming is not None  # else half of the kernels are not tried
    return np.asarray(learned.weight[learned.ids])


@pytest.mark.parametrize("names", [
    ("queue", "starts", "heads", "delays"), ("x_rate", "y_gone", "x", "y"), ("NEVER", "when", "shown_x", "x"),
])  # fmt: skip
def test_any_name_will_do(names: tuple[str, str, str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("neurosim.engine.learning.incoming._PATIENCE", 0)
    weights = _weights("tau", "a", "p", "q")
    assert np.ptp(weights) > 1.0
    np.testing.assert_array_equal(_weights(*names), weights)
