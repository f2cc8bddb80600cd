# syntax=docker/dockerfile:1
# certrecon with git, for CI systems and Kubernetes:
#   docker build --build-arg PYTHON_IMAGE=python:3.13-slim-trixie@sha256:... --tag certrecon .
#   docker run --rm --volume "$PWD:/repository" certrecon validate
# Name the base by its digest where images are built for use: a tag is another image tomorrow. It is an argument
# because a digest that stands here would age with the release, and with it the base's security fixes.
ARG PYTHON_IMAGE=python:3.13-slim-trixie

FROM ${PYTHON_IMAGE} AS build
WORKDIR /source
# What changes rarely comes first: the locked requirements, with their hashes.
COPY requirements.txt ./
RUN python -m venv /opt/certrecon \
    && /opt/certrecon/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes --requirement requirements.txt
COPY pyproject.toml README.md LICENSE ./
COPY share share
COPY reconciler reconciler
# The build's own tools come unlocked, into an environment that ends with the build; nothing of them is installed.
RUN /opt/certrecon/bin/pip wheel --no-cache-dir --disable-pip-version-check --no-deps --wheel-dir /wheel . \
    && /opt/certrecon/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps /wheel/*.whl \
    && /opt/certrecon/bin/pip check \
    && /opt/certrecon/bin/pip uninstall --yes pip

FROM ${PYTHON_IMAGE}
# tini: the kernel drops signals to process 1 that it does not handle itself; so certrecon is another one's child.
# openssh-client: lock and journal are pushed to the remote of the repository, which may be reached by ssh.
# Versions are the base's: Debian keeps only the newest of each on its mirrors, so a pinned one could not be built again.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates git openssh-client tini \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --user-group --create-home certrecon \
    && git config --system --add safe.directory /repository
COPY --from=build /opt/certrecon /opt/certrecon
ENV PATH=/opt/certrecon/bin:$PATH \
    PYTHONUNBUFFERED=1
ARG VERSION=0.0.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="certrecon" \
      org.opencontainers.image.description="Declarative reconciler for TLS certificates: Akamai CPS, Sectigo SCM" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# By number: Kubernetes' runAsNonRoot cannot read names.
USER 10001:10001
WORKDIR /repository
ENTRYPOINT ["tini", "--", "certrecon"]
CMD ["--help"]
