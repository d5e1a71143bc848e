"""Hebb's rule: what fires together grows, whoever was first."""

from neurosim.models.declare import Parameter
from neurosim.models.rules import LearningRule, SynapseVariable

# The correlation rule for spikes of Kempter, Gerstner & van Hemmen 1999, Phys Rev E 59:4498, with a symmetric window.
# Independent trains of rates r and s change the weight by 2 eta w_max tau r s per unit of time. It knows no brake: use
# it with bounds, or with synaptic_scaling.
RULE = LearningRule(
    name="hebb",
    summary="Hebb's rule: coincidences strengthen, in either order; without a brake of its own",
    source="doi:10.1103/PhysRevE.59.4498",
    parameters=(
        Parameter("tau", 20.0, "ms", "time constant of coincidence", low=1e-6),
        Parameter("eta", 0.001, "", "change by a pair without distance, as a fraction of w_max"),
    ),
    equations="""
        dx/dt = -x/tau : 1 (pre)
        dy/dt = -y/tau : 1 (post)
    """,
    on_arrival="weight += eta*w_max*y",
    on_post="weight += eta*w_max*x",
    variables=(
        SynapseVariable("x", "1", "trace of arrivals"),
        SynapseVariable("y", "1", "trace of the target's spikes"),
    ),
)
