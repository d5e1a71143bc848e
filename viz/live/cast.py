"""Who is drawn: populations with their roles and colours, projections, and the modules that neurons belong to."""

from __future__ import annotations

import colorsys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neurosim.viz.live.frame import PopulationLook, ProjectionLook

if TYPE_CHECKING:
    from neurosim.graph.network import Network
    from neurosim.record import Result
    from neurosim.viz.style import Role


@dataclass(frozen=True)
class Cast:
    """The declared parts of a network. ``groups`` maps a name to a population (by number) and ids, ascending."""

    populations: tuple[PopulationLook, ...]
    projections: tuple[ProjectionLook, ...]
    groups: Mapping[str, tuple[int, NDArray[np.uint32]]] = field(default_factory=dict)

    @property
    def modules(self) -> tuple[str, ...]:
        """Names of the modules: the populations, then the groups."""
        return (*(look.name for look in self.populations), *self.groups)

    def module_of(self, population: NDArray[Any], ids: NDArray[np.uint32]) -> NDArray[np.int64]:
        """Numbers of the modules of neurons: the first group that each belongs to, else its population."""
        module = np.asarray(population, np.int64).copy()
        for number, (owner, members) in reversed(list(enumerate(self.groups.values(), len(self.populations)))):
            inside = (population == owner) & np.isin(ids, members)
            module[inside] = number
        return module


def roles(models: Mapping[str, str], onto: Iterable[tuple[str, str | None]]) -> dict[str, Role]:
    """What populations do to others: inhibit, excite, or bring input from outside.

    Parameters
    ----------
    models : name of each population -> name of its model.
    onto : the source and the receptor of each projection.

    Sources are those whose model receives nothing; inhibitory is who projects to a receptor of that name.
    """
    from neurosim.models import neuron_models

    known = neuron_models()
    inhibits = {source for source, receptor in onto if "inh" in (receptor or "").lower()}
    found: dict[str, Role] = {}
    for name, model in models.items():
        if model in known and not known[model].receptors:
            found[name] = "source"
        else:
            found[name] = "inhibitory" if name in inhibits or name.lower().startswith("inh") else "excitatory"
    return found


def of_network(network: Network) -> Cast:
    """The cast of a network as it is now."""
    declared = network.projections.values()
    projections = [(p.name, p.source.name, p.target.name, p.receptor, p.weight_unit) for p in declared]
    models = {name: population.model.name for name, population in network.populations.items()}
    by_population = sorted(network.groups.items(), key=lambda named: named[1].population.index)  # as a result has them
    groups = {name: (group.population.index, np.sort(group.members)) for name, group in by_population}
    return _cast(models, projections, groups)


def of_result(result: Result) -> Cast:
    """The cast of a recorded network, as it was declared."""
    models = {name: about.model for name, about in result.populations.items()}
    declared = result.projections.values()
    units = {p.name: str(p.info.get("weight_unit") or "") for p in declared}
    projections = [(p.name, p.source, p.target, p.receptor or "", units[p.name]) for p in declared]
    numbers = list(models)
    groups = {name: (numbers.index(population), ids) for name, (population, ids) in result.groups.items()}
    return _cast(models, projections, groups)


def _cast(models: Mapping[str, str], projections: list[tuple[str, str, str, str, str]], groups: Any) -> Cast:
    from neurosim.viz.style import colours

    role = roles(models, [(source, receptor) for _, source, _, receptor, _ in projections])
    colour, number = colours(role), {name: k for k, name in enumerate(models)}
    looks = tuple(PopulationLook(name, model, role[name], on_dark(colour[name])) for name, model in models.items())
    lines = tuple(ProjectionLook(name, number[a], number[b], *more) for name, a, b, *more in projections)
    return Cast(looks, lines, groups)


def on_dark(colour: str) -> str:
    """A colour of the pictures, of the same hue, as it is seen on dark ground."""
    red, green, blue = (int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5))
    hue, light, saturation = colorsys.rgb_to_hls(red, green, blue)
    light, saturation = 0.56 + 0.22 * light, min(1.0, saturation * 1.25) if saturation > 0.12 else saturation
    return "#" + "".join(f"{round(255 * part):02x}" for part in colorsys.hls_to_rgb(hue, light, saturation))
