"""Spike-timing dependent plasticity of triplets, which depends on the rate as synapses do."""

from neurosim.models.declare import Parameter
from neurosim.models.rules import LearningRule, SynapseVariable

# Pfister & Gerstner 2006, J Neurosci 26:9673, equations 3 and 4: at the target's spike w += x (A2+ + A3+ z), at an
# arrival w -= y (A2- + A3- q), with the slow traces z and q as they were just before. Defaults are those of the full
# model with all pairs for visual cortex (table 4), as fractions of the largest weight. There potentiation is the
# triplets' alone, so pairs at low rates only depress.
RULE = LearningRule(
    name="triplet_stdp",
    summary="triplet STDP: potentiation by arrival and two spikes, so it grows with the rate; all spikes count",
    source="doi:10.1523/JNEUROSCI.1425-06.2006",
    parameters=(
        Parameter("tau_plus", 16.8, "ms", "time constant of the fast trace of arrivals", low=1e-6),
        Parameter("tau_x", 101.0, "ms", "time constant of the slow trace of arrivals", low=1e-6),
        Parameter("tau_minus", 33.7, "ms", "time constant of the fast trace of the target's spikes", low=1e-6),
        Parameter("tau_y", 125.0, "ms", "time constant of the slow trace of the target's spikes", low=1e-6),
        Parameter("a2_plus", 5e-10, "", "potentiation by a pair without distance, as a fraction of w_max"),
        Parameter("a3_plus", 6.2e-3, "", "potentiation by a triplet of one arrival and two spikes, likewise"),
        Parameter("a2_minus", 7e-3, "", "depression by a pair without distance, as a fraction of w_max"),
        Parameter("a3_minus", 2.3e-4, "", "depression by a triplet of two arrivals and one spike, likewise"),
    ),
    equations="""
        dx/dt = -x/tau_plus : 1 (pre)
        dq/dt = -q/tau_x : 1 (pre)
        dy/dt = -y/tau_minus : 1 (post)
        dz/dt = -z/tau_y : 1 (post)
    """,
    on_arrival="weight -= w_max*y*(a2_minus + a3_minus*q)",
    on_post="weight += w_max*x*(a2_plus + a3_plus*z)",
    variables=(
        SynapseVariable("x", "1", "fast trace of arrivals"),
        SynapseVariable("q", "1", "slow trace of arrivals"),
        SynapseVariable("y", "1", "fast trace of the target's spikes"),
        SynapseVariable("z", "1", "slow trace of the target's spikes"),
    ),
)
