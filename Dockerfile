# The sidecar with all its packages and the weights of all-MiniLM-L6-v2, for a cluster named by OPENSEARCH_URL.
FROM python:3.12-slim AS build
WORKDIR /source
COPY . .
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.12-slim

# By default torch brings its CUDA libraries, gigabytes of them. To do without, name an index that has torch for CPUs:
# docker build --build-arg PIP_EXTRA_INDEX_URL=…
ARG PIP_EXTRA_INDEX_URL
COPY --from=build /source/constraints.txt /wheels/
COPY --from=build /wheels/ /wheels/
RUN pip install --no-cache-dir --constraint /wheels/constraints.txt "$(echo /wheels/*.whl)[minilm]" \
    && rm -r /wheels

# The folder is the user's own before it becomes a volume, so that a new volume is, too.
RUN useradd --create-home --uid 10001 sidecar \
    && install --directory --owner sidecar --group sidecar /var/lib/vector-sidecar
USER sidecar
WORKDIR /home/sidecar
ENV SIDECAR_HOST=0.0.0.0 \
    SIDECAR_PORT=8882 \
    SIDECAR_NATIVE_PORT=9201 \
    SIDECAR_HOME=/var/lib/vector-sidecar \
    HF_HOME=/var/lib/vector-sidecar/huggingface
VOLUME /var/lib/vector-sidecar
EXPOSE 8882 9201

# Any status but 200 makes urlopen raise. Not ready is unhealthy: the cluster is away, or models are still being loaded.
HEALTHCHECK --interval=10s --timeout=5s --start-period=120s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ[\"SIDECAR_PORT\"]}/ready')"]

ENTRYPOINT ["sidecar"]
CMD ["serve"]
