"""Text models in ONNX Runtime: a converted graph and its tokenizer, with neither torch nor transformers in memory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime as ort
from tokenizers import Tokenizer

from sidecar.embedding.conversion import ConvertedModel
from sidecar.embedding.loader import Embeddings, Modality, Prepared, encode_in_batches
from sidecar.embedding.processors import available_processors
from sidecar.errors import ModelLoadError

LONE_TEXT_THREADS = 4
LONE_TEXT_TOKENS = 64
LONE_TEXT_BYTES = 512 * 1024 * 1024
"""Largest model that is held a second time for lone texts."""


class OnnxTextLoader:
    """Runs a converted text model; pooling and all later layers are part of the graph.

    A batch uses the calling thread only: the engine's threads run batches side by side, which gives more texts a second
    than one batch spread over all threads (all-MiniLM-L6-v2, two threads: 180 against 163). A short text alone, as a
    query is, is spread over several threads by a second session (10 tokens: 1.8 ms against 2.4).
    """

    modalities = frozenset({Modality.TEXT})
    backend = "onnx"

    def __init__(self, model: ConvertedModel, max_tokens: int, dimensions: int) -> None:
        size_bytes = model.graph_path.stat().st_size
        threads = min(available_processors(), LONE_TEXT_THREADS) if size_bytes <= LONE_TEXT_BYTES else 1
        try:
            self._session = _open_session(model.graph_path, 1)
            self._lone_session = _open_session(model.graph_path, threads) if threads > 1 else self._session
            self._tokenizer = _read_tokenizer(model.tokenizer_path, max_tokens)
        except Exception as error:
            raise ModelLoadError(
                f"the converted model in {model.folder} can't be read ({error}); delete the folder to convert it again"
            ) from error
        self._inputs = [node.name for node in self._session.get_inputs()]
        self._strip = model.strips_text
        self.dimensions = dimensions
        self.memory_bytes = size_bytes * (1 if self._lone_session is self._session else 2)

    def prepare_text(self, texts: Sequence[str]) -> list[Prepared]:
        cleaned = [_without_surrogates(text.strip() if self._strip else text) for text in texts]
        if len(cleaned) == 1:
            encodings = [self._tokenizer.encode(cleaned[0])]
        else:
            encodings = self._tokenizer.encode_batch_fast(cleaned)
        return [Prepared((encoding.ids, encoding.type_ids), max(1, len(encoding.ids))) for encoding in encodings]

    def run_text(self, batch: Sequence[Prepared]) -> Embeddings:
        longest = max(prepared.tokens for prepared in batch)
        shape = (len(batch), longest)
        arrays = {name: np.zeros(shape, dtype=np.int64) for name in self._inputs}
        for row, prepared in enumerate(batch):
            ids, type_ids = prepared.payload
            arrays["input_ids"][row, : len(ids)] = ids
            arrays["attention_mask"][row, : len(ids)] = 1
            if "token_type_ids" in arrays:
                arrays["token_type_ids"][row, : len(ids)] = type_ids
        is_lone = len(batch) == 1 and longest <= LONE_TEXT_TOKENS
        session = self._lone_session if is_lone else self._session
        vectors: Embeddings = session.run(None, arrays)[0]
        return vectors[:, : self.dimensions]

    def encode_text(self, texts: Sequence[str]) -> Embeddings:
        return encode_in_batches(self, texts)


def _open_session(path: Path, threads: int) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Threads that spin while they wait take the processor from the cluster on the same machine.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # The arena keeps memory for every shape that ever ran; without it the same runs are 6 % faster.
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 3
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _read_tokenizer(path: Path, max_tokens: int) -> Tokenizer:
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_tokens)
    return tokenizer


def _without_surrogates(text: str) -> str:
    # JSON may carry half of a surrogate pair, which no tokenizer takes.
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
