"""Adaptive forgetting: a budget of synapses, kept by giving up the weakest."""

from neurosim.models.declare import Parameter
from neurosim.models.structural import StructuralRule

RULE = StructuralRule(
    name="forget_weak",
    summary="keeps the number or the memory of synapses below a limit: the weakest die",
    source="doi:10.1162/089976698300017124",  # Chechik, Meilijson & Ruppin 1998: pruning under a synaptic budget
    parameters=(
        Parameter("at_most", float("inf"), "", "synapses that are kept", low=0.0),
        Parameter("memory", float("inf"), "", "bytes that they may take, with all that is kept of each", low=0.0),
    ),
    rank="abs(weight)",
    surplus="max(size - min(at_most, memory/bytes_per_synapse), 0)",
)
