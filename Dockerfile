# One image for web, workers and scheduler. Debian slim, because the wheels need glibc.
FROM python:3.11-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 MARB_VAR=/srv/marb/var

WORKDIR /srv/marb
COPY requirements.txt .
RUN pip install --require-hashes --requirement requirements.txt \
    && useradd --system --uid 10001 marb \
    && install --directory --owner=marb var

COPY --chown=root:root . .
# static files are part of the image; no address is needed to collect them
RUN python manage.py collectstatic --no-input --verbosity 0 && chown -R marb var

USER marb
EXPOSE 8000
CMD ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", "--no-ws", "--http", "1", "--http1-buffer-size", "32768", "--http1-header-read-timeout", "10000", "marb.wsgi:application"]
