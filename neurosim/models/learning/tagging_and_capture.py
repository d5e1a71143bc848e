"""Synaptic tagging and capture: changes fade within hours unless proteins come in time."""

from neurosim.models.declare import Parameter
from neurosim.models.rules import LearningRule, SynapseVariable

# Frey & Morris 1997, Nature 385:533; the smallest model of what they found. A weight that another rule has moved away
# from its stable part carries a tag, the difference. It fades towards the stable part. A signal `proteins` (synthesised
# after a strong or novel event, wherever that was) lets every tagged synapse make that share of its change stable.
RULE = LearningRule(
    name="tagging_and_capture",
    summary="consolidation: what others have changed fades, unless the signal `proteins` comes and makes it last",
    source="doi:10.1038/385533a0",
    parameters=(
        Parameter("tau", 5_400_000.0, "ms", "time constant with which changes fade", low=1e-6),
        Parameter("least", 0.0, "weight", "smallest change that is tagged", low=0.0),
        Parameter("period", 10_000.0, "ms", "time between steps of fading", low=1e-6),
    ),
    equations="stable : weight",
    on_modulator="stable += where(abs(weight - stable) > least, clip(amount, 0, 1)*(weight - stable), 0*stable)",
    modulator="proteins",
    every="weight -= (1 - exp(-period/tau))*(weight - stable)",
    period="period",
    variables=(SynapseVariable("stable", "weight", "what lasts of the weight", initial="weight"),),
)
