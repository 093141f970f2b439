# `make demo`, `make test` and `make quick` do all their own set-up on a fresh machine.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/pip install --quiet --constraint constraints.txt

.PHONY: demo train-demo test quick torture soak lint bench docs reference package sbom lock clean

.venv/pip.stamp:
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --upgrade pip
	touch $@

.venv/demo.stamp: .venv/pip.stamp pyproject.toml constraints.txt
	$(PIP) --editable '.[demo]'
	touch $@

.venv/train-demo.stamp: .venv/pip.stamp pyproject.toml constraints.txt
	$(PIP) --editable '.[trainer,demo]'
	touch $@

.venv/dev.stamp: .venv/pip.stamp pyproject.toml constraints.txt
	$(PIP) --editable '.[mcp,ocr,raw,video,jxl,tiff,desktop,metrics,trainer,cluster,archive,sources,gs,az,smb,demo,docs,dev]'
	touch $@

demo: .venv/demo.stamp
	$(BIN)/python examples/demo.py

# The whole way from pictures with captions to a model that searches, in some minutes on two cores.
train-demo: .venv/train-demo.stamp
	$(BIN)/python examples/train_demo

test: .venv/dev.stamp
	# A file of tests runs in one process, for its tests share a browser, a server or a bundle.
	# The files start in the order of tests/slow.py, not by how many tests they have.
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder --max-worker-restart 2

# What takes less than half a second a test, for while one works: under a minute.
quick: .venv/dev.stamp
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder --max-worker-restart 2 -m "not slow"

# What takes hours: every fault at every call of all that writes, other and many more examples of the
# tests with any input, and a day of use in an hour.
torture: .venv/dev.stamp soak
	PHOTOSEARCH_EXAMPLES=20000 $(BIN)/python -m pytest --numprocesses auto --timeout 0 tests/properties
	PYTHONPATH=.:tests $(BIN)/python -m faults

soak: .venv/dev.stamp
	PYTHONPATH=.:tests $(BIN)/python tests/soak.py

lint: .venv/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/dev.stamp
	$(BIN)/python -m benchmarks

# The documentation as a site: build/docs/index.html. Reads nothing from the network.
docs: .venv/dev.stamp
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

# Writes what the commands say of themselves, and the tables of filters, into the pages.
reference: .venv/dev.stamp
	$(BIN)/python docs/filter_tables.py
	$(BIN)/python docs/reference.py

# The app for this system, with the model in it: build/package/photosearch. Takes some minutes.
package: .venv/dev.stamp
	$(BIN)/pyinstaller --noconfirm --log-level WARN --distpath build/package --workpath build/work packaging/photosearch.spec
	$(BIN)/python packaging/report.py build/package/photosearch
	PYTHONPATH=. $(BIN)/python packaging/sbom.py build/package/photosearch.cdx.json

# What photosearch is made of here, as a CycloneDX bill of materials.
sbom: .venv/dev.stamp
	mkdir -p build
	PYTHONPATH=. $(BIN)/python packaging/sbom.py build/photosearch.cdx.json

# What the container installs, with hashes: packaging/requirements.txt. To be run when pins or dependencies change.
lock: .venv/dev.stamp
	$(BIN)/pip install --quiet uv
	UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile --quiet pyproject.toml packaging/build.in \
	  --extra raw --extra video --extra metrics --constraint constraints.txt --generate-hashes \
	  --python-version 3.12 --python-platform linux --output-file packaging/requirements.txt

clean:
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
