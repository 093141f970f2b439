"""What ends a command of the trainer, other than a mistake or what nobody foresaw."""

from __future__ import annotations


class StoppedError(Exception):
    """A run was asked to stop by signal `number`, and has saved where it was."""

    def __init__(self, message: str, number: int) -> None:
        super().__init__(message)
        self.number = number
