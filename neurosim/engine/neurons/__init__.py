"""Kernels of the neuron models, generated from their declarations.

A kernel advances the neurons of one tile through the steps of an epoch; it is called as
``kernel(record, first_step, n_steps, lo, hi, shard, parity)`` for slots ``lo … hi`` of one shard.

``constants``    what a kernel need not compute in its loop
``integrators``  the lines for one step, by the method of the model
``generate``     the whole module; ``code`` shows it
``propagators``  exact steps of linear systems, as numbers
``lower``        a population's part of the record: its constants, from its parameters as they are now
``draws``        random numbers

``spike_list`` is written by hand: it has no equations.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from neurosim.engine.neurons import spike_list
from neurosim.engine.neurons.generate import code
from neurosim.engine.neurons.lower import lower as _lower
from neurosim.graph.population import Population

__all__ = ["code", "lower"]


def lower(population: Population, dt: float) -> tuple[ModuleType, dict[str, Any]]:
    """What runs a population (``KERNEL``, ``RECORD``), and the fields of the record that the model computes."""
    if population.model.times:
        return spike_list, spike_list.lower(population, dt)
    return _lower(population, dt)

