"""Text models in ONNX Runtime: a converted graph and its tokenizer, with neither torch nor transformers in memory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import onnxruntime as ort

from sidecar.embedding.conversion import ConvertedModel
from sidecar.embedding.loader import Embeddings, Modality, Prepared, encode_in_batches
from sidecar.embedding.model_spec import CPU
from sidecar.embedding.processors import available_processors
from sidecar.embedding.text_tokens import TextTokens, token_arrays
from sidecar.errors import HardwareUnavailable, ModelLoadError

LONE_TEXT_THREADS = 4
LONE_TEXT_TOKENS = 64
LONE_TEXT_BYTES = 512 * 1024 * 1024
"""Largest model that is held a second time for lone texts."""
SLOW_FUSIONS = ["SkipLayerNormFusion", "BiasGeluFusion"]
"""Fusions whose kernels take longer on a CPU than the parts they are made of: without them float32 is 2 % faster, int8
25 % (all-MiniLM-L6-v2, ONNX Runtime 1.32; SkipLayerNormalization takes 174 ms where Add and LayerNormalization take
43). For the same reason graphs are not fused when they are converted: all of the library's fusions for transformers
together make float32 14 % slower."""


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
        providers = _providers(device)
        try:
            self._session = _open_session(model.graph_path, 1, providers)
            self._lone_session = _open_session(model.graph_path, threads, providers) if threads > 1 else self._session
            self._tokens = TextTokens(model.tokenizer_path, max_tokens, strips_text=model.strips_text)
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


def _providers(device: str) -> list[Any]:
    if device == CPU:
        return ["CPUExecutionProvider"]
    if "CUDAExecutionProvider" not in ort.get_available_providers():
        raise HardwareUnavailable(
            f"device {device!r}: the installed ONNX Runtime can't use it. Install onnxruntime-gpu in its place, or "
            "give the model's name without onnx/, which runs in torch there"
        )
    number = int(device.partition(":")[2] or 0)
    return [("CUDAExecutionProvider", {"device_id": number}), "CPUExecutionProvider"]


def _open_session(path: Path, threads: int, providers: list[Any]) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Threads that spin while they wait take the processor from the cluster on the same machine.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # The arena keeps memory for every shape that ever ran; without it the same runs are 6 % faster.
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 3
    return ort.InferenceSession(str(path), options, providers=providers, disabled_optimizers=SLOW_FUSIONS)
