"""Deep rewiring: synapses whose weight has fallen to 0 move elsewhere; their number stays the same."""

from neurosim.models.declare import Parameter
from neurosim.models.structural import StructuralRule

# Bellec, Kappel, Maass & Legenstein 2018 (DEEP R). There a parameter theta >= 0 follows a gradient and noise; where it
# falls below 0 the connection is dormant, and another one wakes with theta = 0. Here a learning rule moves the weight,
# whatever it learns from, and bounds keep it at 0 or above. Newborns get the projection's weight unless told otherwise.
RULE = StructuralRule(
    name="deep_rewiring",
    summary="synapses that have become as weak as can be die, and as many are born between random neurons",
    source="arXiv:1711.05136",
    parameters=(Parameter("least", 0.0, "weight", "weight at or below which a synapse is given up"),),
    die="weight <= least",
    births="deaths",
    multapses=False,
)
