"""Random turnover: synapses die with a constant chance, and as many are born between random neurons."""

from neurosim.models.declare import Parameter
from neurosim.models.structural import StructuralRule

# Spines of the adult cortex come and go by 4 to 20 % a day (Holtmaat and Svoboda 2009). A synapse dies at a constant
# rate, so lifetimes are exponential; between two times at which the rule acts a share 1 - exp(-every/lifetime) is gone.
RULE = StructuralRule(
    name="turnover",
    summary="synapses die at a constant rate, and as many are born between random neurons",
    source="doi:10.1038/nrn2699",
    parameters=(Parameter("lifetime", 10_000.0, "ms", "mean lifetime of a synapse", low=1e-6),),
    die="True",
    chance="1 - exp(-every/lifetime)",
    births="deaths",
)
