"""Checkpoints: plain values under a checksum, read without executing code."""

from recbole_imn.checkpoints.loading import load_checkpoint, load_data_and_model, rebuild_config
from recbole_imn.checkpoints.mends import install
from recbole_imn.checkpoints.values import decode_parameter, encode_parameters, plain_config

__all__ = [
    "decode_parameter",
    "encode_parameters",
    "install",
    "load_checkpoint",
    "load_data_and_model",
    "plain_config",
    "rebuild_config",
]
