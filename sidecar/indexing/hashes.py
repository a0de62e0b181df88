"""The names of a document's contents, by which its stored embeddings are found again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sidecar.indexing.content import ContentRules, is_embedded_file
from sidecar.indexing.validation import ValidDocument


@dataclass(frozen=True, slots=True)
class ContentHashes:
    """Field -> content hash. ``stored`` has all fields that a model embeds; ``lasting`` those whose equal hash means
    that their stored embedding is still right."""

    stored: Mapping[str, str]
    lasting: Mapping[str, str]


def content_hashes(document: ValidDocument, rules: Callable[[str], ContentRules], *, files_last: bool) -> ContentHashes:
    """The hashes of a document; vectors that it brings itself have none.

    The file behind a path or URL may have changed since; ``files_last`` says that it has not.
    """
    stored: dict[str, str] = {}
    passing: list[str] = []
    for name, text in document.texts.items():
        of_field = rules(name)
        is_media = of_field.is_media(text)
        stored[name] = of_field.media_hash(text) if is_media else of_field.content_hash(text)
        if is_media and not files_last and not is_embedded_file(text):
            passing.append(name)
    for name, combination in document.combinations.items():
        of_field = rules(name)
        stored[name] = of_field.combination_hash(combination)
        files = [string for string in combination.strings if of_field.is_media(string)]
        if not files_last and not all(map(is_embedded_file, files)):
            passing.append(name)
    if not passing:
        return ContentHashes(stored, stored)
    return ContentHashes(stored, {name: stored[name] for name in stored if name not in passing})
