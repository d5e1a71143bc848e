"""Homeostatic structural plasticity with a sigmoid growth curve: growth and retraction are bounded."""

from neurosim.models.declare import Parameter
from neurosim.models.structural import StructuralRule

# NEST's `sigmoid` (Diaz-Pier et al. 2016 use it beside the linear and the Gaussian curve): 1 for a silent neuron far
# below its target, 0 at the target, -1 far above it; `slope` is how many Hz it takes to get from one to the other.
_CURVE = "2/(1 + exp((calcium - target_rate)/slope)) - 1"

RULE = StructuralRule(
    name="homeostatic_growth_sigmoid",
    summary="homeostatic growth whose speed is the same far from the target, however far",
    source="doi:10.3389/fnana.2016.00057",
    parameters=(
        Parameter("target_rate", 5.0, "Hz", "rate at which a neuron neither grows nor retracts elements"),
        Parameter("slope", 1.0, "Hz", "width of the curve: half of growth_rate per slope at the target", low=1e-9),
        Parameter("growth_rate", 0.1, "Hz", "elements per second far below the target, on each side", low=0.0),
        Parameter("tau_calcium", 10_000.0, "ms", "time over which the rate is felt, by way of calcium", low=1e-6),
    ),
    equations=f"""
        dcalcium/dt = (spikes - calcium)/tau_calcium : Hz
        daxonal/dt = growth_rate*({_CURVE}) : 1 (pre)
        ddendritic/dt = growth_rate*({_CURVE}) : 1 (post)
    """,
    initial={"axonal": "out_degree", "dendritic": "in_degree"},
    offers_pre="axonal",
    offers_post="dendritic",
)
