"""FTPS behind NAT: no router can look inside, so the server has to be right by itself.

Cases 3 and 4 (the server is at home; the client is not, or behind another router), on port 21 with the
routers' FTP helpers on, and on port 2121.
"""

import os
import subprocess
import tempfile
import unittest

import natlab
from natlab import BUILD, CASES, HOME
from test_natlab import LabTest

TLS = os.path.join(BUILD, "genkan-ftpd-tls")


class TlsBehindNat(LabTest):
    @classmethod
    def setUpClass(cls):
        if not os.access(TLS, os.X_OK):
            raise unittest.SkipTest("built without TLS")
        super().setUpClass()
        cls.folder = tempfile.TemporaryDirectory(prefix="genkan-tls-")
        cls.addClassCleanup(cls.folder.cleanup)
        cls.cert = os.path.join(cls.folder.name, "both.pem")
        subprocess.run(["openssl", "req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-keyout", cls.cert + ".key", "-out", cls.cert,
                        "-days", "2", "-subj", "/CN=home.example.net"], check=True,
                       capture_output=True)
        with open(cls.cert, "ab") as out, open(cls.cert + ".key", "rb") as key:
            out.write(key.read())
        os.chmod(cls.cert, 0o600)

    def serve_tls(self, *options):
        return self.serve(options=("TLS required", f"TLSCertificateFile {self.cert}", *options))

    def curl(self, case, port, *options, scheme="ftp"):
        _, host, node = CASES[case]
        done = self.lab.run(node, "curl", "-sS", "-k", "--ssl-reqd", "--max-time", "45",
                            "--ftp-skip-pasv-ip" if "--trust" not in options else "-s",
                            *(word for word in options if word != "--trust"),
                            f"{scheme}://{host}:{port}/{natlab.FILE}", check=False,
                            capture_output=True)
        self.assertEqual(done.returncode, 0, (case, port, options, done.stderr))
        self.assertEqual(done.stdout, self.lab.content, (case, port, options))

    def every_passive_way(self, ports=(21, 2121)):
        for case in 3, 4:
            for port in ports:
                for options in (("--disable-epsv", "--no-ftp-skip-pasv-ip", "--trust"), (),
                                ("--disable-epsv", "--no-ftp-skip-pasv-ip", "--trust",
                                 "--tls-max", "1.2")):
                    with self.subTest(case=case, port=port, options=options):
                        self.curl(case, port, *options)

    def test_pasv_and_epsv_in_cases_3_and_4(self):
        self.serve_tls()
        self.every_passive_way()

    def test_with_the_helpers_of_both_routers(self):
        self.lab.home_router(alg=True)
        self.lab.client_router(alg=True)
        self.serve_tls("TLSSessionReuse required")
        self.every_passive_way()

    def test_upload_and_listing_in_case_4(self):
        self.serve_tls("AnonymousUpload on")
        _, host, node = CASES[4]
        done = self.lab.run(node, "curl", "-sS", "-k", "--ssl-reqd", f"ftp://{host}:2121/",
                            check=False, capture_output=True)
        self.assertIn(natlab.FILE.encode(), done.stdout, done.stderr)

    def test_implicit_in_cases_3_and_4(self):
        self.serve_tls("TLSImplicit on")
        for case in 3, 4:
            self.curl(case, 2121, scheme="ftps")

    def test_active_mode_is_refused_in_words_behind_the_clients_router(self):
        self.serve_tls()
        _, host, node = CASES[4]
        self.lab.client_router(alg=True)
        done = self.lab.run(node, "curl", "-sS", "-v", "-k", "--ssl-reqd", "-P", "-", "--max-time",
                            "45", f"ftp://{host}:21/{natlab.FILE}", check=False, capture_output=True)
        self.assertIn(b"passive mode", done.stderr)
        self.assertEqual(HOME, host)


del LabTest


if __name__ == "__main__":
    unittest.main()
