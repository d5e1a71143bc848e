"""Maturation: young neurons are more excitable than old ones."""

from neurosim.models.declare import Parameter
from neurosim.models.structural import StructuralRule

# Young granule cells of the dentate gyrus fire easily and are broadly tuned; within weeks they become as quiet as the
# others (Aimone et al. 2009). For models with a threshold `v_th`, which each neuron then has of its own.
RULE = StructuralRule(
    name="maturation",
    summary="the threshold of a newborn is low, and rises with age to that of mature neurons",
    source="doi:10.1016/j.neuron.2008.11.026",
    parameters=(
        Parameter("threshold", 20.0, "mV", "threshold of mature neurons"),
        Parameter("excitability", 5.0, "mV", "by how much it is lower at birth", low=0.0),
        Parameter("tau", 10_000.0, "ms", "age at which a third (1/e) of that is left", low=1e-6),
    ),
    update="v_th = threshold - excitability*exp(-age/tau)",
)
