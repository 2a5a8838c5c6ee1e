"""Packaging of recbole_imn; settings of tools are in pyproject.toml."""

from pathlib import Path

from setuptools import find_packages, setup

setup(
    name="recbole_imn",
    version="0.2.0",
    description="IMN-Net for resource-limited recommendation, as a RecBole plugin",
    long_description=Path("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    author="The recbole_imn authors",
    license_expression="MIT",
    license_files=["LICENSE"],
    project_urls={"Paper": "https://arxiv.org/abs/2009.13249", "RecBole": "https://recbole.io"},
    keywords=[
        "recommender systems",
        "sequential recommendation",
        "temporal graphs",
        "resource-limited",
        "used cars",
        "RecBole",
        "IMN-Net",
        "JODIE",
        "PyTorch",
    ],
    classifiers=[
        "Development Status :: 4 - Beta",
        "Environment :: Console",
        "Intended Audience :: Developers",
        "Intended Audience :: Science/Research",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3 :: Only",
        "Programming Language :: Python :: 3.10",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        "Typing :: Typed",
    ],
    python_requires=">=3.10",
    packages=[
        *find_packages(include=["recbole_imn", "recbole_imn.*"]),
        "recbole_imn.dataset_configs",
        "recbole_imn.dataset_configs.examples",
    ],
    # Data set settings lie beside the package in the repository and inside it in a wheel.
    package_dir={"recbole_imn.dataset_configs": "dataset_configs"},
    package_data={
        "recbole_imn": [
            "py.typed",
            "properties/*.yaml",
            "properties/*/*.yaml",
            "data/convert/*.yaml",
            "serving/http/page/*",
            "pages/templates/*",
        ],
        "recbole_imn.dataset_configs": ["*.yaml"],
        "recbole_imn.dataset_configs.examples": ["*.yaml"],
    },
    entry_points={"console_scripts": ["recbole-imn = recbole_imn.__main__:main"]},
    install_requires=[
        # The mends are made for exactly this release. It asks for a ray that has no builds for
        # later Pythons, and needs none: `pip install --no-deps recbole==1.2.1` there.
        'recbole==1.2.1; python_version < "3.12"',
        # What recbole 1.2.1 imports. It asks for exact releases of some; any later one will do.
        "torch>=2.6",
        # It brings llvmlite, in which one kernel writes its innermost loop.
        "numba>=0.61",
        "llvmlite>=0.44",
        "numpy>=1.26",
        "pandas>=2.2",
        # The random generator of its bootstrap is called rng from here on.
        "scipy>=1.15",
        # Its hyper-tuning draws with it; our pages do not.
        "plotly>=5.24",
        "pyyaml>=6",
        "rich>=13",
        "texttable>=0.9",
        "tqdm>=4.48",
        "colorama>=0.4.4",
        "colorlog>=4.7.2",
        "psutil>=5.9",
        "scikit-learn>=1.4",
        "tensorboard>=2.5",
        "thop>=0.1.1.post2207130030",
        # thop imports distutils, which Python 3.12 has left to setuptools.
        'setuptools; python_version >= "3.12"',
        # What recbole does not need.
        "polars>=1.30",
        "pyarrow>=17",
        "pydantic>=2.7",
        "jinja2>=3.1",
    ],
    extras_require={
        "bench": ["torch_geometric>=2.5"],
        "tune": ["optuna>=4"],
        # LambdaRank learns with it, and needs it for nothing else.
        "baselines": ["lightgbm>=4"],
        "serve": ["fastapi>=0.132", "uvicorn>=0.35", "prometheus-client>=0.22"],
        # The journal of serving in a Redis stream.
        "redis": ["redis>=5"],
        # The successor of Material for MkDocs; it reads docstrings, and equations become MathML.
        "docs": [
            'zensical>=0.0.70; python_version >= "3.11"',
            'mkdocstrings-python>=2; python_version >= "3.11"',
            'latex2mathml>=3.77; python_version >= "3.11"',
        ],
        "dev": [
            "optuna>=4",
            "lightgbm>=4",
            "fastapi>=0.132",
            "uvicorn>=0.35",
            "prometheus-client>=0.22",
            "redis>=5",
            "pytest",
            "pytest-xdist",
            "hypothesis",
            # The service is asked over HTTP, with whatever its description allows, in a browser.
            "httpx",
            "httpx2",
            "schemathesis>=4",
            "playwright",
            "ruff",
            "mypy",
            "pandas-stubs",
            "types-PyYAML",
            "types-tqdm",
            # A test builds the documentation, and one the wheel.
            'zensical>=0.0.70; python_version >= "3.11"',
            'mkdocstrings-python>=2; python_version >= "3.11"',
            'latex2mathml>=3.77; python_version >= "3.11"',
            "setuptools>=77",
        ],
    },
)
