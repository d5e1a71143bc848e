"""Homeostatic structural plasticity: neurons grow and retract synaptic elements until they fire at a target rate."""

from neurosim.models.declare import Parameter
from neurosim.models.structural import StructuralRule

# Butz & van Ooyen 2013, with the linear curve; defaults are those of Gallinaro & Rotter 2018 (calcium there is in
# units of the rate, too). Elements grow while the neuron fires less than its target, and retract while it fires more.
RULE = StructuralRule(
    name="homeostatic_growth",
    summary="neurons grow synaptic elements, which join at random, until they fire at their target rate",
    source="doi:10.1038/s41598-018-22077-3",
    parameters=(
        Parameter("target_rate", 8.0, "Hz", "rate at which a neuron neither grows nor retracts elements", low=1e-9),
        Parameter("growth_rate", 4.0, "Hz", "elements that a silent neuron grows per second, on each side", low=0.0),
        Parameter("tau_calcium", 1000.0, "ms", "time over which the rate is felt, by way of calcium", low=1e-6),
    ),
    equations="""
        dcalcium/dt = (spikes - calcium)/tau_calcium : Hz
        daxonal/dt = growth_rate*(1 - calcium/target_rate) : 1 (pre)
        ddendritic/dt = growth_rate*(1 - calcium/target_rate) : 1 (post)
    """,
    initial={"axonal": "out_degree", "dendritic": "in_degree"},
    offers_pre="axonal",
    offers_post="dendritic",
)
