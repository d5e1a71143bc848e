"""The small scenario that the tests of scenarios and of expectations run."""

SMALL = """\
name: small
about: For tests.
duration: 200 ms
populations:
  exc: {size: 80, model: lif_delta, initial: {v: "uniform(0 mV, 20 mV)"}}
  inh: {size: 20, model: {lif_delta: {tau_m: 10 ms}}}
groups:
  cue: {population: exc, first: 8}
  any: {population: exc, random: 8}
inputs:
  drive: {poisson: {rate: 15 kHz}, to: [exc, inh], weight: 0.1 mV}
projections:
  e: {from: exc, to: [exc, inh], connect: {fixed_indegree: 10}, weight: 0.2 mV, delay: "uniform(1 ms, 2 ms)"}
  i: {from: inh, to: [exc, inh], connect: {fixed_probability: {p: 0.2, autapses: false}}, weight: -1 mV, delay: 1 ms}
"""
