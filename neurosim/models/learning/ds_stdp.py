"""Delay-shifted STDP: weights and delays learn from the same pairs."""

from neurosim.models.declare import Parameter
from neurosim.models.rules import LearningRule, SynapseVariable

# Dominijanni, Ororbia & Regan 2025, arXiv:2506.14984, in trace form; defaults of its published configurations, there
# for weights in [0, 1] and delays of 0 … 10 ms. An arrival before the target's spike strengthens and comes earlier
# next time, one after it weakens and comes later. Negative b_plus and b_minus align arrivals with the spike instead.
RULE = LearningRule(
    name="ds_stdp",
    summary="pair STDP of weight and delay: what helped to fire comes stronger and earlier next time",
    source="arXiv:2506.14984",
    parameters=(
        Parameter("tau_plus", 20.0, "ms", "time constant of the trace of arrivals", low=1e-6),
        Parameter("tau_minus", 20.0, "ms", "time constant of the trace of the target's spikes", low=1e-6),
        Parameter("a_plus", 5e-4, "", "potentiation by a pair without distance, as a fraction of w_max"),
        Parameter("a_minus", 5e-6, "", "depression by a pair without distance, as a fraction of w_max"),
        Parameter("b_plus", 1.2e-2, "ms", "how much a pair without distance shortens the delay, arrival first"),
        Parameter("b_minus", 1.2e-4, "ms", "how much a pair without distance lengthens the delay, spike first"),
    ),
    equations="""
        dx/dt = -x/tau_plus : 1 (pre)
        dy/dt = -y/tau_minus : 1 (post)
    """,
    on_arrival="""
        weight -= a_minus*w_max*y
        delay += b_minus*y
    """,
    on_post="""
        weight += a_plus*w_max*x
        delay -= b_plus*x
    """,
    variables=(
        SynapseVariable("x", "1", "trace of arrivals"),
        SynapseVariable("y", "1", "trace of the target's spikes"),
    ),
)
