"""Weights of conductance receptors: inhibition is a positive weight onto ``inh``, never a negative conductance."""

from __future__ import annotations

from typing import Any

import pytest

import neurosim as ns


@pytest.mark.parametrize("model", ["lif_cond_exp", "lif_cond_alpha", "hh_cond_exp", "wang_buzsaki"])
@pytest.mark.parametrize(("weight", "receptor"), [(-5.0, None), (-5.0, "inh"), (ns.uniform(-1.0, 2.0), "exc")])
def test_a_negative_conductance_is_refused_with_a_word(model: str, weight: Any, receptor: str | None) -> None:
    net = ns.Network()
    source, target = net.add_population("source", 2, "poisson"), net.add_population("target", 2, model)
    with pytest.raises(ns.UsageError, match=r"conductances \(nS\), which are never negative"):
        net.connect(source, target, "all_to_all", weight=weight, receptor=receptor)
    assert not net.projections


def test_inhibition_is_a_positive_weight() -> None:
    net = ns.Network()
    source, target = net.add_population("source", 2, "poisson"), net.add_population("target", 2, "lif_cond_exp")
    assert net.connect(source, target, "all_to_all", weight=5.0, receptor="inh").receptor == "inh"
    assert net.connect(source, target, "all_to_all", weight=5.0).receptor == "exc"


def test_a_parameter_may_be_written_in_a_unit_that_begins_with_one() -> None:
    model = ns.models.from_equations("dv/dt = -a*v : mV", parameters={"a": "0.02 1/ms"})
    assert (model.parameters[0].default, model.parameters[0].unit) == (0.02, "1/ms")
