"""Leaky integrate-and-fire neuron with synaptic currents that rise and decay exponentially."""

from neurosim.models.declare import NeuronModel, Parameter, Receptor, StateVariable

MODEL = NeuronModel(
    name="lif_double_exp",
    summary="leaky integrate-and-fire, currents that rise and decay, whose peak is the weight; exact integration",
    source="doi:10.7551/mitpress/9780262013277.003.0007",  # Roth & van Rossum 2009, Modeling synapses
    # An arrival of weight w makes a multiple of w·(exp(-t/tau_decay) - exp(-t/tau_rise)). Its peak is w where the
    # gain is (tau_decay/tau_rise)^(tau_rise/(tau_decay - tau_rise))/tau_rise, written so that the two may be equal:
    # with r = ln(tau_decay/tau_rise) the exponent's logarithm is r/(e^r - 1). It is an alpha function there.
    equations="""\
dv/dt = (e_l - v)/tau_m + (i_exc + i_inh + i_e + i_stim)/c_m : mV (unless refractory)
di_exc/dt = gain_exc*rise_exc - i_exc/tau_exc : pA
drise_exc/dt = -rise_exc/tau_rise_exc : pA
di_inh/dt = gain_inh*rise_inh - i_inh/tau_inh : pA
drise_inh/dt = -rise_inh/tau_rise_inh : pA
gain_exc = exp(1/exprel(log(tau_exc/tau_rise_exc)))/tau_rise_exc : 1/ms
gain_inh = exp(1/exprel(log(tau_inh/tau_rise_inh)))/tau_rise_inh : 1/ms""",
    threshold="v >= v_th",
    reset="v = v_reset",
    refractory="t_ref",
    parameters=(
        Parameter("tau_m", 20.0, "ms", "membrane time constant", low=1e-6),
        Parameter("c_m", 250.0, "pF", "membrane capacitance", low=1e-6),
        Parameter("e_l", -65.0, "mV", "resting potential"),
        Parameter("v_th", -50.0, "mV", "threshold"),
        Parameter("v_reset", -65.0, "mV", "reset potential"),
        Parameter("t_ref", 2.0, "ms", "refractory period", low=0.0),
        Parameter("tau_rise_exc", 0.5, "ms", "time constant of the rise of the excitatory current", low=1e-6),
        Parameter("tau_exc", 3.0, "ms", "time constant of the decay of the excitatory current", low=1e-6),
        Parameter("tau_rise_inh", 1.0, "ms", "time constant of the rise of the inhibitory current", low=1e-6),
        Parameter("tau_inh", 8.0, "ms", "time constant of the decay of the inhibitory current", low=1e-6),
        Parameter("i_e", 0.0, "pA", "constant injected current"),
    ),
    state=(
        StateVariable("v", "mV", "membrane potential", initial="e_l"),
        StateVariable("i_exc", "pA", "excitatory synaptic current"),
        StateVariable("rise_exc", "pA", "what makes the excitatory current rise"),
        StateVariable("i_inh", "pA", "inhibitory synaptic current"),
        StateVariable("rise_inh", "pA", "what makes the inhibitory current rise"),
    ),
    receptors={"exc": Receptor("rise_exc", "pA"), "inh": Receptor("rise_inh", "pA")},
    drive_unit="pA",
)
