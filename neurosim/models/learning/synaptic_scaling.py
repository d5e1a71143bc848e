"""Synaptic scaling: all synapses of a neuron grow or shrink together until it fires at its goal."""

from neurosim.models.declare import Parameter
from neurosim.models.rules import LearningRule, SynapseVariable

# Van Rossum, Bi & Turrigiano 2000, J Neurosci 20:8812: dw/dt = beta w (goal - a) + gamma w ∫(goal - a) dt, a the rate
# of the target over the last hundred seconds; beta, gamma and the time constant are theirs.
# As each synapse changes in proportion to its weight, what others rules have learned keeps its proportions.
RULE = LearningRule(
    name="synaptic_scaling",
    summary="synaptic scaling: multiplies all weights of a neuron until its slow mean rate is the goal",
    source="doi:10.1523/JNEUROSCI.20-23-08812.2000",
    parameters=(
        Parameter("tau", 100_000.0, "ms", "time constant of the mean rate", low=1e-6),
        Parameter("goal", 5.0, "Hz", "rate of the target that is aimed at", low=0.0),
        Parameter("beta", 4e-5, "", "relative change of the weight per spike that is missing"),
        Parameter("gamma", 1e-7, "1/s", "the same for the sum of what has been missing so far"),
        Parameter("period", 100.0, "ms", "time between changes", low=1e-6),
    ),
    equations="""
        da/dt = -a/tau : 1 (post)
        missing : 1
    """,
    every="""
        short = period*goal - a*(period/tau)
        missing += short
        weight += weight*(beta*short + gamma*period*missing)
    """,
    period="period",
    variables=(
        SynapseVariable("a", "1", "trace of the target's spikes: its mean rate times tau"),
        SynapseVariable("missing", "1", "spikes that have been missing so far"),
    ),
)
