"""What goes over the socket: binary messages of a short JSON head and plain arrays behind it.

    u32 length of the head │ head, padded to 8 bytes │ array │ array │ …      each array padded to 8 bytes

The head has ``kind``, facts, and ``arrays``: [name, type, number of entries] in the order in which they follow; all is
little-endian. The page reads it in `page/wire.js`.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurosim.viz.live.frame import Frame, Scene

# Names of JavaScript's typed arrays; what has more than 32 bits goes as doubles, which hold any index and time.
_TYPES = {"f4": "Float32Array", "f8": "Float64Array", "u1": "Uint8Array", "u2": "Uint16Array", "u4": "Uint32Array"}


def message(kind: str, facts: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """One binary message."""
    plain = {name: _plain(array) for name, array in arrays.items()}
    described = [[name, _TYPES[array.dtype.str[1:]], array.size] for name, array in plain.items()]
    head = json.dumps({"kind": kind, **facts, "arrays": described}, separators=(",", ":")).encode()
    head += b" " * (-(len(head) + 4) % 8)
    bodies = (array.tobytes() for array in plain.values())
    return b"".join([struct.pack("<I", len(head)), head, *(body + b"\0" * (-len(body) % 8) for body in bodies)])


def _plain(array: NDArray[Any]) -> NDArray[Any]:
    if array.dtype.kind in "iu" and array.dtype.itemsize == 8:
        array = array.astype("<f8")
    return np.ascontiguousarray(array.astype(array.dtype.newbyteorder("<"), copy=False)).reshape(-1)


def scene_message(scene: Scene) -> bytes:
    """A whole scene."""
    facts = {
        "version": scene.version, "time": scene.time, "slots": scene.slots, "total": scene.total,
        "populations": [asdict(look) for look in scene.populations],
        "projections": [asdict(look) for look in scene.projections],
        "modules": list(scene.modules),
    }  # fmt: skip
    return message("scene", facts, _columns("neurons", scene.neurons) | _columns("synapses", scene.synapses))


def frame_message(frame: Frame) -> bytes:
    """One frame, or several that were merged. Times of spikes are told from ``before`` on."""
    facts: dict[str, Any] = {
        "version": frame.version, "time": frame.time, "before": frame.before, "spikes": frame.spikes,
        "births": frame.births, "deaths": frame.deaths,
    }  # fmt: skip
    facts |= {"caption": frame.caption} if frame.caption else {}
    facts |= {"traces": frame.traces} if frame.traces else {}
    arrays: dict[str, NDArray[Any]] = {
        "spike_time": (frame.spike_time - frame.before).astype(np.float32), "spike_neuron": frame.spike_neuron,
        "activity": frame.activity, "rates": frame.rates, "neurons": frame.neurons, "synapses": frame.synapses,
        "died": frame.died,
    }  # fmt: skip
    for name in ("born", "hidden", "shown", "values"):
        columns = getattr(frame, name)
        if columns[0].size:
            arrays |= _columns(name, columns)
    return message("frame", facts, arrays)


def _columns(name: str, columns: Any) -> dict[str, NDArray[Any]]:
    """The columns of a table; ids of synapses in two halves, for doubles do not hold them."""
    table = {f"{name}.{field}": column for field, column in columns._asdict().items()}
    ids = table.get(f"{name}.id")
    if ids is not None and ids.dtype == np.uint64:
        del table[f"{name}.id"]
        table[f"{name}.serial"] = (ids & np.uint64(0xFFFFFFFF)).astype(np.uint32)
        table[f"{name}.source"] = (ids >> np.uint64(32)).astype(np.uint32)
    return table
