"""Text models in ONNX Runtime: a converted graph and its tokenizer, with neither torch nor transformers in memory."""

from __future__ import annotations

from collections.abc import Sequence

from sidecar.embedding.conversion import ConvertedModel
from sidecar.embedding.loader import Embeddings, Modality, Prepared, encode_in_batches
from sidecar.embedding.model_spec import CPU
from sidecar.embedding.onnx_session import open_session
from sidecar.embedding.processors import available_processors
from sidecar.embedding.text_tokens import TextTokens, token_arrays
from sidecar.errors import HardwareUnavailable, ModelLoadError

LONE_TEXT_THREADS = 4
LONE_TEXT_TOKENS = 64
LONE_TEXT_BYTES = 512 * 1024 * 1024
"""Largest model that is held a second time for lone texts."""


class OnnxTextLoader:
    """Runs a converted text model; pooling and all later layers are part of the graph.

    A batch uses the calling thread only: the engine's threads run batches side by side, which gives more texts a second
    than one batch spread over all threads (all-MiniLM-L6-v2, two threads: 180 against 163). A short text alone, as a
    query is, is spread over several threads by a second session (10 tokens: 1.8 ms against 2.4); not in int8, which
    one thread is quicker at (1.4 ms against 1.5).
    """

    modalities = frozenset({Modality.TEXT})
    backend = "onnx"

    def __init__(self, model: ConvertedModel, max_tokens: int, dimensions: int, *, device: str = CPU) -> None:
        spreads = device == CPU and model.precision != "int8" and model.memory_bytes <= LONE_TEXT_BYTES
        threads = min(available_processors(), LONE_TEXT_THREADS) if spreads else 1
        try:
            self._session = open_session(model.graph_path, 1, device)
            self._lone_session = open_session(model.graph_path, threads, device) if threads > 1 else self._session
            self._tokens = TextTokens(model.tokenizer_path, max_tokens, strips_text=model.strips_text)
        except HardwareUnavailable:
            raise
        except Exception as error:
            raise ModelLoadError(
                f"the converted model in {model.folder} can't be read ({error}); delete the folder to convert it again"
            ) from error
        self._inputs = [node.name for node in self._session.get_inputs()]
        self.dimensions = dimensions
        self.memory_bytes = model.memory_bytes * (1 if self._lone_session is self._session else 2)

    def prepare_text(self, texts: Sequence[str]) -> list[Prepared]:
        return self._tokens.prepare(texts)

    def run_text(self, batch: Sequence[Prepared]) -> Embeddings:
        is_lone = len(batch) == 1 and batch[0].tokens <= LONE_TEXT_TOKENS
        session = self._lone_session if is_lone else self._session
        vectors: Embeddings = session.run(None, token_arrays(batch, self._inputs))[0]
        return vectors[:, : self.dimensions]

    def encode_text(self, texts: Sequence[str]) -> Embeddings:
        return encode_in_batches(self, texts)
