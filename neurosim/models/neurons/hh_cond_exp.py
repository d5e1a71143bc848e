"""Hodgkin-Huxley neuron of Traub and Miles with exponentially decaying synaptic conductances."""

from neurosim.models.declare import NeuronModel, Parameter, Receptor, StateVariable

MODEL = NeuronModel(
    name="hh_cond_exp",
    summary="Hodgkin-Huxley neuron of Traub & Miles, exponential synaptic conductances (nS, never negative)",
    source="doi:10.1007/s10827-007-0038-6",  # Brette et al. 2007, J Comput Neurosci 23:349, benchmark 3 (COBAHH)
    # The conductances are those of 20 000 μm². Rates x/(exp(x) - 1) are written 1/exprel(x): no hole at x = 0.
    # With the benchmark's parameters a neuron that nobody drives fires 14 times a second.
    equations="""\
dv/dt = (g_l*(e_l - v) + i_na + i_k + g_exc*(e_exc - v) + g_inh*(e_inh - v) + i_e + i_stim)/c_m : mV
dm/dt = alpha_m*(1 - m) - beta_m*m : 1
dh/dt = alpha_h*(1 - h) - beta_h*h : 1
dn/dt = alpha_n*(1 - n) - beta_n*n : 1
dg_exc/dt = -g_exc/tau_exc : nS
dg_inh/dt = -g_inh/tau_inh : nS
i_na = g_na*m**3*h*(e_na - v) : pA
i_k = g_k*n**4*(e_k - v) : pA
u = v - v_t : mV
alpha_m = 1.28/exprel((13 mV - u)/(4 mV))/ms : 1/ms
beta_m = 1.4/exprel((u - 40 mV)/(5 mV))/ms : 1/ms
alpha_h = 0.128*exp((17 mV - u)/(18 mV))/ms : 1/ms
beta_h = 4/(1 + exp((40 mV - u)/(5 mV)))/ms : 1/ms
alpha_n = 0.16/exprel((15 mV - u)/(5 mV))/ms : 1/ms
beta_n = 0.5*exp((10 mV - u)/(40 mV))/ms : 1/ms""",
    method="exponential_euler",
    threshold="v > v_th",
    refractory="t_ref",
    parameters=(
        Parameter("c_m", 200.0, "pF", "membrane capacitance", low=1e-6),
        Parameter("g_l", 10.0, "nS", "leak conductance", low=0.0),
        Parameter("g_na", 20000.0, "nS", "greatest sodium conductance", low=0.0),
        Parameter("g_k", 6000.0, "nS", "greatest potassium conductance", low=0.0),
        Parameter("e_l", -60.0, "mV", "reversal potential of the leak"),
        Parameter("e_na", 50.0, "mV", "reversal potential of sodium"),
        Parameter("e_k", -90.0, "mV", "reversal potential of potassium"),
        Parameter("v_t", -63.0, "mV", "shifts the voltage dependence of all channels, and so the threshold"),
        Parameter("v_th", -20.0, "mV", "potential beyond which a spike is counted"),
        Parameter("t_ref", 3.0, "ms", "time after a spike in which none is counted (the membrane goes on)", low=0.0),
        Parameter("e_exc", 0.0, "mV", "reversal potential of excitation"),
        Parameter("e_inh", -80.0, "mV", "reversal potential of inhibition"),
        Parameter("tau_exc", 5.0, "ms", "time constant of the excitatory conductance", low=1e-6),
        Parameter("tau_inh", 10.0, "ms", "time constant of the inhibitory conductance", low=1e-6),
        Parameter("i_e", 0.0, "pA", "constant injected current"),
    ),
    # gates begin with their steady values at -60 mV
    state=(
        StateVariable("v", "mV", "membrane potential", initial="e_l"),
        StateVariable("m", "", "activation of sodium", initial=0.027),
        StateVariable("h", "", "inactivation of sodium (1: none)", initial=0.991),
        StateVariable("n", "", "activation of potassium", initial=0.06),
        StateVariable("g_exc", "nS", "excitatory synaptic conductance"),
        StateVariable("g_inh", "nS", "inhibitory synaptic conductance"),
    ),
    receptors={"exc": Receptor("g_exc", "nS"), "inh": Receptor("g_inh", "nS")},
    drive_unit="pA",
)
