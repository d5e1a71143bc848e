"""The rule of Bienenstock, Cooper and Munro: a threshold between depression and potentiation that slides."""

from neurosim.models.declare import Parameter
from neurosim.models.rules import LearningRule, SynapseVariable

# Bienenstock, Cooper & Munro 1982, J Neurosci 2:32: dw = eta x y (y - theta), theta the mean of y^2/y_0. Here x and y
# are spikes in a window of tau, one factor y is the target's spike itself, and theta rises at each of these so that it
# goes to s^2 tau/rate_0 for a target that fires at rate s: below rate_0 all arrivals strengthen, above all weaken.
RULE = LearningRule(
    name="bcm",
    summary="BCM: potentiates where the target fires more than a threshold that follows the square of its rate",
    source="doi:10.1523/JNEUROSCI.02-01-00032.1982",
    parameters=(
        Parameter("tau", 50.0, "ms", "time constant of the traces of both sides", low=1e-6),
        Parameter("tau_theta", 5000.0, "ms", "time constant of the threshold", low=1e-6),
        Parameter("rate_0", 10.0, "Hz", "the target's rate at which the threshold is that rate", low=1e-6),
        Parameter("eta", 0.001, "", "change per spike in the windows of both sides, as a fraction of w_max"),
    ),
    equations="""
        dx/dt = -x/tau : 1 (pre)
        dy/dt = -y/tau : 1 (post)
        dtheta/dt = -theta/tau_theta : 1
    """,
    on_post="""
        weight += eta*w_max*x*(y - theta)
        theta += y/(rate_0*tau_theta)
    """,
    variables=(
        SynapseVariable("x", "1", "trace of arrivals"),
        SynapseVariable("y", "1", "trace of the target's spikes"),
        SynapseVariable("theta", "1", "threshold, as a value of y", initial="rate_0*tau"),
    ),
)
