# syntax=docker/dockerfile:1.7
# check=error=true

# Two images, each with what it needs and no more:
#   docker build --target agent  -t tocsin-agent  .    a host that is watched
#   docker build --target worker -t tocsin-worker .    every other worker on Kafka
# Neither has chdb: history is a ClickHouse server's. Neither has a compiler: all of it is wheels.

FROM python:3.11.13-slim-bookworm AS base
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_INPUT=1 \
    PIP_ONLY_BINARY=":all:"

FROM base AS wheel
WORKDIR /source
COPY . .
RUN --mount=type=cache,target=/root/.cache/pip \
    pip wheel --no-deps --wheel-dir /wheels .

# Packages go into an environment without pip, compiled: the file system is read-only later.
FROM base AS build
COPY constraints.txt /constraints.txt
RUN python -m venv --without-pip /opt/tocsin

FROM build AS build-agent
RUN --mount=type=cache,target=/root/.cache/pip \
    --mount=type=bind,from=wheel,source=/wheels,target=/wheels \
    pip --python /opt/tocsin/bin/python install -c /constraints.txt \
        "$(echo /wheels/tocsin-*.whl)[agent,kafka]"

FROM build AS build-worker
RUN --mount=type=cache,target=/root/.cache/pip \
    --mount=type=bind,from=wheel,source=/wheels,target=/wheels \
    pip --python /opt/tocsin/bin/python install -c /constraints.txt \
        "$(echo /wheels/tocsin-*.whl)[worker]" \
    # What no worker ever opens: headers to compile against, and packages' own tests.
    && rm -rf /opt/tocsin/lib/python3.11/site-packages/pyarrow/include \
              /opt/tocsin/lib/python3.11/site-packages/pyarrow/tests \
    && find /opt/tocsin/lib/python3.11/site-packages/numpy -type d -name tests -prune \
            -exec rm -rf {} +

FROM python:3.11.13-slim-bookworm AS runtime
# A number, not a name: Kubernetes' runAsNonRoot looks at numbers.
RUN install -d -o 10001 -g 10001 -m 0700 /var/lib/tocsin
ENV PATH=/opt/tocsin/bin:$PATH \
    HOME=/var/lib/tocsin \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    TOCSIN__DATA=/var/lib/tocsin
WORKDIR /var/lib/tocsin
USER 10001:10001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["tocsin", "probe", "--url", "http://127.0.0.1:9464/health"]
ENTRYPOINT ["tocsin"]
CMD ["--help"]

FROM runtime AS agent
COPY --from=build-agent /opt/tocsin /opt/tocsin

FROM runtime AS worker
COPY --from=build-worker /opt/tocsin /opt/tocsin
