"""``neurosim export``: the graph and the spikes of a result, for other programs."""

from __future__ import annotations

import click
from rich.markup import escape

from neurosim.cli._console import console
from neurosim.cli._types import TIME


@click.command("export", short_help="Take the graph or the spikes of a result to other programs.")
@click.argument("file", metavar="FILE.nsim")
@click.argument("out", metavar="OUT")
@click.option("--at", type=TIME, metavar="TIME", help="The graph as it was then, e.g. '2 s'. Default: at the end.")
def command(file: str, out: str, at: float | None) -> None:
    """Write FILE.nsim as OUT; the suffix of OUT names the format.

    \b
    .graphml  graph for Gephi, Cytoscape, igraph, networkx
    .json     graph as node-link JSON
    .gml      graph
    .csv      tables of neurons, synapses and spikes
    .npz      the same as numpy arrays
    Announced, not built yet: .gexf (the graph as it grew), .pt, .h5, .nir, .nwb
    """
    from neurosim.formats import export
    from neurosim.record import Result

    result = Result(file)
    for path in export(result, out, at):
        console().print(f"wrote [path]{escape(str(path))}[/]", soft_wrap=True)
