"""Leaky integrate-and-fire neuron with alpha-shaped synaptic conductances."""

from neurosim.models.declare import NeuronModel, Parameter, Receptor, StateVariable

MODEL = NeuronModel(
    name="lif_cond_alpha",
    summary="leaky integrate-and-fire, alpha-shaped conductances whose peak is the weight (nS, never negative)",
    source="doi:10.1023/B:JCNS.0000014108.03012.81",  # Meffin, Burkitt & Grayden 2004, J Comput Neurosci 16:159
    # an arrival of weight w makes the conductance w·(t/tau)·exp(1 - t/tau), which is w at its peak, at t = tau
    equations="""\
dv/dt = (g_l*(e_l - v) + g_exc*(e_exc - v) + g_inh*(e_inh - v) + i_e + i_stim)/c_m : mV (unless refractory)
dg_exc/dt = (exp(1)*rise_exc - g_exc)/tau_exc : nS
drise_exc/dt = -rise_exc/tau_exc : nS
dg_inh/dt = (exp(1)*rise_inh - g_inh)/tau_inh : nS
drise_inh/dt = -rise_inh/tau_inh : nS""",
    method="rk4",
    threshold="v >= v_th",
    reset="v = v_reset",
    refractory="t_ref",
    parameters=(
        Parameter("c_m", 250.0, "pF", "membrane capacitance", low=1.0),
        Parameter("g_l", 16.6667, "nS", "leak conductance", low=0.0),
        Parameter("e_l", -70.0, "mV", "resting potential"),
        Parameter("e_exc", 0.0, "mV", "reversal potential of excitation"),
        Parameter("e_inh", -85.0, "mV", "reversal potential of inhibition"),
        Parameter("v_th", -55.0, "mV", "threshold"),
        Parameter("v_reset", -60.0, "mV", "reset potential"),
        Parameter("t_ref", 2.0, "ms", "refractory period", low=0.0),
        Parameter("tau_exc", 0.5, "ms", "time from arrival to peak of the excitatory conductance", low=0.05),
        Parameter("tau_inh", 2.0, "ms", "time from arrival to peak of the inhibitory conductance", low=0.05),
        Parameter("i_e", 0.0, "pA", "constant injected current"),
    ),
    state=(
        StateVariable("v", "mV", "membrane potential", initial="e_l"),
        StateVariable("g_exc", "nS", "excitatory synaptic conductance"),
        StateVariable("rise_exc", "nS", "what makes the excitatory conductance rise"),
        StateVariable("g_inh", "nS", "inhibitory synaptic conductance"),
        StateVariable("rise_inh", "nS", "what makes the inhibitory conductance rise"),
    ),
    receptors={"exc": Receptor("rise_exc", "nS"), "inh": Receptor("rise_inh", "nS")},
    drive_unit="pA",
)
