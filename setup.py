"""Packaging of recbole_imn; settings of tools are in pyproject.toml."""

from pathlib import Path

from setuptools import find_packages, setup

setup(
    name="recbole_imn",
    version="0.1.0",
    description="IMN-Net for resource-limited recommendation, as a RecBole plugin",
    long_description=Path("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="MIT",
    # recbole needs ray, and the ray that it needs has no builds for Python 3.12.
    python_requires=">=3.10,<3.12",
    packages=[
        *find_packages(include=["recbole_imn", "recbole_imn.*"]),
        "recbole_imn.dataset_configs",
    ],
    # Data set settings lie beside the package in the repository and inside it in a wheel.
    package_dir={"recbole_imn.dataset_configs": "dataset_configs"},
    package_data={
        "recbole_imn": [
            "py.typed",
            "properties/*.yaml",
            "properties/*/*.yaml",
            "data/convert/*.yaml",
        ],
        "recbole_imn.dataset_configs": ["*.yaml"],
    },
    install_requires=[
        # The mends are made for exactly this release.
        "recbole==1.2.1",
        "torch>=2.6",
        "numpy>=1.26",
        "pandas>=2.2",
        "polars>=1.30",
        # The random generator of its bootstrap is called rng from here on.
        "scipy>=1.15",
        "plotly>=5.24",
        "pyarrow>=17",
        "pydantic>=2.7",
        "pyyaml>=6",
        "texttable>=0.9",
        "tqdm>=4.48",
    ],
    extras_require={
        "bench": ["torch_geometric>=2.5"],
        "tune": ["optuna>=4"],
        "dev": [
            "optuna>=4",
            "pytest",
            "hypothesis",
            "ruff",
            "mypy",
            "pandas-stubs",
            "types-PyYAML",
            "types-tqdm",
        ],
    },
)
