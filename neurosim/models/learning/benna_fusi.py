"""Consolidation by a cascade of hidden variables, each slower than the one before: memories fade as 1/sqrt(time)."""

from neurosim.models.declare import Parameter
from neurosim.models.rules import LearningRule, SynapseVariable

_LEVELS = range(2, 9)

# Benna & Fusi 2016, Nat Neurosci 19:1697, in its discrete form: beakers u_1 … u_8 of sizes 1, 2, 4, …, joined by
# tubes of widths 1/2, 1/8, 1/32, … per period (times the rate 1/4). The weight itself is u_1. What other rules write
# into it seeps down the chain and comes back later; nothing leaks out, so the sum of size times level is kept.
RULE = LearningRule(
    name="benna_fusi",
    summary="consolidation: changes of the weight seep into a chain of ever slower variables, which hold it later",
    source="doi:10.1038/nn.4401",
    parameters=(
        Parameter("rate", 0.25, "", "what flows in a period between the first two, per difference", low=0.0, high=1.0),
        Parameter("period", 1000.0, "ms", "time between steps of the chain", low=1e-6),
    ),
    equations="\n".join(f"u_{k} : weight" for k in _LEVELS),
    every="\n".join(
        f"flow_{k} = rate*({'weight' if k == 2 else f'u_{k - 1}'} - u_{k})/{2 ** (2 * k - 3)}" for k in _LEVELS
    )
    + "\nweight -= flow_2\n"
    + "\n".join(f"u_{k} += flow_{k}/2{f' - flow_{k + 1}' if k + 1 in _LEVELS else ''}" for k in _LEVELS),
    period="period",
    variables=tuple(
        SynapseVariable(f"u_{k}", "weight", f"level of beaker {k}, of size {2 ** (k - 1)}", initial="weight")
        for k in _LEVELS
    ),
)
