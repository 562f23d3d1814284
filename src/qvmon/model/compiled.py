"""The one way a loop over samples is compiled."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar, cast

from numba.core.caching import FunctionCache
from numba.core.compiler_lock import global_compiler_lock
from numba.core.registry import CPUDispatcher

Function = TypeVar("Function", bound=Callable[..., object])

_OPTIONS = {"nopython": True, "nogil": True, "error_model": "numpy", "boundscheck": False}


class Kernel(CPUDispatcher):
    """A function compiled for the signatures it was declared with, when it is first needed.

    A process so holds the machine code of the kernels it calls, which are a few of all there are;
    those that others call are part of their code, and are needed only while that is compiled.
    """

    _can_compile: bool
    _type: Any
    _explain_matching_error: Callable[..., None]

    def __init__(self, function: Callable[..., object], signatures: list[str]) -> None:
        super().__init__(function, targetoptions=dict(_OPTIONS))
        self._declared = signatures

    def load(self) -> None:
        """Find the machine code of every declared signature on disk, or else make it."""
        with global_compiler_lock:
            if not self._can_compile:
                return
            self.enable_caching()
            for signature in self._declared:
                self.compile(signature)
            self.disable_compile()

    def get_call_template(self, args: Any, kws: Any) -> Any:
        """Return what a kernel that calls this one, and is being compiled, has to know of it."""
        self.load()
        return super().get_call_template(args, kws)

    def _compile_for_args(self, *args: Any) -> Any:
        """Return the machine code for the first call's arguments; later calls find it alone."""
        self.load()
        given = tuple(self.typeof_pyval(each) for each in args)
        signature = self._type.get_call_type(self.typingctx, given, {})
        if signature is None:
            self._explain_matching_error(*args)
        return self.get_overload(signature)


def kernels_of(module: ModuleType) -> tuple[Kernel, ...]:
    """Return the kernels that a module has a name for."""
    return tuple(each for each in vars(module).values() if isinstance(each, Kernel))


def cache_directory() -> Path:
    """Return where the machine code of a kernel in this directory would be kept."""
    return Path(FunctionCache(cache_directory).cache_path)  # type: ignore[no-untyped-call]


def kernel(signature: str | list[str]) -> Callable[[Function], Function]:
    """Compile a function for explicit Numba ``signature``s, without the interpreter's lock.

    The machine code is kept beside the module (or in the user's cache where that cannot be
    written) and found again by later processes; ``qvmon warm`` compiles all of it ahead.
    """
    signatures = [signature] if isinstance(signature, str) else signature

    def compiled(function: Function) -> Function:
        return cast("Function", Kernel(function, signatures))

    return compiled
