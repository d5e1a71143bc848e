"""The one door through which Numba enters the house.

Kernels are compiled once per *model*, never per network: they take the addresses of records
(numpy structured arrays) and rebuild their array views from them, so a new network is new data.

Three things are settled here so that no kernel has to think of them:

* **Flags.** Every kernel releases the GIL and divides as numpy does. No fast-math: a vector loop, its
  remainder and plain Python then round alike, which is what "the same bits" rests on.
* **Caching.** Numba's own cache goes stale when a callee in another file changes. Ours lives in the user's
  cache directory and is stamped with a digest of *all* sources of the package that take part in compilation.
* **Calls by address.** ``by_address`` makes a kernel callable through a plain integer (``call``), which is how
  the run loop walks a table of kernels without being compiled for it.

With ``NUMBA_DISABLE_JIT=1`` the same code runs as plain Python (slowly, and with one thread).
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import sys
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import llvmlite
import numba
import numpy as np
from llvmlite import ir
from numba import carray, types
from numba.core import caching, cgutils
from numba.extending import intrinsic

from neurosim import uncompiled

F = TypeVar("F", bound=Callable[..., Any])

JIT: bool = not numba.config.DISABLE_JIT
_LINUX_FUTEX = {"x86_64": 202, "aarch64": 98}.get(platform.machine(), 0) if sys.platform == "linux" else 0
_KERNEL_ARGUMENTS = 7
_compiled: Counter[str] = Counter()

before_compiling: list[Callable[[str], None]] = []
"""Who wants to know that a kernel is about to be compiled (not: found in the cache); called with its name."""


# --- caching -----------------------------------------------------------------------------------


@cache
def _sources_digest() -> str:
    """Digest of everything a compiled kernel depends on besides its own source and the CPU."""
    versions = f"{numba.__version__} {llvmlite.__version__} {np.__version__}"
    digest = hashlib.sha256(f"{versions} {numba.config.BOUNDSCHECK} {numba.config.OPT}".encode())
    root = Path(__file__).parent
    rooms = (room for room in root.iterdir() if room.is_dir())  # some are links, which a search from above passes by
    for path in sorted({*root.glob("*.py"), *(path for room in rooms for path in room.rglob("*.py"))}):
        text = path.read_bytes()
        if path.name == "compiled.py" or b"neurosim.compiled import" in text:
            digest.update(path.relative_to(root).as_posix().encode() + b"\0" + text)
    return digest.hexdigest()


def cache_folder() -> Path:
    """Where compiled kernels and generated sources of this state of the package are kept; it need not exist."""
    asked = os.environ.get("NEUROSIM_CACHE_DIR")
    usual = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "neurosim"
    return (Path(asked) if asked else usual) / _sources_digest()[:16]


class _Locator(caching._CacheLocator):  # type: ignore[misc]
    """Puts compiled kernels into the user's cache directory, stamped with the digest of all kernel sources."""

    def __init__(self, py_func: Callable[..., Any], py_file: str) -> None:
        self._file = py_file
        self._line = py_func.__code__.co_firstlineno

    def get_cache_path(self) -> str:
        return str(cache_folder())

    def get_source_stamp(self) -> str:
        return _sources_digest()

    def get_disambiguator(self) -> str:
        return f"{self._line}-{hashlib.sha256(self._file.encode()).hexdigest()[:10]}"

    @classmethod
    def from_function(cls, py_func: Callable[..., Any], py_file: str) -> _Locator | None:
        locator = cls(py_func, py_file)
        try:
            locator.ensure_cache_path()
        except OSError:
            return None
        return locator


class _FunctionImpl(caching.CompileResultCacheImpl):  # type: ignore[misc]
    _locator_classes = (_Locator,)


_UNREADABLE = (OSError, EOFError, ValueError, TypeError, LookupError, AttributeError, caching.pickle.UnpicklingError)


class _FunctionCache(caching.FunctionCache):  # type: ignore[misc]
    _impl_class = _FunctionImpl

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        try:
            found = super().load_overload(sig, target_context)
        except _UNREADABLE:  # cut short or damaged: compile anew
            found = None
        if found is None:
            for listener in before_compiling:
                listener(f"{self._py_func.__module__.rpartition('.')[2]}.{self._py_func.__qualname__}")
        return found

    def save_overload(self, sig: Any, data: Any) -> None:
        _compiled[self._py_func.__qualname__] += 1
        try:
            super().save_overload(sig, data)
        except OSError:  # a full disk is no reason not to run
            pass
        except _UNREADABLE:
            self.flush()


def _cached(dispatcher: Any, py_func: Callable[..., Any]) -> None:
    try:
        dispatcher._cache = _FunctionCache(py_func)
    except RuntimeError:  # nowhere to write: compile in every process rather than fail
        pass


def compilations() -> dict[str, int]:
    """Kernels compiled by this process (cache hits are not counted): name -> number of versions."""
    return dict(_compiled)


# --- decorators ----------------------------------------------------------------------------------


def kernel(function: F) -> F:
    """Compile on first use, per set of argument types; called from Python."""
    if not JIT:
        return function
    dispatcher = numba.njit(nogil=True, error_model="numpy")(function)
    _cached(dispatcher, function)
    return dispatcher  # type: ignore[no-any-return]


def inlined(function: F) -> F:
    """A helper that exists only inside kernels."""
    return numba.njit(nogil=True, error_model="numpy")(function) if JIT else function


def spliced(function: F) -> F:
    """A helper whose code is copied into its callers before they are compiled.

    For what returns several values inside a loop that should run on many neurons at once: a call, even one that
    is inlined later, hides the values from the vectoriser.
    """
    return numba.njit(inline="always", nogil=True, error_model="numpy")(function) if JIT else function


def embedded(function: F) -> F:
    """A helper of one value that is always copied into its callers, but after Numba's part: quick to compile.

    For arithmetic that a loop should do on many neurons at once: what the compiler finds too long to inline would
    remain a call, and the loop would go neuron by neuron.
    """
    return numba.njit(forceinline=True, nogil=True, error_model="numpy")(function) if JIT else function


class AddressedKernel:
    """A compiled kernel that the run loop calls through :attr:`address`.

    Compilation (or the look-up in the cache) happens when the address is first asked for.
    """

    def __init__(self, function: Callable[..., int]) -> None:
        self.function = function
        self.__name__ = function.__name__
        self.__doc__ = function.__doc__
        self._address = 0

    @property
    def address(self) -> int:
        """What :func:`call` takes; compiled or found in the cache when first asked for."""
        if self._address == 0:
            self._address = self._compile() if JIT else uncompiled.register(self.function)
        return self._address

    def __call__(self, *arguments: int) -> int:
        """Call the kernel from Python; it releases the GIL."""
        if not JIT:
            return self.function(*arguments)
        kind = ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * _KERNEL_ARGUMENTS)
        return int(kind(self.address)(*arguments))

    def _compile(self) -> int:
        from numba.core.ccallback import CFunc

        signature = types.int64(*[types.int64] * _KERNEL_ARGUMENTS)
        options = {"error_model": "numpy"}
        compiled: Any = CFunc(self.function, (signature.args, signature.return_type), locals={}, options=options)
        _cached(compiled, self.function)
        compiled.compile()
        self._keep = compiled
        return int(compiled.address)


def by_address(function: Callable[..., int]) -> AddressedKernel:
    """Make ``function(record, …)`` (seven int64 in, one out) callable by its address; see :func:`call`."""
    return AddressedKernel(function)


# --- what kernels are written with -----------------------------------------------------------------

if JIT:

    @intrinsic
    def _pointer(context: Any, address: Any) -> Any:
        def codegen(cg: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return builder.inttoptr(arguments[0], cgutils.voidptr_t)

        return types.voidptr(types.int64), codegen

    @intrinsic
    def _indirect_call(context: Any, address: Any, a: Any, b: Any, c: Any, d: Any, e: Any, f: Any, g: Any) -> Any:
        def codegen(cg: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            i64 = ir.IntType(64)
            kind = ir.FunctionType(i64, [i64] * _KERNEL_ARGUMENTS)
            return builder.call(builder.inttoptr(arguments[0], kind.as_pointer()), list(arguments[1:]))

        return types.int64(*[types.int64] * (_KERNEL_ARGUMENTS + 1)), codegen

    @inlined
    def array_at(address: int, size: int, dtype: Any) -> Any:
        """View ``size`` items of ``dtype`` at ``address``."""
        return carray(_pointer(np.int64(address)), size, dtype)

    @inlined
    def record_at(address: int, dtype: Any) -> Any:
        """View one record of structured ``dtype`` at ``address``."""
        return carray(_pointer(np.int64(address)), 1, dtype)[0]

    @inlined
    def call(address: int, a: int, b: int, c: int, d: int, e: int, f: int, g: int) -> int:
        """Call the kernel at ``address``."""
        return _indirect_call(  # type: ignore[no-any-return]
            np.int64(address), np.int64(a), np.int64(b), np.int64(c), np.int64(d), np.int64(e), np.int64(f), np.int64(g)
        )

    def _bit_cast(source: Any, target: Any, kind: Any) -> Any:
        """An intrinsic that takes the 64 bits of one type for another."""

        @intrinsic
        def function(context: Any, value: Any) -> Any:
            def codegen(cg: Any, builder: Any, signature: Any, arguments: Any) -> Any:
                return builder.bitcast(arguments[0], kind)

            return target(source), codegen

        return function

    bits_of = _bit_cast(types.float64, types.int64, ir.IntType(64))
    float_of_bits = _bit_cast(types.int64, types.float64, ir.DoubleType())

    @intrinsic
    def fma(context: Any, a: Any, b: Any, c: Any) -> Any:
        """``a*b + c``, rounded once: written where it is meant, never left to the compiler's choice."""

        def codegen(cg: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return builder.fma(*arguments)

        return types.float64(types.float64, types.float64, types.float64), codegen

    def _atomic(operation: str) -> Any:
        """An intrinsic on one int32 cell of an array: sequentially consistent load, store, add or its address."""

        @intrinsic
        def function(context: Any, array: Any, index: Any, value: Any) -> Any:
            def codegen(cg: Any, builder: Any, signature: Any, arguments: Any) -> Any:
                data = cg.make_array(signature.args[0])(cg, builder, arguments[0]).data
                cell = builder.gep(data, [arguments[1]])
                if operation == "load":
                    return builder.load_atomic(cell, "seq_cst", 4)
                if operation == "store":
                    builder.store_atomic(arguments[2], cell, "seq_cst", 4)
                    return arguments[2]
                return builder.atomic_rmw("add", cell, arguments[2], "seq_cst")

            return types.int32(array, types.int64, types.int32), codegen

        return function

    _load, _store, _add = _atomic("load"), _atomic("store"), _atomic("add")

    @intrinsic
    def _pause(context: Any) -> Any:
        def codegen(cg: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            if platform.machine() in ("x86_64", "AMD64"):
                kind = ir.FunctionType(ir.VoidType(), [])
                builder.call(cgutils.get_or_insert_function(builder.module, kind, "llvm.x86.sse2.pause"), [])
            return cg.get_dummy_value()

        return types.void(), codegen

    def _prefetching(closeness: int) -> Any:
        """An intrinsic that asks for the cache line of ``array[index]`` and never faults: into the first cache (3), or
        into the second (2), which can wait for twice as many lines at a time."""

        @intrinsic
        def function(context: Any, array: Any, index: Any) -> Any:
            def codegen(cg: Any, builder: Any, signature: Any, arguments: Any) -> Any:
                data = cg.make_array(signature.args[0])(cg, builder, arguments[0]).data
                i8, i32 = ir.IntType(8), ir.IntType(32)
                cell = builder.bitcast(builder.gep(data, [arguments[1]]), i8.as_pointer())
                kind = ir.FunctionType(ir.VoidType(), [cell.type, i32, i32, i32])
                asked = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
                builder.call(asked, [cell, i32(0), i32(closeness), i32(1)])
                return cg.get_dummy_value()

            return types.void(array, types.int64), codegen

        return function

    prefetch, prefetch_far = _prefetching(3), _prefetching(2)

    _syscall = types.ExternalFunction("syscall", types.int64(*[types.int64] * 5))
    _usleep = types.ExternalFunction("usleep", types.int32(types.uint32))

    @inlined
    def _sleep_until_changed(cells: Any, index: int, seen: int) -> None:
        if _LINUX_FUTEX:  # FUTEX_WAIT_PRIVATE: returns at once when the cell no longer holds `seen`
            _syscall(np.int64(_LINUX_FUTEX), cells.ctypes.data + 4 * index, np.int64(128), np.int64(seen), np.int64(0))
        else:
            _usleep(np.uint32(20))

    @inlined
    def _wake(cells: Any, index: int) -> None:
        if _LINUX_FUTEX:  # FUTEX_WAKE_PRIVATE
            place = cells.ctypes.data + 4 * index
            _syscall(np.int64(_LINUX_FUTEX), place, np.int64(129), np.int64(1 << 30), np.int64(0))

    _COUNT, _GENERATION, _SLEEPERS = 0, 16, 32  # one cache line apart

    @inlined
    def barrier(cells: Any, threads: int, spins: int) -> None:
        """Wait until all ``threads`` have arrived; spin first, then sleep.

        ``cells`` is an int32 array of 64 zeros shared by the threads.
        """
        if threads == 1:
            return
        generation = _load(cells, _GENERATION, np.int32(0))
        if _add(cells, _COUNT, np.int32(1)) == threads - 1:
            _store(cells, _COUNT, np.int32(0))
            _add(cells, _GENERATION, np.int32(1))
            if _load(cells, _SLEEPERS, np.int32(0)) > 0:
                _wake(cells, _GENERATION)
            return
        for _ in range(spins):
            if _load(cells, _GENERATION, np.int32(0)) != generation:
                return
            _pause()
        _add(cells, _SLEEPERS, np.int32(1))
        while _load(cells, _GENERATION, np.int32(0)) == generation:
            _sleep_until_changed(cells, _GENERATION, generation)
        _add(cells, _SLEEPERS, np.int32(-1))

else:
    array_at, record_at, call = uncompiled.array_at, uncompiled.record_at, uncompiled.call
    bits_of, float_of_bits, fma = uncompiled.bits_of, uncompiled.float_of_bits, uncompiled.fma
    prefetch, prefetch_far, barrier = uncompiled.prefetch, uncompiled.prefetch, uncompiled.barrier


def address_of(array: np.ndarray[Any, Any] | None) -> int:
    """Address of an array's data, 0 for none; the caller keeps the array alive."""
    return 0 if array is None or array.size == 0 else int(array.ctypes.data or 0)
