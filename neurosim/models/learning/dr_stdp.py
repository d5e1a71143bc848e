"""Delay-related STDP: the nearest arrival and spike change weight and delay."""

from neurosim.models.declare import Parameter
from neurosim.models.rules import LearningRule, SynapseVariable

# Nadafian & Ganjtabesh 2020, arXiv:2011.09380: an arrival before the target's spike shortens its delay by
# b_minus exp(-D/sigma_minus), one after it lengthens it by b_plus exp(D/sigma_plus), D the time from the one to the
# other; only the nearest count. What helped to fire comes earlier next time: it is no rule of alignment.
# Amplitudes of the delay are those of re-implementations (0.1 ms with a rate of 0.1); those of the weight are ours.
RULE = LearningRule(
    name="dr_stdp",
    summary="STDP of weight and delay by nearest pairs: arrivals before a spike come earlier, those after it later",
    source="arXiv:2011.09380",
    parameters=(
        Parameter("tau_plus", 20.0, "ms", "time constant of potentiation (arrival before spike)", low=1e-6),
        Parameter("tau_minus", 20.0, "ms", "time constant of depression (spike before arrival)", low=1e-6),
        Parameter("a_plus", 0.005, "", "potentiation by a pair without distance, as a fraction of w_max"),
        Parameter("a_minus", 0.00525, "", "depression by a pair without distance, as a fraction of w_max"),
        Parameter("sigma_minus", 10.0, "ms", "time constant of shortening (arrival before spike)", low=1e-6),
        Parameter("sigma_plus", 10.0, "ms", "time constant of lengthening (spike before arrival)", low=1e-6),
        Parameter("b_minus", 0.01, "ms", "how much a pair without distance shortens the delay"),
        Parameter("b_plus", 0.01, "ms", "how much a pair without distance lengthens the delay"),
    ),
    equations="""
        dx/dt = -x/tau_plus : 1 (pre, nearest)
        dy/dt = -y/tau_minus : 1 (post, nearest)
        dp/dt = -p/sigma_minus : 1 (pre, nearest)
        dq/dt = -q/sigma_plus : 1 (post, nearest)
    """,
    on_arrival="""
        weight -= a_minus*w_max*y
        delay += b_plus*q
    """,
    on_post="""
        weight += a_plus*w_max*x
        delay -= b_minus*p
    """,
    variables=(
        SynapseVariable("x", "1", "trace of the last arrival, for the weight"),
        SynapseVariable("y", "1", "trace of the target's last spike, for the weight"),
        SynapseVariable("p", "1", "trace of the last arrival, for the delay"),
        SynapseVariable("q", "1", "trace of the target's last spike, for the delay"),
    ),
)
