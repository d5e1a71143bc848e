"""Spike-timing dependent plasticity of nearest neighbours, symmetric."""

from neurosim.models.declare import Parameter
from neurosim.models.rules import LearningRule, SynapseVariable

# Morrison, Diesmann & Gerstner 2008, Biol Cybern 98:459, fig. 7A: each arrival pairs with the last spike of the
# target, each spike of the target with the last arrival. Amplitudes as in `stdp` (Song, Miller & Abbott 2000).
RULE = LearningRule(
    name="stdp_nearest",
    summary="pair STDP, additive; each spike pairs with the last one of the other side",
    source="doi:10.1007/s00422-008-0233-1",
    parameters=(
        Parameter("tau_plus", 20.0, "ms", "time constant of potentiation (arrival before spike)", low=1e-6),
        Parameter("tau_minus", 20.0, "ms", "time constant of depression (spike before arrival)", low=1e-6),
        Parameter("a_plus", 0.005, "", "potentiation by a pair without distance, as a fraction of w_max"),
        Parameter("a_minus", 0.00525, "", "depression by a pair without distance, as a fraction of w_max"),
    ),
    equations="""
        dx/dt = -x/tau_plus : 1 (pre, nearest)
        dy/dt = -y/tau_minus : 1 (post, nearest)
    """,
    on_arrival="weight -= a_minus*w_max*y",
    on_post="weight += a_plus*w_max*x",
    variables=(
        SynapseVariable("x", "1", "trace of the last arrival"),
        SynapseVariable("y", "1", "trace of the target's last spike"),
    ),
)
