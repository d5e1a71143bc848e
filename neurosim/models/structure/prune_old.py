"""Pruning by age."""

from neurosim.models.declare import Parameter
from neurosim.models.structural import StructuralRule

# The two populations of spines of the adult cortex: young ones are transient, those that got strong persist.
RULE = StructuralRule(
    name="prune_old",
    summary="synapses that have grown old without having become strong die",
    source="doi:10.1038/nrn2699",  # Holtmaat & Svoboda 2009
    parameters=(
        Parameter("lifetime", 60_000.0, "ms", "age at which a synapse dies", low=0.0),
        Parameter("unless_above", float("inf"), "weight", "weight above which it is spared"),
    ),
    die="age >= lifetime and not (weight > unless_above)",
)
