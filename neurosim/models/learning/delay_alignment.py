"""Delays learn to let arrivals coincide with the target's spike, and so with each other."""

from neurosim.models.declare import Parameter
from neurosim.models.rules import LearningRule, SynapseVariable

# Eurich, Pawelzik, Ernst, Cowan & Milton 1999, Phys Rev Lett 82:1594, and Hüning, Glünder & Palm 1998, Neural Comput
# 10:555: an arrival before the spike is slowed, one after it hastened, by an odd window of their distance. Ours is a
# difference of exponentials, which leaves alone what is in time. Common to all delays nothing is fixed by that (the
# spike moves along), so a weak spring towards `home` holds them. Numbers are ours.
RULE = LearningRule(
    name="delay_alignment",
    summary="delays learn so that arrivals come at the time of the target's spike: too early slower, too late faster",
    source="doi:10.1103/PhysRevLett.82.1594",
    parameters=(
        Parameter("wide", 10.0, "ms", "how far from the spike an arrival may be", low=1e-6),
        Parameter("narrow", 5.0, "ms", "how near to it it is left alone; shorter than wide", low=1e-6),
        Parameter("rate", 0.5, "ms", "amplitude of both exponentials; a step is a quarter of it at most"),
        Parameter("spring", 0.002, "", "share of the distance to home that a spike of the target takes away", low=0.0),
        Parameter("home", 20.0, "ms", "where the spring pulls", low=0.0),
    ),
    equations="""
        dx/dt = -x/wide : 1 (pre, nearest)
        djust_x/dt = -just_x/narrow : 1 (pre, nearest)
        dy/dt = -y/wide : 1 (post, nearest)
        djust_y/dt = -just_y/narrow : 1 (post, nearest)
    """,
    on_post="delay += rate*(x - just_x) - spring*(delay - home)",
    on_arrival="delay -= rate*(y - just_y)",
    variables=(
        SynapseVariable("x", "1", "wide trace of the last arrival"),
        SynapseVariable("just_x", "1", "narrow trace of the last arrival"),
        SynapseVariable("y", "1", "wide trace of the target's last spike"),
        SynapseVariable("just_y", "1", "narrow trace of the target's last spike"),
    ),
)
