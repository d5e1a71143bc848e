"""Spike-timing dependent plasticity with power-law potentiation, which keeps weights unimodal without bounds."""

from neurosim.models.declare import Parameter
from neurosim.models.rules import LearningRule, SynapseVariable

# Morrison, Aertsen & Diesmann 2007, Neural Comput 19:1437: potentiation by lambda w_0^(1-mu) w^mu x, depression by
# lambda alpha w y. mu = 0.4 is their fit to experiments; rate, alpha and w_0 are the defaults of NEST's
# stdp_pl_synapse_hom (in their network alpha sets the equilibrium weight).
RULE = LearningRule(
    name="stdp_power_law",
    summary="pair STDP, potentiation with a power of the weight, depression proportional to it; all pairs count",
    source="doi:10.1162/neco.2007.19.6.1437",
    parameters=(
        Parameter("tau_plus", 20.0, "ms", "time constant of potentiation (arrival before spike)", low=1e-6),
        Parameter("tau_minus", 20.0, "ms", "time constant of depression (spike before arrival)", low=1e-6),
        Parameter("rate", 0.1, "", "learning rate (lambda)", low=0.0),
        Parameter("alpha", 1.0, "", "depression relative to potentiation at the reference weight", low=0.0),
        Parameter("mu", 0.4, "", "power of the weight in potentiation", low=0.0),
        Parameter("w_0", 1.0, "weight", "reference weight", low=1e-12),
    ),
    equations="""
        dx/dt = -x/tau_plus : 1 (pre)
        dy/dt = -y/tau_minus : 1 (post)
    """,
    on_arrival="weight -= rate*alpha*weight*y",
    on_post="weight += rate*w_0*max(weight/w_0, 0)**mu*x",
    variables=(
        SynapseVariable("x", "1", "trace of arrivals"),
        SynapseVariable("y", "1", "trace of the target's spikes"),
    ),
)
