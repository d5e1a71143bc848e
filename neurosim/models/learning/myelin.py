"""Myelination by a common oligodendrocyte: the delays of axons that fire together become alike at its place."""

from neurosim.models.declare import Parameter
from neurosim.models.rules import LearningRule, SynapseVariable

# Pajevic, Plenz, Basser & Fields 2023, eLife 12:e81982: a glial cell that myelinates several axons answers every spike
# that passes; an axon whose spikes meet the answers to earlier ones is made faster, one whose spikes come before them
# slower. The projection's target is that cell, a `parrot` that answers every arrival, so y is its response to what all
# axons have brought, and x what this axon brought itself. Differences of two exponentials do not see an axon's own
# spike, which has distance 0. Trains that have nothing to do with each other meet as many answers before as after, and
# keep their delays; that sum over all axons, which alignment to one spike does not have, is what makes it a group's.
RULE = LearningRule(
    name="myelin",
    summary="delays of axons onto a glial cell learn from all of them: later than the others faster, earlier slower",
    source="doi:10.7554/eLife.81982",
    parameters=(
        Parameter("wide", 20.0, "ms", "how long the cell's response lasts", low=1e-6),
        Parameter("narrow", 2.0, "ms", "its rise: what is nearer is left alone; shorter than wide", low=1e-6),
        Parameter("rate", 0.02, "ms", "how much one answer changes the delay", low=0.0),
    ),
    equations="""
        dx/dt = -x/wide : 1 (pre)
        djust_x/dt = -just_x/narrow : 1 (pre)
        dy/dt = -y/wide : 1 (post)
        djust_y/dt = -just_y/narrow : 1 (post)
    """,
    on_arrival="delay -= rate*(y - just_y)",
    on_post="delay += rate*(x - just_x)",
    variables=(
        SynapseVariable("x", "1", "slow trace of this axon's arrivals"),
        SynapseVariable("just_x", "1", "fast trace of this axon's arrivals"),
        SynapseVariable("y", "1", "slow trace of the cell's answers, to whichever axon"),
        SynapseVariable("just_y", "1", "fast trace of the cell's answers"),
    ),
)
