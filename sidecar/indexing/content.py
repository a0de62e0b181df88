"""What decides the embeddings of a field's content: its chunks, its model, and a name by which to know it again."""

from __future__ import annotations

import hashlib
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from sidecar.embedding.media.pointers import data_uri_type, is_base64_image, is_pointer
from sidecar.embedding.model_spec import ModelSpec
from sidecar.embedding.model_table import first_prefix
from sidecar.embedding.texts.chunking import Chunk, SplitMethod, TextPreprocessing, split_text
from sidecar.indexing.combinations import Combination
from sidecar.opensearch.index_settings import IndexSettings

_DIGEST_BYTES = 16


@dataclass(frozen=True, slots=True)
class ContentRules:
    """All that, besides the content itself, decides a field's chunks and embeddings.

    ``reads_media`` is true in an image index, where strings that point to a file are embedded as that file; besides
    those of images, ``media_suffixes`` are the ends of their names.
    """

    spec: ModelSpec
    fingerprint: str
    preprocessing: TextPreprocessing
    prefix: str
    normalize: bool
    reads_media: bool = False
    patch_method: str | None = None
    embeds_text: bool = True
    media_suffixes: AbstractSet[str] = frozenset()

    @classmethod
    def of_index(cls, settings: IndexSettings, spec: ModelSpec, request_prefix: str | None) -> ContentRules:
        """The rules of an index for one model. The first prefix that is not None holds: request, index, model."""
        text = settings.text_preprocessing
        return cls(
            spec,
            spec.fingerprint,
            TextPreprocessing(text.split_length, text.split_overlap, SplitMethod(text.split_method)),
            first_prefix(request_prefix, text.override_text_chunk_prefix, spec.text_chunk_prefix),
            settings.normalize_embeddings,
            settings.treat_urls_and_pointers_as_images,
            settings.image_preprocessing.patch_method,
        )

    def is_media(self, string: str) -> bool:
        """True where the string is embedded as the file that it points to."""
        return self.reads_media and is_pointer(string, self.media_suffixes)

    def chunks(self, text: str) -> list[Chunk]:
        """The text's chunks, in order; at least one."""
        return split_text(text, self.preprocessing)

    def content_hash(self, text: str) -> str:
        """32 hexadecimal digits; equal only where the embeddings of the text are."""
        digest = hashlib.blake2b(digest_size=_DIGEST_BYTES)
        split = self.preprocessing
        rules = (self.fingerprint, self.normalize, split.split_method.value, split.split_length, split.split_overlap)
        digest.update(repr((*rules, self.prefix)).encode("utf-8", "surrogatepass"))
        digest.update(text.encode("utf-8", "surrogatepass"))
        return digest.hexdigest()

    def media_hash(self, pointer: str) -> str:
        """As `content_hash`, for a pointer; the file behind it may have changed unless `is_embedded_file`."""
        return _hash_of("media", self.fingerprint, self.normalize, self.patch_method or "", pointer)

    def combination_hash(self, combination: Combination) -> str:
        """As `content_hash`, for a combination."""
        kinds = [self.is_media(string) for string in combination.strings]
        return _hash_of("combination", self.fingerprint, self.normalize, self.prefix, combination.members, kinds)


def is_embedded_file(pointer: str) -> bool:
    """True where the pointer is the file itself: a data URI, or base64 text."""
    return data_uri_type(pointer) is not None or is_base64_image(pointer)


def _hash_of(*parts: object) -> str:
    text = repr(parts)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_DIGEST_BYTES).hexdigest()
