"""Why a file can't be had, before anybody has said which file it is."""

from __future__ import annotations


class Unreadable(Exception):
    """The reason, and what to do, as the end of a sentence; whoever knows the pointer makes a MediaError of it."""
