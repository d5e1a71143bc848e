"""Neurogenesis: neurons are born at a constant rate."""

from neurosim.models.declare import Parameter
from neurosim.models.structural import StructuralRule

# Where they lie and how they are wired is said beside it: `place`, `wire`. How they mature, and which of them
# survive, is for other rules to say (maturation, critical_period).
RULE = StructuralRule(
    name="neurogenesis",
    summary="neurons are born at a constant rate, up to a number",
    source="doi:10.1016/j.neuron.2008.11.026",  # Aimone et al. 2009
    parameters=(
        Parameter("rate", 1.0, "Hz", "births per second", low=0.0),
        Parameter("at_most", float("inf"), "", "size of the population at which none are born", low=0.0),
    ),
    births="min(rate*every, max(at_most - size, 0))",
    about_neurons=True,
)
