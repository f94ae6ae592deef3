"""What the tests of more clients share: one tree, compared by checksum and time."""

import os
import shutil
import subprocess
import unittest

from genkan import USER_GID, USER_UID, ServerTest, pattern_bytes, read_file, write_file

# What is in the tree that goes both ways: name, size.
TREE = (("one", 0), ("two words", 1), ("folder/three", 70_000), ("folder/日本語", 1_000_000),
        ("folder/deep/four", 123_457))
WHEN = 1_500_000_000


class MoreClients(ServerTest):
    program = None
    listen = ("127.0.0.1:0",)
    # the password goes into URLs
    password = "secret"

    @classmethod
    def setUpClass(cls):
        if cls.program is not None and shutil.which(cls.program) is None:
            raise unittest.SkipTest(f"{cls.program} is not installed")
        super().setUpClass()

    @classmethod
    def prepare(cls):
        cls.world.add_user("plain", cls.password, home=cls.home)

    def setUp(self):
        super().setUp()
        self.here = self.world.path_of("client")
        shutil.rmtree(self.here, ignore_errors=True)
        os.mkdir(self.here)
        self.host, self.port = self.server.address[:2]

    def run_client(self, *argv, text=None, **env):
        done = subprocess.run(argv, cwd=self.here, input=text, capture_output=True, text=True,
                              timeout=120, env={**os.environ, "HOME": self.here,
                                               "LC_ALL": "C.UTF-8", **env})
        self.assertEqual(done.returncode, 0, f"{argv}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def make_tree(self, top):
        for number, (name, size) in enumerate(TREE):
            path = os.path.join(top, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            write_file(path, pattern_bytes(size, number + 1))
            os.utime(path, (WHEN, WHEN))
        for folder, folders, files in os.walk(top):
            for name in [".", *folders, *files]:
                os.chown(os.path.join(folder, name), USER_UID, USER_GID)

    def assert_tree(self, top, times):
        for number, (name, size) in enumerate(TREE):
            path = os.path.join(top, name)
            self.assertEqual(read_file(path), pattern_bytes(size, number + 1), path)
            if times:
                self.assertEqual(int(os.stat(path).st_mtime), WHEN, path)
