"""Spike-timing dependent plasticity of pairs whose steps depend on the weight, between additive and multiplicative."""

from neurosim.models.declare import Parameter
from neurosim.models.rules import LearningRule, SynapseVariable

# Gütig, Aharonov, Rotter & Sompolinsky 2003, J Neurosci 23:3697, eq. 2-3: steps go with (1 - w)^mu and w^mu, w in
# units of w_max. mu_plus = mu_minus = 1 (the default here) is multiplicative as in Rubin, Lee & Sompolinsky 2001;
# 0 and 0 is additive; mu_plus = 0, mu_minus = 1 is that of van Rossum, Bi & Turrigiano 2000
# (doi:10.1523/JNEUROSCI.20-23-08821.2000), where potentiation does not depend on the weight. Step and asymmetry are
# those of Gütig et al. A weight that stands a rounding beyond its bound must not become the root of a negative number.
RULE = LearningRule(
    name="stdp_multiplicative",
    summary="pair STDP with soft bounds: steps shrink towards 0 and the largest weight; all pairs count",
    source="doi:10.1523/JNEUROSCI.23-09-03697.2003",
    parameters=(
        Parameter("tau_plus", 20.0, "ms", "time constant of potentiation (arrival before spike)", low=1e-6),
        Parameter("tau_minus", 20.0, "ms", "time constant of depression (spike before arrival)", low=1e-6),
        Parameter("a_plus", 0.005, "", "potentiation of a weight of 0 by a pair, as a fraction of w_max"),
        Parameter("a_minus", 0.00525, "", "depression of the largest weight by a pair, as a fraction of w_max"),
        Parameter("mu_plus", 1.0, "", "how potentiation depends on the room above: 0 not at all, 1 linearly", low=0.0),
        Parameter("mu_minus", 1.0, "", "how depression depends on the weight: 0 not at all, 1 linearly", low=0.0),
    ),
    equations="""
        dx/dt = -x/tau_plus : 1 (pre)
        dy/dt = -y/tau_minus : 1 (post)
    """,
    on_arrival="weight -= a_minus*w_max*max(weight/w_max, 0)**mu_minus*y",
    on_post="weight += a_plus*w_max*max(1 - weight/w_max, 0)**mu_plus*x",
    variables=(
        SynapseVariable("x", "1", "trace of arrivals"),
        SynapseVariable("y", "1", "trace of the target's spikes"),
    ),
)
