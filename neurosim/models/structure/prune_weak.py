"""Pruning of weak synapses."""

from neurosim.models.declare import Parameter
from neurosim.models.structural import StructuralRule

# Minimal-value deletion: with a bound on the number of synapses, deleting the weakest keeps a memory best.
RULE = StructuralRule(
    name="prune_weak",
    summary="synapses that stay weaker than a bound for a while die",
    source="doi:10.1162/089976698300017124",  # Chechik, Meilijson & Ruppin 1998
    parameters=(
        Parameter("below", 0.0, "weight", "weight below which a synapse is weak"),
        Parameter("lasting", 0.0, "ms", "how long (`for`) it must have been weak, whenever the rule looked", low=0.0),
    ),
    die="weight < below",
    lasting="lasting",
)
