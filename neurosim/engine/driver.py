"""The run loop, compiled once for all networks: it walks tables of (kernel address, record address).

Why one barrier per epoch is enough. An epoch is no longer than the smallest delay, so nothing that is emitted in it
arrives in it: populations do not depend on each other inside an epoch. At the beginning of epoch e+1 each thread
delivers *all* spikes of epoch e to *its own* shards, then advances its own shards through the epoch. It writes only
its own shards' state and spike lists, and it reads only the lists of epoch e, which are complete (the barrier) and
which nobody writes before epoch e+2 (lists alternate, and the barrier of e+1 lies in between). Arrivals of one
target are added step by step, projection by projection, source by source: the order of the law, whatever the number
of threads and the length of the epoch. Delays of zero make every epoch one step long; their arrivals are delivered
first thing after the step, before anyone looks.
"""

from __future__ import annotations

import numpy as np

from neurosim.compiled import array_at, barrier, call, inlined, kernel, prefetch, record_at
from neurosim.engine.records import DELIVERY, PLAN, POPULATION, TILE, list_of


@inlined
def _merged(population, parity, j, out):
    """Merge the shards' lists of one step into the order of ids; returns how many there are."""
    ids = array_at(population.id, population.n_slots, np.uint32)
    at = np.zeros(population.shards, np.int64)
    total = 0
    while True:
        best, best_slot = np.int64(-1), np.int64(0)
        for shard in range(population.shards):
            count, slots = list_of(population, shard, parity, j)
            if at[shard] < count[0]:
                slot = np.int64(slots[at[shard]])
                if best < 0 or ids[slot] < ids[best_slot]:
                    best, best_slot = np.int64(shard), slot
        if best < 0:
            return total
        out[total] = np.uint32(best_slot)
        at[best] += 1
        total += 1


@inlined
def _deliver_step(plan, thread, parity, j, step):
    """Deliver the spikes of one step to this thread's shards, projection by projection."""
    populations = array_at(plan.populations, plan.n_populations, POPULATION)
    deliveries = array_at(plan.deliveries, plan.n_deliveries, DELIVERY)
    share = array_at(plan.share + 16 * thread * plan.n_populations, 2 * plan.n_populations, np.int64)
    scratch = array_at(plan.scratch + 4 * thread * plan.scratch_size, plan.scratch_size, np.uint32)
    events = 0
    for q in range(deliveries.size):  # what is due periodically sees neurons as they are before anything is delivered
        delivery = deliveries[q]
        s_lo, s_hi = share[2 * delivery.target], share[2 * delivery.target + 1]
        if delivery.keep_up != 0 and s_lo < s_hi:
            call(delivery.keep_up, delivery.record, step, s_lo, s_hi, parity, j, 0)
        if delivery.period > 0 and step % delivery.period == 0 and s_lo < s_hi:
            call(delivery.tick, delivery.record, step, s_lo, s_hi, 0, 0, 0)
    for q in range(deliveries.size):
        delivery = deliveries[q]
        s_lo, s_hi = share[2 * delivery.target], share[2 * delivery.target + 1]
        if s_lo == s_hi:
            continue
        source = populations[delivery.source]
        if source.ordered:
            for shard in range(source.shards):
                count, slots = list_of(source, shard, parity, j)
                n = count[0]
                if n > 0:
                    fired = slots.ctypes.data
                    events += call(delivery.kernel, delivery.record, step, fired, n, s_lo, s_hi, 0)
        else:
            n = _merged(source, parity, j, scratch)
            if n > 0:
                fired = plan.scratch + 4 * thread * plan.scratch_size
                events += call(delivery.kernel, delivery.record, step, fired, n, s_lo, s_hi, 0)
    return events


@inlined
def _tend(plan, thread, step):
    """After all spikes up to ``step`` are delivered: what learning remembers is kept short; whether it could not be."""
    deliveries = array_at(plan.deliveries, plan.n_deliveries, DELIVERY)
    share = array_at(plan.share + 16 * thread * plan.n_populations, 2 * plan.n_populations, np.int64)
    full = np.int64(0)
    for q in range(deliveries.size):
        delivery = deliveries[q]
        s_lo, s_hi = share[2 * delivery.target], share[2 * delivery.target + 1]
        if delivery.tend != 0 and s_lo < s_hi:
            full |= call(delivery.tend, delivery.record, step, s_lo, s_hi, 0, 0, 0)
    return full


@inlined
def _digested(digest, step, neuron):
    """Take one spike into a population's running digest (the finaliser of splitmix64)."""
    x = digest ^ ((np.uint64(step) << np.uint64(32)) | np.uint64(neuron))
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@inlined
def _log_step(plan, thread, parity, j, step):
    """Append the spikes of one step to each population's log, in order of ids, and to its digest."""
    populations = array_at(plan.populations, plan.n_populations, POPULATION)
    scratch = array_at(plan.scratch + 4 * thread * plan.scratch_size, plan.scratch_size, np.uint32)
    for p in range(populations.size):
        population = populations[p]
        ids = array_at(population.id, population.n_slots, np.uint32)
        log_step = array_at(population.log_step, population.log_capacity, np.int64)
        log_id = array_at(population.log_id, population.log_capacity, np.uint32)
        last_spike = array_at(population.last_spike, population.n_slots, np.int64)
        digest = array_at(population.digest, 1, np.uint64)
        logged = array_at(population.log_count, 1, np.int64)
        k = logged[0]
        if population.ordered:
            for shard in range(population.shards):
                count, fired = list_of(population, shard, parity, j)
                for i in range(count[0]):
                    log_step[k], log_id[k] = step, ids[fired[i]]
                    last_spike[fired[i]] = step
                    digest[0] = _digested(digest[0], step, log_id[k])
                    k += 1
        else:
            for i in range(_merged(population, parity, j, scratch)):
                log_step[k], log_id[k] = step, ids[scratch[i]]
                last_spike[scratch[i]] = step
                digest[0] = _digested(digest[0], step, log_id[k])
                k += 1
        logged[0] = k


@inlined
def _log_is_full(plan):
    """Whether another two epochs might not fit into some population's log."""
    populations = array_at(plan.populations, plan.n_populations, POPULATION)
    for p in range(populations.size):
        population = populations[p]
        logged = array_at(population.log_count, 1, np.int64)[0]
        if population.log_capacity - logged < 2 * plan.epoch * population.n_slots:
            return True
    return False


@inlined
def _advance(plan, thread, first, n_steps, parity):
    """Advance this thread's shards through an epoch, tile by tile: inputs first, then the neurons."""
    populations = array_at(plan.populations, plan.n_populations, POPULATION)
    inputs = array_at(plan.inputs, 2 * plan.n_inputs, np.int64)
    notes = array_at(plan.notes, 2 * plan.n_notes, np.int64)
    share = array_at(plan.share + 16 * thread * plan.n_populations, 2 * plan.n_populations, np.int64)
    arrived = 0
    for p in range(populations.size):
        population = populations[p]
        used = array_at(population.used, population.shards, np.int64)
        for shard in range(share[2 * p], share[2 * p + 1]):
            place = (parity * population.shards + shard) * population.epoch
            count = array_at(population.count, place + n_steps, np.int64)
            for j in range(n_steps):
                count[place + j] = 0
            base = shard * population.stride
            for lo in range(0, used[shard], TILE):
                hi = min(lo + TILE, used[shard])
                for k in range(population.first_input, population.first_input + population.n_inputs):
                    arrived += call(
                        inputs[2 * k], inputs[2 * k + 1], first, n_steps, base + lo, base + hi, shard, parity
                    )
                call(population.kernel, population.record, first, n_steps, base + lo, base + hi, shard, parity)
            for k in range(population.first_note, population.first_note + population.n_notes):
                call(notes[2 * k], notes[2 * k + 1], first, n_steps, shard, parity, 0, 0)
    return arrived


@inlined
def _ask_for_lists(plan, parity):
    """Ask for the spikes that other threads have listed, all at once: to fetch one after the other takes longer."""
    populations = array_at(plan.populations, plan.n_populations, POPULATION)
    for p in range(populations.size):
        population = populations[p]
        for shard in range(population.shards):
            place = (parity * population.shards + shard) * population.epoch
            prefetch(array_at(population.count, place + 1, np.int64), place)
            prefetch(array_at(population.out, (place + 1) * population.stride, np.uint32), place * population.stride)


@kernel
def drive(plan_address: int, thread: int, threads: int, first: int, n_steps: int) -> int:
    """Run ``n_steps`` steps from step number ``first``; returns how many were run (fewer when a log is full).

    Called by every thread of the team with the same arguments but ``thread``. Afterwards all spikes are delivered
    and logged: nothing is pending but what stands in the rings.
    """
    plan = record_at(plan_address, PLAN)
    cells = array_at(plan.cells, 64, np.int32)
    stop = array_at(plan.stop, 2 * threads, np.int64)
    events, arrived, done, pending, parity = 0, 0, 0, 0, 0
    while done < n_steps:
        n = min(plan.epoch, n_steps - done)
        for j in range(pending):
            events += _deliver_step(plan, thread, 1 - parity, j, first + done - pending + j)
        full = _tend(plan, thread, first + done - 1) if pending > 0 else np.int64(0)
        if thread == plan.logger:
            for j in range(pending):
                _log_step(plan, thread, 1 - parity, j, first + done - pending + j)
            full |= np.int64(_log_is_full(plan))
        if stop[parity * threads + thread] != full:  # seldom: all threads read this line in every epoch
            stop[parity * threads + thread] = full
        arrived += _advance(plan, thread, first + done, n, parity)
        barrier(cells, threads, plan.spins)
        if threads > 1:
            _ask_for_lists(plan, parity)
        for other in range(threads):
            full |= stop[parity * threads + other]
        pending = n
        parity = 1 - parity
        done += n
        if full:
            break
    for j in range(pending):
        events += _deliver_step(plan, thread, 1 - parity, j, first + done - pending + j)
    if thread == plan.logger:
        for j in range(pending):
            _log_step(plan, thread, 1 - parity, j, first + done - pending + j)
    if pending > 0:
        _tend(plan, thread, first + done - 1)
    array_at(plan.events, 8 * (thread + 1), np.int64)[8 * thread] += events
    array_at(plan.arrived, 8 * (thread + 1), np.int64)[8 * thread] += arrived
    return done
