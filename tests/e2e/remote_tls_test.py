"""A model behind another server, through TLS: our own `malssi serve`, with certificates of an authority made here."""
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from program import CHAT, ProgramTest
from serving import Served

ASKED = ("--prompt", "Who likes tea?", "--greedy", "--max-tokens", "12")


def certificate(folder, name, *more):
    """NAME.pem and NAME.key in the folder; more: of openssl's flags."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", f"/CN={name}", "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem", *more],
                   check=True, capture_output=True)


@unittest.skipUnless(shutil.which("openssl"), "openssl is not installed")
class RemoteTlsTest(ProgramTest):
    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(scratch.cleanup)
        cls.certificates = folder = pathlib.Path(scratch.name)
        authority = ("-CA", folder / "authority.pem", "-CAkey", folder / "authority.key")
        certificate(folder, "authority")
        certificate(folder, "stranger")
        certificate(folder, "here", *authority, "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")
        certificate(folder, "elsewhere", *authority, "-addext", "subjectAltName=DNS:elsewhere.example")

    def served(self, name):
        served = Served("--model", f"chat={CHAT}", "--tls-certificate", self.certificates / f"{name}.pem",
                        "--tls-key", self.certificates / f"{name}.key")
        self.addCleanup(served.close)
        return served

    def given(self, served, host="localhost", trusted="authority", scheme="https"):
        return {"OPENAI_BASE_URL": f"{scheme}://{host}:{served.port}/v1", "OPENAI_API_KEY": "",
                "SSL_CERT_FILE": str(self.certificates / f"{trusted}.pem"), "SSL_CERT_DIR": str(self.certificates / "none")}

    def refused(self, served, *words, **how):
        self.bad("generate", "--model", "openai:chat", *ASKED, words=words, **self.given(served, **how))

    def test_a_certificate_that_is_trusted_is_answered_through(self):
        served = self.served("here")
        near = self.good("generate", "--model", CHAT, "--chat", *ASKED)
        for host in ("localhost", "127.0.0.1"):
            far = self.good("generate", "--model", "openai:chat", *ASKED, **self.given(served, host))
            self.assertEqual(far.out, near.out)

    def test_an_unknown_authority_is_refused(self):
        served = self.served("here")
        self.refused(served, f"cannot trust localhost:{served.port}", "issuer certificate", "SSL_CERT_FILE", trusted="stranger")
        self.refused(served, "cannot trust", "issuer certificate", trusted="there_is_no_such_file")

    def test_a_wrong_name_is_refused(self):
        served = self.served("elsewhere")
        self.refused(served, f"cannot trust localhost:{served.port}", "ostname mismatch")
        self.refused(served, f"cannot trust 127.0.0.1:{served.port}", "IP address mismatch", host="127.0.0.1")

    def test_plain_and_tls_do_not_mix(self):
        self.refused(self.served("here"), "cannot reach localhost", scheme="http")
        plain = Served("--model", f"chat={CHAT}")
        self.addCleanup(plain.close)
        self.refused(plain, "cannot reach localhost")


unittest.main()
