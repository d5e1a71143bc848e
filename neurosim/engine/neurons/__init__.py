"""Kernels of the neuron models: one file per model, named like its declaration.

Each holds ``KERNEL``, which advances the neurons of one tile through the steps of an epoch, and
``lower(population, dt)``, which computes the model's part of the kernel's record. A kernel is called as
``kernel(record, first_step, n_steps, lo, hi, shard, parity)`` for slots ``lo … hi`` of one shard.
"""

from __future__ import annotations

import importlib
from types import ModuleType

from neurosim.errors import InvalidInput


def kernel_of(model: str) -> ModuleType:
    """The module that runs ``model``."""
    try:
        return importlib.import_module(f"{__name__}.{model}")
    except ModuleNotFoundError as error:
        raise InvalidInput(f"model {model} has no kernel.") from error
