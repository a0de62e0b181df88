"""The shells that complete the command, by click's scripts."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
)

logger = logging.getLogger(__name__)


class _Quiet(ShellComplete):
    """Completes to nothing where completing fails: a shell would show whatever is said on the line being typed."""

    def complete(self) -> str:
        """The completions, as the shell's script reads them."""
        logging.disable()
        try:
            return super().complete()
        except Exception:
            return ""


class Bash(_Quiet, BashComplete):
    """bash, which takes ``--option=value`` for three words."""

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words before the one that is completed, and that one."""
        words, incomplete = super().get_completion_args()
        if incomplete == "=":
            incomplete = ""
        elif words and words[-1] == "=":
            words.pop()
        return words, incomplete


class Zsh(_Quiet, ZshComplete):
    """zsh."""


class Fish(_Quiet, FishComplete):
    """fish, whose script takes a comma for the end of what is told."""

    def format_completion(self, item: CompletionItem[str]) -> str:
        """The completion as the script reads it."""
        if item.help:
            item.help = item.help.replace(",", ";")
        return super().format_completion(item)


SHELLS: Mapping[str, type[ShellComplete]] = {"bash": Bash, "zsh": Zsh, "fish": Fish}
"""By their names."""


def register_shells() -> None:
    """Let click complete for these shells, in place of its own classes for them."""
    for name, shell in SHELLS.items():
        add_completion_class(shell, name)
