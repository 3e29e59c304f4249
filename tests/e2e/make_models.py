"""Trains the tiny models that the end-to-end tests share, into $MALSSI_MODELS."""
import shutil

from program import MODELS

shutil.rmtree(MODELS, ignore_errors=True)
MODELS.mkdir(parents=True)
