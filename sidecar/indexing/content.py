"""Cuts the texts of a document into chunks, and names their content so that it is embedded once."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from sidecar.embedding.model_spec import ModelSpec
from sidecar.embedding.model_table import first_prefix
from sidecar.indexing.chunking import Chunk, SplitMethod, TextPreprocessing, split_text
from sidecar.opensearch.index_settings import IndexSettings


@dataclass(frozen=True, slots=True)
class ContentRules:
    """All that, besides the text itself, decides a field's chunks and embeddings."""

    preprocessing: TextPreprocessing
    prefix: str
    normalize: bool
    model_fingerprint: str

    @classmethod
    def of_index(cls, settings: IndexSettings, spec: ModelSpec, request_prefix: str | None) -> ContentRules:
        """The rules of an index. The first prefix that is not None holds: request, index, model."""
        text = settings.text_preprocessing
        return cls(
            TextPreprocessing(text.split_length, text.split_overlap, SplitMethod(text.split_method)),
            first_prefix(request_prefix, text.override_text_chunk_prefix, spec.text_chunk_prefix),
            settings.normalize_embeddings,
            spec.fingerprint,
        )

    def chunks(self, text: str) -> list[Chunk]:
        """The text's chunks, in order; at least one."""
        return split_text(text, self.preprocessing)

    def content_hash(self, text: str) -> str:
        """32 hexadecimal digits; equal only where the embeddings of the text are."""
        digest = hashlib.blake2b(digest_size=16)
        split = self.preprocessing
        rules = (
            self.model_fingerprint,
            self.normalize,
            split.split_method.value,
            split.split_length,
            split.split_overlap,
        )
        digest.update(repr((*rules, self.prefix)).encode("utf-8", "surrogatepass"))
        digest.update(text.encode("utf-8", "surrogatepass"))
        return digest.hexdigest()
