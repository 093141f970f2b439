"""What routes are given beside what the request says."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from fastapi import Depends, Request

from photosearch.errors import UsageError
from photosearch.ui.context import Context


# Not a plain function: FastAPI would call that on another thread, for each request.
async def context_of(request: Request) -> Context:
    """The context of the application that was asked."""
    context: Context = request.app.state.context
    return context


CurrentContext: TypeAlias = Annotated[Context, Depends(context_of)]


def check_local(context: Context) -> None:
    """Raises `UsageError` where other machines can connect."""
    if not context.local:
        raise UsageError("only a browser on the machine itself can do that; download instead")
