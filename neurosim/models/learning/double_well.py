"""Consolidation by a reference weight with two stable states, which neighbours' activity pulls weights back to."""

from neurosim.models.declare import Parameter
from neurosim.models.rules import LearningRule, SynapseVariable

# Zenke, Agnes & Gerstner 2015, Nat Commun 6:6922: tau dR/dt = w - R - P R (w_P/2 - R)(w_P - R), and at the target's
# spikes w -= beta (w - R) z^3. With w near R, R goes to 0 or to w_P; the watershed lies at w_P/2. Here P is told in
# units of 1/w_P^2: their P = 20 with w_P = 0.5 is 5. It writes what others have learned, so put it behind them.
RULE = LearningRule(
    name="double_well",
    summary="consolidation: a slow reference weight settles at 0 or w_p, and bursts of the target pull weights to it",
    source="doi:10.1038/ncomms7922",
    parameters=(
        Parameter("tau", 1_200_000.0, "ms", "time constant of consolidation", low=1e-6),
        Parameter("w_p", 0.5, "weight", "upper stable reference weight", low=1e-12),
        Parameter("depth", 5.0, "", "depth of the two wells", low=0.0),
        Parameter("beta", 0.05, "", "how much a spike of the target pulls the weight, for each z^3", low=0.0),
        Parameter("tau_minus", 20.0, "ms", "time constant of the trace of the target's spikes", low=1e-6),
        Parameter("period", 1200.0, "ms", "time between steps of the reference weight", low=1e-6),
    ),
    equations="""
        dz/dt = -z/tau_minus : 1 (post)
        reference : weight
    """,
    on_post="weight -= min(beta*z**3, 1)*(weight - reference)",
    every="""
        share = reference/w_p
        reference += (period/tau)*(weight - reference - depth*reference*(0.5 - share)*(1 - share))
    """,
    period="period",
    variables=(
        SynapseVariable("z", "1", "trace of the target's spikes"),
        SynapseVariable("reference", "weight", "reference weight", initial="weight"),
    ),
)
