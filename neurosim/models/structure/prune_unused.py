"""Pruning of synapses that are not used."""

from neurosim.models.declare import Parameter
from neurosim.models.structural import StructuralRule

# A synapse is used when its source fires. A newborn is given as long as all others to be used for the first time.
RULE = StructuralRule(
    name="prune_unused",
    summary="synapses through which no spike has gone for a while die",
    source="Iglesias, Eriksson, Grize, Tomassini & Villa 2005, BioSystems 79:11",
    parameters=(Parameter("idle", 10_000.0, "ms", "time without a spike after which a synapse dies", low=0.0),),
    die="last_use >= idle",
)
