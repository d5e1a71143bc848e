"""Competition for survival: a population has room for so many neurons; the least active give way."""

from neurosim.models.declare import Parameter
from neurosim.models.structural import StructuralRule

RULE = StructuralRule(
    name="competition",
    summary="a population keeps its size: of the neurons that are old enough, the least active die",
    source="doi:10.1038/nature05028",  # Tashiro et al. 2006: survival of new neurons is competitive
    parameters=(
        Parameter("room", float("inf"), "", "neurons that the population has room for", low=0.0),
        Parameter("grace", 5_000.0, "ms", "age up to which a neuron does not compete", low=0.0),
        Parameter("tau_rate", 5_000.0, "ms", "time over which rates are taken", low=1e-6),
    ),
    equations="dactivity/dt = (spikes - activity)/tau_rate : Hz",
    die="age >= grace",
    rank="activity",
    surplus="max(size - room, 0)",
    about_neurons=True,
)
