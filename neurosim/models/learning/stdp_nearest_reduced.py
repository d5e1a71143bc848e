"""Spike-timing dependent plasticity of nearest neighbours, immediate pairings only."""

from neurosim.models.declare import Parameter
from neurosim.models.rules import LearningRule, SynapseVariable

# Morrison, Diesmann & Gerstner 2008, Biol Cybern 98:459, fig. 7C: as nearest neighbours, but only what follows
# each other immediately pairs; a second arrival finds the target's spike used up, and the other way round.
# Amplitudes as in `stdp` (Song, Miller & Abbott 2000).
RULE = LearningRule(
    name="stdp_nearest_reduced",
    summary="pair STDP, additive; an arrival and a spike pair only if neither came between them",
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
        last : 1
    """,
    on_arrival="""
        weight -= where(last < 0, a_minus*w_max*y, 0)
        last = 1
    """,
    on_post="""
        weight += where(last > 0, a_plus*w_max*x, 0)
        last = -1
    """,
    variables=(
        SynapseVariable("x", "1", "trace of the last arrival"),
        SynapseVariable("y", "1", "trace of the target's last spike"),
        SynapseVariable("last", "1", "what came last: 1 an arrival, -1 a spike of the target, 0 nothing yet"),
    ),
)
