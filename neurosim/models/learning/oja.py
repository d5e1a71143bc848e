"""Oja's rule: Hebb's, with a brake that keeps the sum of squares of a neuron's weights."""

from neurosim.models.declare import Parameter
from neurosim.models.rules import LearningRule, SynapseVariable

# Oja 1982, J Math Biol 15:267: dw = eta y (x - y w). Here x and y are spikes in a window of tau, and one factor y is
# the target's spike itself, so the mean change is eta s (w_0 r - s w) tau for rates r and s: w goes to w_0 r/s.
# A neuron that adds its inputs up linearly finds their first principal component.
RULE = LearningRule(
    name="oja",
    summary="Oja's rule: Hebbian growth, and decay with the square of the target's rate; finds principal components",
    source="doi:10.1007/BF00275687",
    parameters=(
        Parameter("tau", 20.0, "ms", "time constant of the traces of both sides", low=1e-6),
        Parameter("eta", 0.01, "", "learning rate", low=0.0),
        Parameter("w_0", 1.0, "weight", "weight at which a target that fires as often as its source leaves it"),
    ),
    equations="""
        dx/dt = -x/tau : 1 (pre)
        dy/dt = -y/tau : 1 (post)
    """,
    on_post="weight += eta*(w_0*x - weight*y)",
    variables=(
        SynapseVariable("x", "1", "trace of arrivals"),
        SynapseVariable("y", "1", "trace of the target's spikes"),
    ),
)
