"""Wang and Buzsáki's fast-spiking interneuron with exponentially decaying synaptic conductances."""

from neurosim.models.declare import NeuronModel, Parameter, Receptor, StateVariable

MODEL = NeuronModel(
    name="wang_buzsaki",
    summary="fast-spiking hippocampal interneuron, exponential synaptic conductances (nS, never negative)",
    source="doi:10.1523/JNEUROSCI.16-20-06402.1996",  # Wang & Buzsáki 1996, J Neurosci 16:6402
    # The conductances are those of 10 000 μm². Rates x/(exp(x) - 1) are written 1/exprel(x): no hole at x = 0.
    equations="""\
dv/dt = (g_l*(e_l - v) + i_na + i_k + g_exc*(e_exc - v) + g_inh*(e_inh - v) + i_e + i_stim)/c_m : mV
dh/dt = phi*(alpha_h*(1 - h) - beta_h*h) : 1
dn/dt = phi*(alpha_n*(1 - n) - beta_n*n) : 1
dg_exc/dt = -g_exc/tau_exc : nS
dg_inh/dt = -g_inh/tau_inh : nS
i_na = g_na*m**3*h*(e_na - v) : pA
i_k = g_k*n**4*(e_k - v) : pA
m = alpha_m/(alpha_m + beta_m) : 1
alpha_m = 1/exprel(-(v + 35 mV)/(10 mV))/ms : 1/ms
beta_m = 4*exp(-(v + 60 mV)/(18 mV))/ms : 1/ms
alpha_h = 0.07*exp(-(v + 58 mV)/(20 mV))/ms : 1/ms
beta_h = 1/(1 + exp(-(v + 28 mV)/(10 mV)))/ms : 1/ms
alpha_n = 0.1/exprel(-(v + 34 mV)/(10 mV))/ms : 1/ms
beta_n = 0.125*exp(-(v + 44 mV)/(80 mV))/ms : 1/ms""",
    method="rk4",
    threshold="v > v_th",
    refractory="t_ref",
    parameters=(
        Parameter("c_m", 100.0, "pF", "membrane capacitance", low=1.0),
        Parameter("g_l", 10.0, "nS", "leak conductance", low=0.0),
        Parameter("g_na", 3500.0, "nS", "greatest sodium conductance", low=0.0),
        Parameter("g_k", 900.0, "nS", "greatest potassium conductance", low=0.0),
        Parameter("e_l", -65.0, "mV", "reversal potential of the leak"),
        Parameter("e_na", 55.0, "mV", "reversal potential of sodium"),
        Parameter("e_k", -90.0, "mV", "reversal potential of potassium"),
        Parameter("phi", 5.0, "", "how much faster the gates h and n are than in the squid", low=0.0),
        Parameter("v_th", -20.0, "mV", "potential beyond which a spike is counted"),
        Parameter("t_ref", 1.5, "ms", "time after a spike in which none is counted (the membrane goes on)", low=0.0),
        Parameter("e_exc", 0.0, "mV", "reversal potential of excitation"),
        Parameter("e_inh", -75.0, "mV", "reversal potential of inhibition"),
        Parameter("tau_exc", 2.0, "ms", "time constant of the excitatory conductance", low=0.05),
        Parameter("tau_inh", 10.0, "ms", "time constant of the inhibitory conductance", low=0.05),
        Parameter("i_e", 0.0, "pA", "constant injected current"),
    ),
    # the resting state
    state=(
        StateVariable("v", "mV", "membrane potential", initial=-64.0),
        StateVariable("h", "", "inactivation of sodium (1: none)", initial=0.78),
        StateVariable("n", "", "activation of potassium", initial=0.09),
        StateVariable("g_exc", "nS", "excitatory synaptic conductance"),
        StateVariable("g_inh", "nS", "inhibitory synaptic conductance"),
    ),
    receptors={"exc": Receptor("g_exc", "nS"), "inh": Receptor("g_inh", "nS")},
    drive_unit="pA",
)
