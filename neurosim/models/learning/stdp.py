"""Spike-timing dependent plasticity of pairs, additive, all spikes with all spikes."""

from neurosim.models.declare import Parameter
from neurosim.models.rules import LearningRule, SynapseVariable

RULE = LearningRule(
    name="stdp",
    summary="pair STDP, additive: steps are fractions of the largest weight; all pairs count",
    source="doi:10.1038/78829",  # Song, Miller & Abbott 2000, Nat Neurosci 3:919; the defaults are theirs
    parameters=(
        Parameter("tau_plus", 20.0, "ms", "time constant of potentiation (arrival before spike)", low=1e-6),
        Parameter("tau_minus", 20.0, "ms", "time constant of depression (spike before arrival)", low=1e-6),
        Parameter("a_plus", 0.005, "", "potentiation by a pair without distance, as a fraction of w_max"),
        Parameter("a_minus", 0.00525, "", "depression by a pair without distance, as a fraction of w_max"),
    ),
    equations="""
        dx/dt = -x/tau_plus : 1 (pre)
        dy/dt = -y/tau_minus : 1 (post)
    """,
    on_arrival="weight -= a_minus*w_max*y",
    on_post="weight += a_plus*w_max*x",
    variables=(
        SynapseVariable("x", "1", "trace of arrivals"),
        SynapseVariable("y", "1", "trace of the target's spikes"),
    ),
)
