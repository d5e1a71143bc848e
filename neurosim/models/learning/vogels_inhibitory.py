"""Plasticity of inhibitory synapses, which balances excitation and holds the target at a rate."""

from neurosim.models.declare import Parameter
from neurosim.models.rules import LearningRule, SynapseVariable

# Vogels, Sprekeler, Zenke, Clopath & Gerstner 2011, Science 334:1569: near-coincident spikes in either order
# strengthen, each arrival weakens by alpha = 2 rho_0 tau. So a synapse is at rest where its target fires at rho_0.
# Weights are conductances or other magnitudes; where inhibition is a negative weight, let eta be negative, too.
RULE = LearningRule(
    name="vogels_inhibitory",
    summary="inhibitory plasticity: grows with coincidences, shrinks with arrivals, until the target fires at rho_0",
    source="doi:10.1126/science.1211095",
    parameters=(
        Parameter("tau", 20.0, "ms", "time constant of coincidence", low=1e-6),
        Parameter("eta", 0.01, "weight", "change by a coincidence; negative where inhibitory weights are"),
        Parameter("rho_0", 3.0, "Hz", "rate of the target at which nothing changes", low=0.0),
    ),
    equations="""
        dx/dt = -x/tau : 1 (pre)
        dy/dt = -y/tau : 1 (post)
    """,
    on_arrival="weight += eta*(y - 2*rho_0*tau)",
    on_post="weight += eta*x",
    variables=(
        SynapseVariable("x", "1", "trace of arrivals"),
        SynapseVariable("y", "1", "trace of the target's spikes"),
    ),
)
