"""Cross-encoders in ONNX Runtime: a converted graph and its tokenizer, without torch and transformers in memory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import expit

from sidecar.embedding.cross_encoder_conversion import ConvertedCrossEncoder
from sidecar.embedding.loader import Embeddings, Prepared
from sidecar.embedding.model_spec import CPU
from sidecar.embedding.onnx_session import open_session
from sidecar.embedding.processors import available_processors
from sidecar.embedding.text_tokens import TextTokens, token_arrays
from sidecar.errors import HardwareUnavailable, ModelLoadError


class OnnxCrossEncoder:
    """Runs a converted cross-encoder. A batch is spread over all processors: whoever searches waits for it."""

    backend = "onnx"

    def __init__(self, model: ConvertedCrossEncoder, max_tokens: int, *, device: str = CPU) -> None:
        try:
            self._session = open_session(model.graph_path, available_processors(), device)
            self._tokens = TextTokens(model.tokenizer_path, min(max_tokens, model.max_tokens), strips_text=True)
        except HardwareUnavailable:
            raise
        except Exception as error:
            raise ModelLoadError(
                f"the converted model in {model.folder} can't be read ({error}); delete the folder to convert it again"
            ) from error
        self._inputs = [node.name for node in self._session.get_inputs()]
        self.memory_bytes = model.memory_bytes

    def prepare_pairs(self, q: str, texts: Sequence[str]) -> list[Prepared]:
        return self._tokens.prepare_pairs(q, texts)

    def run_pairs(self, batch: Sequence[Prepared]) -> Embeddings:
        return np.asarray(expit(self.run_logits(batch)), dtype=np.float32)

    def run_logits(self, batch: Sequence[Prepared]) -> Embeddings:
        """As `run_pairs`, before the sigmoid."""
        logits: Embeddings = self._session.run(None, token_arrays(batch, self._inputs))[0]
        return logits
