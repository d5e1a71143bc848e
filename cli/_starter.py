"""The scenario that ``neurosim new`` writes when it is given no example: ``{name}`` is replaced."""

STARTER = """\
# A scenario says everything about a run: the network, what happens to it, what is recorded and what is expected.
#
#   neurosim check {name}.yaml      what is wrong with it, without running it
#   neurosim run {name}.yaml        runs it, writes {name}.nsim and says what happened
#   neurosim plot {name}.nsim       a picture
#
# Quantities carry their unit; `neurosim models NAME` shows the parameters of a model and what they are measured in.
name: {name}
about: Excitation and inhibition in balance, driven by noise; the synapses between excitatory neurons learn.
seed: 1              # the same seed gives the same run, whatever the number of threads
dt: 0.1 ms
duration: 1 s

populations:         # NAME: how many, which model (`neurosim models` lists them), what they begin with
  exc:
    size: 400
    model: {lif_delta: {tau_m: "normal(20 ms, 2 ms)", v_th: 20 mV}}   # every neuron has a time constant of its own
    initial: {v: "uniform(0 mV, 20 mV)"}
  inh: {size: 100, model: lif_delta, initial: {v: "uniform(0 mV, 20 mV)"}}
  # A model of your own can be written in place. Take away the `#` before these lines, and there are ten such neurons:
  # own:
  #   size: 10
  #   equations: |
  #     dv/dt = (e_l - v)/tau_m + (i_syn - w + i_e)/c_m : mV (unless refractory)
  #     dw/dt = -w/tau_w : pA                 # a current that grows with every spike, and makes it tired
  #     di_syn/dt = -i_syn/tau_syn : pA
  #   threshold: v > v_th
  #   reset: v = e_l; w += b
  #   refractory: 2 ms
  #   parameters: {e_l: -65 mV, v_th: -50 mV, tau_m: 20 ms, c_m: 250 pF, tau_w: 200 ms, b: 20 pA, tau_syn: 5 ms,
  #                i_e: 300 pA}
  #   receptors: {exc: i_syn}                 # what arrives is added to this variable
  #   initial: {v: e_l}

groups:              # some neurons by name
  cue: {population: exc, first: 40}

inputs:              # from outside, independent for every neuron
  noise: {poisson: {rate: 15 kHz}, to: [exc, inh], weight: 0.1 mV}

projections:         # from whom to whom, by which connector, how strong, how slow
  ee:
    from: exc
    to: exc
    connect: {fixed_indegree: 40}
    weight: 0.1 mV
    delay: "uniform(1 ms, 5 ms)"
    bounds: {weight: [0 mV, 0.3 mV]}
    learning: [{stdp: {tau_plus: 20 ms}}]
  ei: {from: exc, to: inh, connect: {fixed_indegree: 40}, weight: 0.1 mV, delay: 1 ms}
  i: {from: inh, to: [exc, inh], connect: {fixed_indegree: 10}, weight: -1.2 mV, delay: 1 ms}

protocol:            # what happens when
  - {at: 500 ms, stimulate: {group: cue, current: 300 pA, for: 100 ms}}

record:              # it never changes what happens
  spikes: [exc, inh]
  state: {exc: {variables: [v], select: {first: 5}, every: 1 ms}}
  synapses: {ee: {variables: [weight], every: 100 ms, sample: 1000}}

expect:              # checked at the end; `neurosim run` says which did not hold
  - {rate: exc, over: [100 ms, 500 ms], between: [1 Hz, 100 Hz]}
"""
