"""What a simulation survives: errors in callbacks, Ctrl-C, mistakes, next to nothing to do."""

from __future__ import annotations

import copy
import multiprocessing.reduction
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np
import pytest
from test_simulation import noisy

import neurosim as ns
from neurosim.errors import InvalidInput, NeurosimError, UsageError


def test_an_error_in_a_callback_loses_nothing() -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("mine")

    _, whole = noisy()
    whole.run(20.0)
    net, sim = noisy()
    log: list[float] = []
    spikes = sim.record_spikes("a")
    sim.at(5.0, fail)
    sim.at(5.0, lambda sim: log.append(sim.time))
    with pytest.raises(RuntimeError, match="mine"):
        sim.run(10.0)
    net.populations["a"].add(0)  # it can be edited
    sim._observers["a"] = [fail]
    with pytest.raises(RuntimeError, match="mine"):
        sim.run(10.0)
    sim._observers.clear()
    sim.run(20.0 - sim.time)
    assert log == [5.0]
    assert sim.hash() == whole.hash()
    assert len(spikes) == sim.spike_counts["a"] == whole.spike_counts["a"]


@contextmanager
def ctrl_c(sim: ns.Simulation) -> Iterator[None]:
    """Send SIGINT again and again while ``sim`` runs."""
    over = threading.Event()

    def press() -> None:
        while not over.wait(0.01):
            if not sim._whole:
                os.kill(os.getpid(), signal.SIGINT)

    presser = threading.Thread(target=press)
    presser.start()
    try:
        yield
    finally:
        over.set()
        with suppress(KeyboardInterrupt):  # the last one may come late
            presser.join()
        presser.join()


@pytest.mark.parametrize("threads", [1, 2])
def test_ctrl_c_leaves_a_simulation_that_can_go_on(threads: int) -> None:
    _, whole = noisy(8300)
    whole.run(300.0)
    _, sim = noisy(8300, threads=threads)
    interrupted, patience = 0, time.monotonic() + 60
    with ctrl_c(sim):
        while sim.time < 300.0 and time.monotonic() < patience:
            try:
                sim.run(300.0 - sim.time)
            except KeyboardInterrupt:
                interrupted += 1
    assert interrupted > 0
    assert sim.hash() == whole.hash()
    assert sim.spike_counts == whole.spike_counts
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_simulation_that_was_broken_off_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    _, sim = noisy()

    def torn(*_: object) -> int:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(sim._team, "run", torn)
        with pytest.raises(MemoryError):
            sim.run(1.0)
    with pytest.raises(UsageError, match="build it anew"):
        sim.run(1.0)


def test_only_the_latest_simulation_of_a_network_runs_and_it_goes_on() -> None:
    _, whole = noisy()
    whole.run(20.0)
    net, first = noisy()
    first.stimulate("a", "1 nA", "1 s")
    first.stimulate("a", "-1 nA", "1 s")  # together nothing
    first.run(7.7)
    second = ns.Simulation(net)
    assert second.time == pytest.approx(7.7)
    spikes = second.record_spikes("a")
    second.run(20.0 - second.time)
    assert first.spike_counts["a"] + len(spikes) == whole.spike_counts["a"]
    np.testing.assert_array_equal(net.populations["a"].v.values, whole.network.populations["a"].v.values)
    with pytest.raises(UsageError, match="another simulation"):
        first.run(1.0)


def test_between_two_looks_nothing_can_be_changed() -> None:
    net, sim = noisy()
    a, aa = net.populations["a"], net.projections["aa"]
    attempts: list[Callable[[], Any]] = [
        lambda: a.add(1), lambda: a.remove(a.ids[:1]), lambda: aa.add(a.ids[:1], a.ids[:1]), lambda: aa.remove(aa.ids),
        lambda: aa.weight.set(1.0), lambda: a.v.set(0.0), lambda: a.set_parameter("tau_m", 5.0),
        lambda: net.inputs["drive"].set("rate", 0.0), lambda: sim.stimulate(a, 1.0, 1.0), lambda: sim.run(1.0),
        lambda: sim.at(15.0, print), lambda: sim.every(1.0, print), lambda: sim.record_state(a, "v"),
    ]  # fmt: skip
    refused: list[object] = []

    def act(sim: ns.Simulation, times: Any, ids: Any) -> None:
        for attempt in attempts[len(refused) :]:
            with pytest.raises(UsageError):
                attempt()
            refused.append(attempt)

    sim.on_spike("a", act)
    sim.run(20.0)
    assert len(refused) == len(attempts)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda sim: sim.run(-1), lambda sim: sim.run("5 mV"), lambda sim: sim.run(float("nan")),
        lambda sim: sim.run(1e300), lambda sim: sim.every(0, print), lambda sim: sim.every(0.0, print, start=0.0),
        lambda sim: sim.every(0.01, print), lambda sim: sim.at(0.5, print), lambda sim: sim.at("soon", print),
        lambda sim: sim.at(5.0, "print"), lambda sim: sim.when(True, 3), lambda sim: sim.on_spike("a", None),
        lambda sim: sim.record_spikes("b"), lambda sim: sim.record_spikes(3), lambda sim: sim.record_state("a", "w"),
        lambda sim: sim.record_state("a", "v", every=0.0), lambda sim: sim.record_state("a", "v", select="w > 1"),
        lambda sim: sim.record_state("a", "v", select=[99]), lambda sim: sim.record_synapses("bb"),
        lambda sim: sim.record_synapses("aa", "speed"), lambda sim: sim.record_synapses("aa", sample=-1),
        lambda sim: sim.record_synapses("aa", sample="all"), lambda sim: sim.record_synapses("aa", sample=[2**40]),
        lambda sim: sim.stimulate("a", "3 mV", 1.0), lambda sim: sim.stimulate("a", 3.0, -1.0),
        lambda sim: sim.stimulate(("a", [99]), 3.0, 1.0), lambda sim: sim.stimulate([0, 1], 3.0, 1.0),
        lambda sim: sim.rate("nobody"), lambda sim: sim.conservation(),
        lambda sim: sim.record_spikes(noisy()[0].populations["a"]),
        lambda sim: ns.Simulation(sim.network, threads=0), lambda sim: ns.Simulation(sim.network, threads="two"),
        lambda sim: ns.Simulation(sim.network, backend="cuda"), lambda sim: ns.Simulation(sim.network, dt=0.2),
    ],
)  # fmt: skip
def test_mistakes_are_named_and_change_nothing(wrong: Callable[[ns.Simulation], Any]) -> None:
    _, sim = noisy()
    sim.run(1.0)
    with pytest.raises((UsageError, InvalidInput)) as raised:
        wrong(sim)
    assert isinstance(raised.value, NeurosimError)
    assert len(str(raised.value)) > 10
    sim.run(1.0)
    assert sim.time == 2.0


@pytest.mark.lane
def test_hardly_anything_is_enough() -> None:
    net = ns.Network()
    sim = ns.Simulation(net)
    sim.run(5.0)
    nobody = net.add_population("nobody", 0)
    one = net.add_population("one", 1)
    net.connect(nobody, one, "all_to_all", weight=1.0, delay=0.01)
    net.connect(one, one, "none", weight=1.0)
    net.add_input("drive", ns.inputs.poisson(0.0), [nobody, one])
    recorder = sim.record_state("nobody", "v")
    assert sim.state()["step"] == [50]
    sim.run(0.0)
    sim.run(0.04)
    sim.run("5 ms")
    assert (sim.time, sim.events, len(recorder["v"])) == (10.0, 0, 0)
    nobody.add(2)
    sim.run(1.0)
    assert recorder["v"].tolist() == [0.0, 0.0]


def test_what_would_go_unnoticed_is_refused() -> None:
    net, _ = noisy()
    a = net.populations["a"]
    for copier in (copy.copy, copy.deepcopy, pickle_of):
        with pytest.raises(UsageError, match="to_networkx"):
            copier(net)
    with pytest.raises(UsageError, match="copied"):
        copy.deepcopy(net.projections["aa"])
    with pytest.raises(AttributeError, match="set_parameter"):
        a.tau_m = 10.0
    with pytest.raises(AttributeError, match="Did you mean 'v'"):
        a.V = 10.0
    with pytest.raises(AttributeError, match="size"):
        a.size = 10
    with pytest.raises(InvalidInput, match="condition"):
        a.where("v")
    with pytest.raises(UsageError, match="ids"):
        a.add(10**12)
    assert a.size == 40


def pickle_of(network: ns.Network) -> bytes:
    """What multiprocessing would send."""
    return multiprocessing.reduction.ForkingPickler.dumps(network)  # type: ignore[no-any-return]
