"""Leaky integrate-and-fire neuron with exponentially decaying synaptic conductances."""

from neurosim.models.declare import NeuronModel, Parameter, Receptor, StateVariable

MODEL = NeuronModel(
    name="lif_cond_exp",
    summary="leaky integrate-and-fire, exponential synaptic conductances (nS, never negative)",
    source="doi:10.1523/JNEUROSCI.3508-05.2005",  # Vogels & Abbott 2005, J Neurosci 25:10786
    equations="""\
dv/dt = (g_l*(e_l - v) + g_exc*(e_exc - v) + g_inh*(e_inh - v) + i_e + i_stim)/c_m : mV (unless refractory)
dg_exc/dt = -g_exc/tau_exc : nS
dg_inh/dt = -g_inh/tau_inh : nS""",
    method="rk4",
    threshold="v >= v_th",
    reset="v = v_reset",
    refractory="t_ref",
    parameters=(
        Parameter("c_m", 200.0, "pF", "membrane capacitance", low=1.0),
        Parameter("g_l", 10.0, "nS", "leak conductance", low=0.0),
        Parameter("e_l", -60.0, "mV", "resting potential"),
        Parameter("e_exc", 0.0, "mV", "reversal potential of excitation"),
        Parameter("e_inh", -80.0, "mV", "reversal potential of inhibition"),
        Parameter("v_th", -50.0, "mV", "threshold"),
        Parameter("v_reset", -60.0, "mV", "reset potential"),
        Parameter("t_ref", 5.0, "ms", "refractory period", low=0.0),
        Parameter("tau_exc", 5.0, "ms", "time constant of the excitatory conductance", low=0.05),
        Parameter("tau_inh", 10.0, "ms", "time constant of the inhibitory conductance", low=0.05),
        Parameter("i_e", 0.0, "pA", "constant injected current"),
    ),
    state=(
        StateVariable("v", "mV", "membrane potential", initial="e_l"),
        StateVariable("g_exc", "nS", "excitatory synaptic conductance"),
        StateVariable("g_inh", "nS", "inhibitory synaptic conductance"),
    ),
    receptors={"exc": Receptor("g_exc", "nS"), "inh": Receptor("g_inh", "nS")},
    drive_unit="pA",
)
