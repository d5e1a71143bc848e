"""Sparse evolutionary training: the weakest share of the synapses moves elsewhere, again and again."""

from neurosim.models.declare import Parameter
from neurosim.models.structural import StructuralRule

# Mocanu et al. 2018 (SET): after every epoch the share zeta of the weights nearest to 0 is replaced by random ones.
RULE = StructuralRule(
    name="sparse_evolution",
    summary="a share of the synapses, the weakest, is replaced by as many between random neurons",
    source="doi:10.1038/s41467-018-04316-3",
    parameters=(Parameter("share", 0.3, "", "of the synapses, each time", low=0.0, high=1.0),),
    rank="abs(weight)",
    surplus="share*size",
    births="deaths",
    multapses=False,
)
