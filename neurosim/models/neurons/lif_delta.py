"""Leaky integrate-and-fire neuron whose synapses make the membrane jump."""

from neurosim.models.declare import NeuronModel, Parameter, Receptor, StateVariable

MODEL = NeuronModel(
    name="lif_delta",
    summary="leaky integrate-and-fire, delta synapses, exact integration",
    source="doi:10.1023/A:1008925309027",  # Brunel 2000, J Comput Neurosci 8:183
    equations="dv/dt = (e_l - v)/tau_m + (i_e + i_stim)/c_m : mV (unless refractory)",
    threshold="v >= v_th",
    reset="v = v_reset",
    refractory="t_ref",
    parameters=(
        Parameter("tau_m", 20.0, "ms", "membrane time constant", low=1e-6),
        Parameter("c_m", 250.0, "pF", "membrane capacitance", low=1e-6),
        Parameter("e_l", 0.0, "mV", "resting potential"),
        Parameter("v_th", 20.0, "mV", "threshold"),
        Parameter("v_reset", 0.0, "mV", "reset potential"),
        Parameter("t_ref", 2.0, "ms", "refractory period", low=0.0),
        Parameter("i_e", 0.0, "pA", "constant injected current"),
    ),
    state=(StateVariable("v", "mV", "membrane potential", initial="e_l"),),
    receptors={"exc": Receptor("v", "mV", gated=True), "inh": Receptor("v", "mV", gated=True)},
    drive_unit="pA",
)
