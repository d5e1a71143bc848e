"""Adaptive forgetting: a budget of synapses, kept by giving up those that were not used for longest."""

from neurosim.models.declare import Parameter
from neurosim.models.structural import StructuralRule

RULE = StructuralRule(
    name="forget_unused",
    summary="keeps the number or the memory of synapses below a limit: those unused for longest die",
    source="our own: a cache that forgets what was used least recently",
    parameters=(
        Parameter("at_most", float("inf"), "", "synapses that are kept", low=0.0),
        Parameter("memory", float("inf"), "", "bytes that they may take, with all that is kept of each", low=0.0),
    ),
    rank="-last_use",
    surplus="max(size - min(at_most, memory/bytes_per_synapse), 0)",
)
