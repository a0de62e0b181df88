"""Text models in OpenVINO: the same converted graphs and tokenizers as `onnx_text`, on the CPU."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from queue import LifoQueue
from typing import Any

import numpy as np
import openvino

from sidecar.embedding.conversion import ConvertedModel
from sidecar.embedding.loader import Embeddings, Modality, Prepared, encode_in_batches
from sidecar.embedding.processors import available_processors
from sidecar.embedding.text_tokens import TextTokens, token_arrays
from sidecar.errors import ModelLoadError

LONE_TEXT_THREADS = 4
LONE_TEXT_TOKENS = 64
LONE_TEXT_BYTES = 512 * 1024 * 1024
"""Largest model that is compiled a second time for lone texts."""


class OpenVinoTextLoader:
    """Runs a converted text model, float32 or int8; batches of any shape.

    As in ONNX Runtime a batch uses the calling thread only, so that a thread's priority holds for its batches, and a
    short text alone is spread over several threads by a second compiled model (all-MiniLM-L6-v2, 11 tokens, two
    threads: 2.0 ms against 2.9 in float32, 1.2 against 1.5 in int8).
    """

    modalities = frozenset({Modality.TEXT})
    backend = "openvino"

    def __init__(self, model: ConvertedModel, max_tokens: int, dimensions: int) -> None:
        processors = available_processors()
        threads = min(processors, LONE_TEXT_THREADS) if model.memory_bytes <= LONE_TEXT_BYTES else 1
        try:
            self._compiled = _Compiled(model.graph_path, threads=processors, streams=processors)
            self._lone = _Compiled(model.graph_path, threads=threads, streams=1) if threads > 1 else self._compiled
            self._tokens = TextTokens(model.tokenizer_path, max_tokens, strips_text=model.strips_text)
        except Exception as error:
            raise ModelLoadError(
                f"the converted model in {model.folder} can't be read by OpenVINO ({error}); delete the folder to "
                "convert it again, or set SIDECAR_BACKEND to onnx"
            ) from error
        self.dimensions = dimensions
        self.memory_bytes = model.memory_bytes * (1 if self._lone is self._compiled else 2)

    def prepare_text(self, texts: Sequence[str]) -> list[Prepared]:
        return self._tokens.prepare(texts)

    def run_text(self, batch: Sequence[Prepared]) -> Embeddings:
        is_lone = len(batch) == 1 and batch[0].tokens <= LONE_TEXT_TOKENS
        return (self._lone if is_lone else self._compiled).run(batch)[:, : self.dimensions]

    def encode_text(self, texts: Sequence[str]) -> Embeddings:
        return encode_in_batches(self, texts)


class _Compiled:
    """A graph compiled for ``streams`` batches at once, each on its part of the ``threads``."""

    def __init__(self, path: Path, *, threads: int, streams: int) -> None:
        core = openvino.Core()
        self._model = core.compile_model(
            core.read_model(str(path)),
            "CPU",
            {
                # A processor with bfloat16 would take it by default, and give other vectors.
                "INFERENCE_PRECISION_HINT": "f32",
                "INFERENCE_NUM_THREADS": threads,
                "NUM_STREAMS": streams,
                # The cluster on the same machine needs the processors too.
                "ENABLE_CPU_PINNING": False,
            },
        )
        self._inputs = [port.get_any_name() for port in self._model.inputs]
        # One request runs one batch at a time; a thread takes one, and gives it back, or waits for one. Each stream has
        # one: more would only wait inside the library, each with memory for its largest batch. All are made here, and
        # inputs are copied: a run then neither makes requests nor lets go of arrays of Python's, for which it would
        # want Python's lock and the library's at once.
        self._requests: LifoQueue[Any] = LifoQueue()
        for _ in range(streams):
            self._requests.put(self._model.create_infer_request())

    def run(self, batch: Sequence[Prepared]) -> Embeddings:
        request = self._requests.get()
        try:
            request.infer(token_arrays(batch, self._inputs), share_inputs=False)
            # The request's own memory is written again by its next batch.
            return np.array(request.get_output_tensor(0).data, dtype=np.float32)
        finally:
            self._requests.put(request)
