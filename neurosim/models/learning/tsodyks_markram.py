"""Short-term depression and facilitation."""

from neurosim.models.declare import Parameter
from neurosim.models.rules import LearningRule, SynapseVariable

# Tsodyks, Pawelzik & Markram 1998, Neural Comput 10:821: at a spike u jumps first, u + U (1 - u), then the new u
# releases its share of R. Between spikes u fades to 0 (not to U, as in Mongillo, Barak & Tsodyks 2008), so the first
# spike of a rested synapse transmits U*weight. What is transmitted is fixed before on_emission, hence u_new in both.
# Defaults: a depressing synapse, as in NEST's tsodyks2_synapse.
RULE = LearningRule(
    name="tsodyks_markram",
    summary="short-term plasticity: each spike uses a share u of the resources R and transmits u*R*weight",
    source="doi:10.1162/089976698300017502",
    parameters=(
        Parameter("U", 0.5, "", "share of the resources that the first spike uses", low=0.0, high=1.0),
        Parameter("tau_rec", 800.0, "ms", "time constant of recovery", low=1e-6),
        Parameter("tau_facil", 0.0, "ms", "time constant of facilitation; 0 where it only depresses", low=0.0),
    ),
    equations="""
        du/dt = -u/max(tau_facil, 1e-6 ms) : 1
        dR/dt = (1 - R)/tau_rec : 1
    """,
    transmit="(u + U*(1 - u))*R*weight",
    on_emission="""
        u += U*(1 - u)
        R -= u*R
    """,
    variables=(
        SynapseVariable("u", "1", "share of the resources that the last spike used, faded"),
        SynapseVariable("R", "1", "share of the resources that is available", initial=1.0),
    ),
)
