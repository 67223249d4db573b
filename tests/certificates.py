"""Certificates made for a test."""

import subprocess
from pathlib import Path

import pytest


def make_certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A self-signed certificate of ``name`` (DNS) and 127.0.0.1, and its key; skips where there is no openssl."""
    certificate, key = folder / "cert.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    command += ["-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name},IP:127.0.0.1"]
    try:
        done = subprocess.run([*command, "-keyout", key, "-out", certificate], capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("no openssl to make a certificate")
    assert done.returncode == 0, done.stderr
    return certificate, key
