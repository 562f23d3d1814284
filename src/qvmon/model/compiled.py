"""The one way a loop over samples is compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., object])


def kernel(signature: str | list[str]) -> Callable[[Function], Function]:
    """Compile a function for explicit Numba ``signature``s, without the interpreter's lock.

    The machine code is kept beside the module (or in the user's cache where that cannot be
    written) and found again by later processes; ``qvmon warm`` compiles all of it ahead.
    """

    def compiled(function: Function) -> Function:
        build = numba.njit(
            signature, nogil=True, cache=True, error_model="numpy", boundscheck=False
        )
        return cast("Function", build(function))

    return compiled
