#!/usr/bin/env bash
# Fills the active conda environment from the lock; run in the repository's root, by Snakemake or by hand.
# Snakemake makes the environment anew when this file changes and does not look into the lock: `make lock` names it here.
# requirements.lock: c31ef3ba27be16cdb6decbb4b396a198ecec257bbedda8eb8b88b6e6c0b29811
set -eu
: "${CONDA_PREFIX:?activate the environment first: mamba run --name maskvos bash envs/environment.post-deploy.sh}"
python="$CONDA_PREFIX/bin/python"
"$python" -m pip install --quiet --quiet --require-hashes -r envs/uv.lock
"$python" -m uv pip install --quiet --python "$python" --require-hashes -r envs/requirements.lock
# The library itself is the checkout, so that an edit needs no new environment.
"$python" -m uv pip install --quiet --python "$python" --offline --no-deps --no-build-isolation --editable .
