"""Death by age."""

from neurosim.models.declare import Parameter
from neurosim.models.structural import StructuralRule

# The Gompertz law of mortality: the chance to die in a short time grows exponentially with age.
RULE = StructuralRule(
    name="death_of_old",
    summary="neurons die with a chance that grows exponentially with their age",
    source="doi:10.1098/rstl.1825.0026",  # Gompertz 1825
    parameters=(
        Parameter("lifetime", 100_000.0, "ms", "age at which a neuron dies at the rate of one in tau", low=0.0),
        Parameter("tau", 10_000.0, "ms", "age over which the rate of dying grows by a factor e", low=1e-6),
    ),
    die="True",
    chance="1 - exp(-every/tau*exp((age - lifetime)/tau))",
    about_neurons=True,
)
