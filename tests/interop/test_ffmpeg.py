"""FFmpeg's WHIP muxer publishes into the room with a certificate that is given to it, in both DTLS roles.

The certificate that it makes by itself, where it is built with GnuTLS, is refused: docs/interop.md says why.
"""

from __future__ import annotations

import datetime
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import av
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tests.browser.meeting import enter
from tests.interop.watching import codec_of
from tests.support.browser import BrowserFactory
from tests.support.media import ROOT
from tests.support.server import Server

NUMBER = 5  # coded in the picture

pytestmark = [
    pytest.mark.interop,
    pytest.mark.browser,
    pytest.mark.timeout(300),
    pytest.mark.skipif("whip" not in av.formats_available, reason="this FFmpeg has no WHIP muxer"),
]


def _certificate(folder: Path, kind: str) -> list[str]:
    """Muxer options that name a fresh self-signed certificate of this kind."""
    key = (
        ec.generate_private_key(ec.SECP256R1())
        if kind == "P-256"
        else rsa.generate_private_key(public_exponent=65537, key_size=2048)
    )
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "encoder")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .sign(key, hashes.SHA256())
    )
    key_file, certificate_file = folder / "key.pem", folder / "certificate.pem"
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return [f"cert_file={certificate_file}", f"key_file={key_file}"]


@pytest.fixture(params=[("P-256", ""), ("RSA", "whip_flags=dtls_active")], ids=["P-256 server", "RSA client"])
def encoder(
    request: pytest.FixtureRequest, server: Server, consultation: str, tmp_path: Path
) -> Iterator[subprocess.Popen[bytes]]:
    kind, role = request.param
    options = _certificate(tmp_path, kind) + ([role] if role else [])
    url, token = f"{server.url}/whip/{consultation}", server.token(consultation, "member", "编码器")
    arguments = [sys.executable, "-m", "tests.interop.ffmpeg_whip", url, token, str(NUMBER), *options]
    with (tmp_path / "stderr").open("wb") as log:
        process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stderr=log, cwd=ROOT)
    yield process
    process.kill()
    process.wait(10)
    assert process.stdin is not None
    process.stdin.close()


async def test_chromium_sees_and_hears_it(
    server: Server,
    consultation: str,
    browsers: BrowserFactory,
    encoder: subprocess.Popen[bytes],
    tmp_path: Path,
) -> None:
    viewer = await browsers.launch(name="viewer")
    await viewer.open(server.room_url(consultation, server.token(consultation, "member", "会场")))
    own = await enter(viewer)

    async def sender() -> str:
        others = set(await viewer.codes_by_tile()) - {own}
        if encoder.poll() is not None:
            pytest.fail(f"the encoder ended: {(tmp_path / 'stderr').read_text()[-2000:]}")
        return others.pop() if others else ""

    participant = await viewer.wait_until(sender, timeout_s=30, what="has a tile of the encoder")
    await viewer.sees({participant: NUMBER}, timeout_s=30)
    assert (await codec_of(viewer, participant)).startswith("video/H264")
    await viewer.hears(participant)

    assert encoder.stdin is not None
    encoder.stdin.close()

    async def gone() -> bool:
        return participant not in await viewer.codes_by_tile()

    await viewer.wait_until(gone, timeout_s=20, what="the tile is gone: the muxer deletes its resource")
    viewer.assert_quiet()
