"""A critical period: young neurons that have stayed silent die, once they are old enough to be judged."""

from neurosim.models.declare import Parameter
from neurosim.models.structural import StructuralRule

# About half of the newborn cells of the dentate gyrus die within weeks, those that did not become active
# (Tashiro et al. 2006). Mature neurons are safe.
RULE = StructuralRule(
    name="critical_period",
    summary="neurons of a certain age die unless they are active",
    source="doi:10.1038/nature05028",
    parameters=(
        Parameter("age_from", 10_000.0, "ms", "age from which a neuron is judged", low=0.0),
        Parameter("age_to", 20_000.0, "ms", "age from which it is safe", low=0.0),
        Parameter("least_rate", 1.0, "Hz", "rate below which it dies", low=0.0),
        Parameter("tau_rate", 5_000.0, "ms", "time over which rates are taken", low=1e-6),
    ),
    equations="dactivity/dt = (spikes - activity)/tau_rate : Hz",
    die="age >= age_from and age < age_to and activity < least_rate",
    about_neurons=True,
)
