"""Spike-timing dependent plasticity whose changes are collected, and applied every second."""

import math

from neurosim.models.declare import Parameter
from neurosim.models.rules import LearningRule, SynapseVariable

# Izhikevich 2006, Neural Comput 18:245, and its program poly_spnet.cpp: nearest traces that lose 5 % per ms; sd
# collects; every second sd *= 0.9, then s += 0.01 + sd, clipped to 0 … 10. All amplitudes are given here as fractions
# of that largest weight: 0.1, 0.12 and 0.01 of 10. (His MATLAB program multiplies after adding.)
# In the program an arrival 1 ms after the target's spike still meets the whole 0.12, where here the trace has faded
# by 1 ms: hence 0.012/0.95. An arrival at the time of a spike comes before it in both.
RULE = LearningRule(
    name="stdp_buffered",
    summary="pair STDP of nearest neighbours, collected in a slow derivative that moves the weight every second",
    source="doi:10.1162/089976606775093882",
    parameters=(
        Parameter("tau_plus", -1.0 / math.log(0.95), "ms", "time constant of potentiation; 5 % per ms", low=1e-6),
        Parameter("tau_minus", -1.0 / math.log(0.95), "ms", "time constant of depression; 5 % per ms", low=1e-6),
        Parameter("a_plus", 0.01, "", "potentiation by a pair without distance, as a fraction of w_max"),
        Parameter("a_minus", 0.012 / 0.95, "", "depression by a pair without distance, as a fraction of w_max"),
        Parameter("drift", 0.001, "", "what every weight gains per period, as a fraction of w_max"),
        Parameter("kept", 0.9, "", "share of the derivative that is left after a period", low=0.0, high=1.0),
        Parameter("period", 1000.0, "ms", "time between changes of weights", low=1e-6),
    ),
    equations="""
        dx/dt = -x/tau_plus : 1 (pre, nearest)
        dy/dt = -y/tau_minus : 1 (post, nearest)
        sd : weight
    """,
    on_arrival="sd -= a_minus*w_max*y",
    on_post="sd += a_plus*w_max*x",
    every="""
        sd *= kept
        weight += drift*w_max + sd
    """,
    period="period",
    variables=(
        SynapseVariable("x", "1", "trace of the last arrival"),
        SynapseVariable("y", "1", "trace of the target's last spike"),
        SynapseVariable("sd", "weight", "collected changes of the weight"),
    ),
)
