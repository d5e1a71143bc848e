"""Reward-modulated STDP: pairs leave an eligibility, and what is eligible when the reward comes is learned."""

from neurosim.models.declare import Parameter
from neurosim.models.rules import LearningRule, SynapseVariable

# Izhikevich 2007, Cereb Cortex 17:2443: dc/dt = -c/tau_c + STDP, dd/dt = -d/tau_d + reward, dw/dt = c (d + baseline),
# in closed form between events. A synapse that has not taken part in a pair lately has no eligibility, and no reward
# changes it. Steps of STDP are fractions of the largest weight; an eligibility of 1 w_max with d = 1 moves the weight
# by w_max in `unit_time`. In his program (daspnet) a step of 10 ms adds sd (0.002 + d), the pairs are of nearest
# neighbours and sd rises by 0.1 and falls by 0.15, of a largest weight of 4; what fades does so by 5 % in a ms.
RULE = LearningRule(
    name="reward_stdp",
    summary="STDP with reward: pairs leave an eligibility, which the modulator `dopamine` turns into weight",
    source="doi:10.1093/cercor/bhl152",
    parameters=(
        Parameter("tau_plus", 20.0, "ms", "time constant of potentiation (arrival before spike)", low=1e-6),
        Parameter("tau_minus", 20.0, "ms", "time constant of depression (spike before arrival)", low=1e-6),
        Parameter("a_plus", 0.025, "", "eligibility by a pair without distance, arrival first, as a fraction of w_max"),
        Parameter("a_minus", 0.0375, "", "what a pair without distance takes away, spike first, likewise"),
        Parameter("tau_c", 1000.0, "ms", "time constant of the eligibility", low=1e-6),
        Parameter("tau_d", 200.0, "ms", "time constant of the reward", low=1e-6),
        Parameter("baseline", 0.002, "", "reward that is always there"),
        Parameter("unit_time", 10.0, "ms", "in which a reward of 1 turns all of an eligibility into weight", low=1e-6),
    ),
    equations="""
        dx/dt = -x/tau_plus : 1 (pre, nearest)
        dy/dt = -y/tau_minus : 1 (post, nearest)
        dc/dt = -c/tau_c : weight
        dd/dt = -d/tau_d : 1 (modulator)
        dweight/dt = c*(d + baseline)/unit_time : weight
    """,
    on_arrival="c -= a_minus*w_max*y",
    on_post="c += a_plus*w_max*x",
    modulator="dopamine",
    variables=(
        SynapseVariable("x", "1", "trace of the last arrival"),
        SynapseVariable("y", "1", "trace of the target's last spike"),
        SynapseVariable("c", "weight", "eligibility"),
        SynapseVariable("d", "1", "reward: raised by the amounts of the modulator"),
    ),
)
