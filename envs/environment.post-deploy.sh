#!/usr/bin/env bash
# Fills the active conda environment from the lock; run in the repository's root, by Snakemake or by hand.
set -eu
: "${CONDA_PREFIX:?activate the environment first: mamba run --name maskvos bash envs/environment.post-deploy.sh}"
python="$CONDA_PREFIX/bin/python"
"$python" -m pip install --quiet --quiet --require-hashes -r envs/uv.lock
"$python" -m uv pip install --quiet --python "$python" --require-hashes -r envs/requirements.lock
# The library itself is the checkout, so that an edit needs no new environment.
"$python" -m uv pip install --quiet --python "$python" --offline --no-deps --no-build-isolation --editable .
