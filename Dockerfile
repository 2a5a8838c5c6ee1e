# The service of docs/http.md, for a CPU. A model is mounted, not built in:
#
#   docker build --build-arg TORCH_INDEX=URL -t recbole-imn .
#   docker run -p 127.0.0.1:8000:8000 -v "$PWD/serving:/data" \
#     -e RECBOLE_IMN_API_KEY=... recbole-imn /data/model.pth --journal /data/journal.db
FROM python:3.11-slim AS build

# numba and torch come as wheels; nothing is compiled.
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /venv
ENV PATH=/venv/bin:$PATH

WORKDIR /source
COPY constraints.txt .
# Without CUDA, which is gigabytes. First of all: it changes least. TORCH_INDEX is the index of CPU builds that
# PyTorch's page "Get started" names; without one the build ends here, and not in an image with CUDA.
ARG TORCH_INDEX
RUN pip install --constraint constraints.txt \
    --extra-index-url "${TORCH_INDEX:?is not given}" "torch==$(sed -n 's/^torch==//p' constraints.txt)+cpu"
COPY setup.py pyproject.toml README.md LICENSE ./
COPY recbole_imn recbole_imn
COPY dataset_configs dataset_configs
# RecBole asks for a ray that this needs nothing of; see docs/start.md.
RUN pip install --no-deps recbole==1.2.1 \
    && grep -v -e '^#' -e '^torch==' constraints.txt > /tmp/constraints.txt \
    && python -c "import re, runpy, setuptools; found = {}; setuptools.setup = found.update; \
runpy.run_path('setup.py'); needs = found['install_requires'] + found['extras_require']['serve']; \
print('\n'.join(need for need in needs if not need.startswith('recbole')))" > /tmp/needs.txt \
    && pip install --constraint /tmp/constraints.txt --requirement /tmp/needs.txt \
    && pip install --no-deps .

FROM python:3.11-slim

# One thread a request: requests run beside each other. Compiled loops are kept where any user may
# write; a volume at that place spares a new container the seconds of compiling them again.
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 OMP_NUM_THREADS=1 NUMBA_CACHE_DIR=/tmp/numba
COPY --from=build /venv /venv
# RecBole makes its folders where it is started, whoever that is: docker run --user has another.
RUN useradd --create-home --uid 10001 recbole && install --directory --mode 1777 /work /tmp/numba
USER recbole
WORKDIR /work
EXPOSE 8000
STOPSIGNAL SIGTERM
# Alive, not ready: a long replay is no reason to be stopped.
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/health', timeout=2)"]
ENTRYPOINT ["recbole-imn", "serve", "--host", "0.0.0.0", "--port", "8000"]
