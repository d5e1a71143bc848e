"""Growth where activity is: neurons that fire together are joined."""

from neurosim.models.declare import Parameter
from neurosim.models.structural import StructuralRule

# Random pairs are looked at, as axons and dendrites that happen to touch; each is joined with a probability that
# grows with the product of both rates, and is 1/2 where both fire at half_rate. The form, and its parameters, are ours.
RULE = StructuralRule(
    name="hebbian_growth",
    summary="neurons that are active at the same time are joined, the more likely the more active both are",
    source="our own form of activity-dependent synaptogenesis",
    parameters=(
        Parameter("contacts", 1.0, "Hz", "random pairs that each source neuron tries per second", low=0.0),
        Parameter("half_rate", 10.0, "Hz", "rate of both neurons at which half of the tries succeed", low=1e-9),
        Parameter("tau_rate", 100.0, "ms", "time over which rates are taken", low=1e-6),
    ),
    equations="drate/dt = (spikes - rate)/tau_rate : Hz",
    candidates="contacts*every*n_pre",
    accept="rate_pre*rate_post/(rate_pre*rate_post + half_rate**2)",
    multapses=False,
)
