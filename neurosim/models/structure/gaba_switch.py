"""The switch of GABA: inhibition excites young neurons."""

from neurosim.models.declare import Parameter
from neurosim.models.structural import StructuralRule

# Chloride is high in young neurons, so the reversal potential of GABA lies above rest; it falls with maturation
# (Ge et al. 2006). For models with conductances and a reversal potential `e_inh`.
RULE = StructuralRule(
    name="gaba_switch",
    summary="the reversal potential of inhibition is depolarising in young neurons and falls with age",
    source="doi:10.1038/nature04404",
    parameters=(
        Parameter("young", -45.0, "mV", "reversal potential of inhibition at birth"),
        Parameter("mature", -80.0, "mV", "that of mature neurons"),
        Parameter("switch", 20_000.0, "ms", "age at which it is half-way"),
        Parameter("width", 3_000.0, "ms", "time that the switch takes", low=1e-6),
    ),
    update="e_inh = mature + (young - mature)/(1 + exp((age - switch)/width))",
)
