"""A population that fires when something arrives."""

from neurosim.models.declare import NeuronModel, Receptor, StateVariable

MODEL = NeuronModel(
    name="parrot",
    summary="repeats what it hears: fires in every time step in which something arrives, whatever the weight",
    source="",
    # what has arrived waits for the test: arrivals with no delay come after the test of their step
    equations="dheard/dt = 0/ms : 1",
    threshold="heard != 0",
    reset="heard = 0",
    parameters=(),
    state=(StateVariable("heard", "", "sum of the weights that have arrived and are not yet repeated"),),
    receptors={"exc": Receptor("heard", "")},
)
