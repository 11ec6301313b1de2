# Gate-Shift Lens for many: no root, nothing written but to a temporary folder.
#
#   docker build -t gate-shift-lens .                          (CPU)
#   docker build -t gate-shift-lens --build-arg TORCH=cu128 .  (CUDA 12.8)
ARG PYTHON=3.12
FROM python:${PYTHON}-slim

# Which build of PyTorch: cpu, or one for a version of CUDA as PyTorch's index names it.
ARG TORCH=cpu

RUN useradd --create-home --uid 10001 lens
WORKDIR /srv/lens

COPY requirements.txt .
RUN grep -E '^(torch|torchvision)\b' requirements.txt > torch.txt \
    && pip install --no-cache-dir --index-url "https://download.pytorch.org/whl/${TORCH}" -r torch.txt \
    && pip install --no-cache-dir -r requirements.txt \
    && rm torch.txt

COPY pyproject.toml setup.py streamlit_app.py LICENSE README.md ./
COPY .streamlit .streamlit
COPY assets assets
COPY gsm_model gsm_model
COPY app app
RUN pip install --no-cache-dir --no-deps . && rm -rf /srv/lens/* /srv/lens/.streamlit

USER lens
# Caches of libraries go where the rest of the temporary files go: the file system is read-only.
ENV HOME=/tmp MPLCONFIGDIR=/tmp/matplotlib PYTHONDONTWRITEBYTECODE=1
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8501/_stcore/health', timeout=4)"]
CMD ["gate-shift-lens", "app", "--server.address=0.0.0.0", "--server.port=8501", "--server.headless=true"]
