"""A population that fires at given times."""

from neurosim.models.declare import NeuronModel

MODEL = NeuronModel(
    name="spike_list",
    summary="fires at the listed times (`times`: one list in ms per neuron), each rounded to the time grid",
    source="",
    parameters=(),
    times=True,
)
