"""Pruning by rank."""

from neurosim.models.declare import Parameter
from neurosim.models.structural import StructuralRule

RULE = StructuralRule(
    name="prune_weakest",
    summary="a share of the synapses dies each time, those with the weights nearest to 0",
    source="doi:10.1162/089976698300017124",  # Chechik, Meilijson & Ruppin 1998: minimal-value deletion
    parameters=(
        Parameter("share", 0.01, "", "of the synapses, each time", low=0.0, high=1.0),
        Parameter("down_to", 0.0, "", "number of synapses that are always left", low=0.0),
    ),
    rank="abs(weight)",
    surplus="min(share*size, max(size - down_to, 0))",
)
