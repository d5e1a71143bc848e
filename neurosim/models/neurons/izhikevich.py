"""Izhikevich's simple model: two half steps for v, one for u, as in the published programs."""

from neurosim.models.declare import NeuronModel, Parameter, Receptor, StateVariable

MODEL = NeuronModel(
    name="izhikevich",
    summary="Izhikevich's simple model of spiking; arrivals act as a current during the following step",
    source="doi:10.1109/TNN.2003.820440",  # Izhikevich 2003, IEEE Trans Neural Netw 14:1569
    equations="""\
dv/dt = (0.04/ms/mV)*v**2 + (5/ms)*v + 140 mV/ms - u + i_syn + i_e + i_stim : mV
du/dt = a*(b*v - u) : mV/ms
i_syn : mV/ms  # what arrived in one step is the current of the next""",
    method="half_steps",
    threshold="v >= 30 mV",
    reset="v = c; u += d",
    parameters=(
        Parameter("a", 0.02, "1/ms", "rate of recovery", low=0.0),
        Parameter("b", 0.2, "1/ms", "sensitivity of u to v"),
        Parameter("c", -65.0, "mV", "reset potential"),
        Parameter("d", 8.0, "mV/ms", "increment of u at a spike"),
        Parameter("i_e", 0.0, "mV/ms", "constant injected current"),
    ),
    state=(
        StateVariable("v", "mV", "membrane potential", initial=-65.0),
        StateVariable("u", "mV/ms", "recovery variable", initial=-13.0),
        StateVariable("i_syn", "mV/ms", "synaptic current of the coming step"),
    ),
    receptors={"exc": Receptor("i_syn", "mV/ms"), "inh": Receptor("i_syn", "mV/ms")},
    drive_unit="mV/ms",
)
