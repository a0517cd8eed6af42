"""A source over HTTP that can misbehave, and a certificate nobody vouches for."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from faulty_source import Served, Source, serve


@pytest.fixture
def served() -> Iterator[Served]:
    """A source without faults; tests plan their own."""
    rows = [
        {
            "ma_tre": f"24{number:08d}",
            "version": 1,
            "deleted": False,
            "changed_at": f"2026-01-{number % 28 + 1:02d}T00:00:00",
        }
        for number in range(25)
    ]
    server, found = serve(Source(rows=rows))
    yield found
    server.shutdown()
    server.server_close()


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """A self-signed certificate for another host, and its key."""
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "elsewhere.example")])
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    built = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(begin).not_valid_after(begin + timedelta(days=3650)).sign(key, hashes.SHA256())
    )  # fmt: skip
    chain, secret = tmp_path / "cert.pem", tmp_path / "key.pem"
    chain.write_bytes(built.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return chain, secret
