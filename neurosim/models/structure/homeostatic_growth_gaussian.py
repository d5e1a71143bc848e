"""Homeostatic structural plasticity with a Gaussian growth curve: silent neurons do not grow."""

from neurosim.models.declare import Parameter
from neurosim.models.structural import StructuralRule

# Butz & van Ooyen 2013; NEST's `gaussian`, with the defaults of its example structural_plasticity. The curve is
# growth_rate half-way between its zeros, least_rate and target_rate, and -growth_rate far outside. That fixes its
# width: 2·exp(-((rate - middle)/zeta)²) - 1 is 0 at the zeros for zeta = (target - least)/(2·sqrt(ln 2)). (NEST's
# documentation multiplies by the root where its code, and this, divide by it.)
_CURVE = "2*exp(-log(2)*((2*calcium - least_rate - target_rate)/(target_rate - least_rate))**2) - 1"

RULE = StructuralRule(
    name="homeostatic_growth_gaussian",
    summary="homeostatic growth where elements grow between a least rate and the target, and retract outside",
    source="doi:10.1371/journal.pcbi.1003259",
    parameters=(
        Parameter("target_rate", 5.0, "Hz", "upper rate at which elements neither grow nor retract"),
        Parameter("least_rate", 0.0, "Hz", "lower rate at which elements neither grow nor retract"),
        Parameter("growth_rate", 0.1, "Hz", "elements per second at the height of the curve, on each side", low=0.0),
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
