"""Converts one CLIP model: ``python -m sidecar.embedding.convert_clip PRECISION SOURCE TARGET NETWORK``.

``float32`` makes the ONNX graphs of the two towers of the model that SOURCE (JSON of a `ClipSource`) describes;
``float16`` and ``int8`` make their like of the float32 form in the folder SOURCE, without torch. NETWORK is ``online``
where weights may be downloaded, else ``offline``. TARGET, an empty folder, gets ``image/model.onnx``,
``text/model.onnx``, ``tokenizer.json`` and ``facts.json``.
"""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

from sidecar.embedding.clip_weights import read_source
from sidecar.embedding.conversion_run import UNREADABLE_STATUS


def main(arguments: Sequence[str]) -> None:
    """Convert; the arguments are PRECISION, SOURCE, TARGET and NETWORK."""
    precision, source, target, _ = arguments
    if precision == "float16":
        from sidecar.embedding.clip_float16 import convert_to_float16

        convert_to_float16(Path(source), Path(target))
        return
    if precision == "int8":
        from sidecar.embedding.clip_int8 import convert_to_int8

        convert_to_int8(Path(source), Path(target))
        return
    from sidecar.embedding.clip_export import export_clip
    from sidecar.embedding.clip_source import ClipUnreadable, open_clip_model

    try:
        model = open_clip_model(read_source(source))
    except ClipUnreadable as error:
        print(error, file=sys.stderr)
        sys.exit(UNREADABLE_STATUS)
    export_clip(model, Path(target))


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    warnings.filterwarnings("ignore")
    # Converters run without the hub; this one has to ask open_clip where weights are, which may fetch them. The
    # variable is read when the hub's library is imported, which has not happened yet.
    os.environ["HF_HUB_OFFLINE"] = "0" if sys.argv[-1] == "online" else "1"
    main(sys.argv[1:])
