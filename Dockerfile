# FlowPilot as an image: `docker build -t flowpilot .`
# Nothing is written but below /data, so the root file system may be read-only.

FROM python:3.11-slim AS page
WORKDIR /build
COPY requirements/build.txt requirements/
RUN python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --disable-pip-version-check \
        --require-hashes --only-binary :all: -r requirements/build.txt
ENV PATH=/venv/bin:$PATH
COPY web/package.json web/package-lock.json web/.npmrc web/
RUN cd web && npm ci --no-audit --no-fund --loglevel=error
COPY schema/schema.graphql schema/
COPY web web
RUN cd web && npm run --silent build

FROM python:3.11-slim AS libraries
WORKDIR /build
COPY requirements/runtime.txt requirements/
# The environment has no pip of its own: what runs there installs nothing.
RUN python -m venv --without-pip /venv \
    && pip --python /venv/bin/python install --no-cache-dir --disable-pip-version-check \
        --require-hashes --only-binary :all: -r requirements/runtime.txt

FROM python:3.11-slim
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /data \
        --shell /usr/sbin/nologin flowpilot \
    && install --directory --mode 0700 --owner flowpilot --group flowpilot /data
WORKDIR /app
COPY --from=libraries /venv /venv
COPY alembic.ini app.py server.py settings.py ./
COPY migrations migrations
COPY models models
COPY services services
COPY schema schema
COPY resolvers resolvers
COPY cli cli
COPY --from=page /build/web/dist web/dist
# Whoever checked this out may have kept the files to themselves.
RUN /venv/bin/python -m compileall -q --invalidation-mode unchecked-hash . \
    && chmod -R a+rX,go-w .
ENV PATH=/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    FLOWPILOT_HOST=0.0.0.0 \
    FLOWPILOT_PORT=8000 \
    FLOWPILOT_DATA_DIR=/data
USER 10001:10001
VOLUME ["/data"]
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import http.client, os, sys; c = http.client.HTTPConnection('127.0.0.1', int(os.environ['FLOWPILOT_PORT']), timeout=3); c.request('GET', '/healthz'); sys.exit(c.getresponse().status != 200)"]
CMD ["python", "-m", "cli", "serve"]
