# Each target is one or two plain commands; the README shows them without make.
.PHONY: help up once test bench faults fuzz profile services stop format clean

help:
	@echo "make up        install, start everything, serve; Ctrl-C ends it"
	@echo "make once      take in the samples, print a summary, stop"
	@echo "make test      format, lint, types, layers, migrations, tests"
	@echo "make bench     measure it; prints the rows of docs/PERFORMANCE.md"
	@echo "make faults    break the belt in every known way; takes about an hour, goes on where it was stopped"
	@echo "make fuzz      ask the API everything its description allows and forbids"
	@echo "make profile   draw where a worker and the web server spend their time: var/profile/*.svg"
	@echo "make services  leave PostgreSQL, broker and cache running; make stop ends them"
	@echo "make format    format the code"
	@echo "make clean     remove .venv and var, the database with it"

up:
	@.ci/venv requirements.txt
	@exec .venv/bin/python manage.py up

once:
	@.ci/venv requirements.txt
	@exec .venv/bin/python manage.py up --once

test:
	@.ci/venv requirements-dev.txt
	@MARB_VAR=var/test EMBEDDED_SHARED_BUFFERS_MB=256 exec .venv/bin/python manage.py services run -- .ci/checks

bench:
	@.ci/venv requirements.txt
	@MARB_VAR=var/bench exec .venv/bin/python manage.py services run -- .venv/bin/python manage.py bench all --markdown

faults:
	@.ci/venv requirements-dev.txt
	@exec .venv/bin/python manage.py faults --full --results var/faults

fuzz:
	@.ci/venv requirements-dev.txt
	@MARB_VAR=var/fuzz exec .venv/bin/python manage.py services run -- .ci/fuzz

profile:
	@.ci/venv requirements.txt
	@MARB_VAR=var/profile EMBEDDED_SHARED_BUFFERS_MB=256 exec .venv/bin/python manage.py services run -- .ci/profile

services:
	@.ci/venv requirements.txt
	@exec .venv/bin/python manage.py services start

stop:
	@exec .venv/bin/python manage.py services stop

format:
	@.ci/venv requirements-dev.txt
	@.venv/bin/ruff format .
	@.venv/bin/ruff check --fix .

clean:
	rm -rf .venv var
