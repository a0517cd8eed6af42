# Each target does the set-up it needs on a bare Debian with python3.11, python3-venv, make and git.
.PHONY: demo test test-flow lint bench bench-nation spark docs fuzz image up down clean
export PYTHONWARNINGS := ignore::RuntimeWarning
SHELL := /bin/sh
PYTHON := .venv/bin/python

demo:
	@tools/setup-environment requirements.lock
	@$(PYTHON) -m childdb.orchestration.demo

test:
	@tools/setup-environment requirements-dev.lock
	@tools/system-packages test
	@$(PYTHON) -m pytest -n 2 --dist loadfile -m "not flow"

# Minutes each, through the real scheduler: the main job killed and changed, and the canary sweep.
test-flow:
	@tools/setup-environment requirements-dev.lock
	@tools/system-packages test
	@$(PYTHON) -m pytest -m flow

lint:
	@tools/setup-environment requirements-dev.lock
	@.ci/lint

bench:
	@tools/setup-environment requirements-dev.lock
	@$(PYTHON) -m bench

# The nation for real: 25 million children matched, then 100,000 changed rows; three quarters of an hour, 16 GiB, 60 GB of disk.
NATION ?= 25000000
NATION_FOLDER ?= var/nation
bench-nation:
	@tools/setup-environment requirements-dev.lock
	@$(PYTHON) -m bench.identity_national --children $(NATION) --folder $(NATION_FOLDER) --store
	@$(PYTHON) -m bench.identity_increment --children $(NATION) --folder $(NATION_FOLDER)

# The learnt model on Spark in local mode beside the engine: fails unless both weigh the same pairs alike. Four minutes.
spark:
	@tools/setup-environment requirements-dev.lock
	@tools/spark-packages var/spark-packages
	@PYTHONPATH=var/spark-packages $(PYTHON) -m bench.identity_spark

# The warehouse as one page: tables, columns, checks and lineage; needs no network and no database.
docs:
	@tools/setup-environment requirements.lock
	@$(PYTHON) -m childdb.orchestration.model_docs --out var/docs

up:
	@tools/setup-environment requirements.lock
	@.venv/bin/childdb serve up

down:
	@tools/setup-environment requirements.lock
	@.venv/bin/childdb serve down

clean:
	@tools/clean

image:
	@docker/build-local.sh

fuzz:
	@tools/setup-environment requirements-dev.lock
	@$(PYTHON) tests/unit/reading/fuzz.py --count 10000 --seed 1
