"""examples/quickstart, in a copy of the tree: builds, serves, starts again at once, ends by Ctrl-C."""

import ftplib
import hashlib
import io
import os
import shutil
import signal
import ssl

from genkan import BUILD, PATIENCE, SOURCE, GenkanTest, free_port, need_program, read_file


def without_builds(folder, names):
    """What a copy of the tree leaves out: build directories and the like."""
    return [name for name in names if name in (".git", "autom4te.cache", "__pycache__") or
            folder == SOURCE and name.startswith("build") and name != "build-aux"]


class Quickstart(GenkanTest):
    time_limit = 900

    def start(self, *options, timeout):
        """quickstart of the copy, called from elsewhere."""
        environment = {name: value for name, value in os.environ.items()
                       if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
        server = self.world.launch(
            [os.path.join(self.tree, "examples", "quickstart"), f"--port={self.port}", *options],
            cwd=self.world.path, env=environment)
        server.wait_log(rf"listening on 0\.0\.0\.0 port {self.port}$", timeout)
        return server

    def built(self):
        """When each file of the build was written."""
        return {os.path.join(folder, name): os.stat(os.path.join(folder, name)).st_mtime_ns
                for folder, _, names in os.walk(os.path.join(self.tree, "build"))
                for name in names if name.endswith((".o", ".a")) or name.startswith("genkan")}

    def stop(self, server):
        server.process.send_signal(signal.SIGINT)
        self.assertEqual(server.process.wait(PATIENCE), 0, "Ctrl-C")

    def ftp(self):
        ftp = ftplib.FTP()
        ftp.connect("127.0.0.1", self.port, timeout=PATIENCE)
        self.addCleanup(ftp.close)
        ftp.login()
        return ftp

    @need_program("make")
    @need_program("gcc")
    def test_builds_serves_and_starts_again_at_once(self):
        self.tree = self.world.path_of("tree")
        shutil.copytree(SOURCE, self.tree, symlinks=True, ignore=without_builds)
        self.port = free_port()
        shared = self.world.path_of("new folder")

        server = self.start("new folder", timeout=600)
        self.assertTrue(os.path.isdir(shared), "it makes the directory")
        self.assertIn(f"ftp://127.0.0.1:{self.port}/\n", server.log())
        with open(os.path.join(shared, "file"), "wb") as file:
            file.write(b"hello\n")
        got = []
        ftp = self.ftp()
        ftp.retrbinary("RETR file", got.append)
        self.assertEqual(b"".join(got), b"hello\n")
        with self.assertRaises(ftplib.error_perm, msg="read-only unless told"):
            ftp.storbinary("STOR new", io.BytesIO(b"x"))
        ftp.quit()
        self.stop(server)

        os.chmod(shared, 0o777)
        built = self.built()
        server = self.start("--write", shared, timeout=100)
        self.assertEqual(self.built(), built, "the second start builds nothing")
        self.ftp().storbinary("STOR new", io.BytesIO(b"upload"))
        self.assertEqual(read_file(os.path.join(shared, "new")), b"upload")
        self.stop(server)

        if os.access(os.path.join(BUILD, "genkan-ftpd-tls"), os.X_OK):
            self.by_tls()

    def by_tls(self):
        server = self.start("--tls", "new folder", timeout=100)
        with self.assertRaises(ftplib.error_perm, msg="in clear"):
            self.ftp()
        ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        ctx.check_hostname = False
        ctx.verify_mode = ssl.CERT_NONE
        ftp = ftplib.FTP_TLS(context=ctx, timeout=PATIENCE)
        self.addCleanup(ftp.close)
        ftp.connect("127.0.0.1", self.port)
        ftp.login()
        digest = hashlib.sha256(ftp.sock.getpeercert(True)).hexdigest().upper()
        self.assertIn(":".join(digest[i:i + 2] for i in range(0, 64, 2)), server.log(),
                      "it says which certificate clients are to expect")
        ftp.prot_p()
        self.assertIn("file", ftp.nlst())
        ftp.quit()
        self.stop(server)
