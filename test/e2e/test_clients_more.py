"""More clients, each up and down, compared by checksum and time."""

import os
import shutil
import subprocess
import unittest

from genkan import (USER_GID, USER_UID, ServerTest, pattern_bytes, read_file,
                    write_file)

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
                              timeout=50, env={**os.environ, "HOME": self.here,
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


class Rclone(MoreClients):
    program = "rclone"

    def rclone(self, *words):
        obscured = self.run_client("rclone", "obscure", self.password).strip()
        return self.run_client("rclone", "--config", os.devnull, "--ftp-host", str(self.host),
                               "--ftp-port", str(self.port), "--ftp-user", "plain",
                               "--ftp-pass", obscured, *words)

    def test_up_check_and_down_with_times(self):
        up, down = os.path.join(self.here, "up"), os.path.join(self.here, "down")
        self.make_tree(up)
        self.rclone("copy", up, ":ftp:tree")
        self.assert_tree(self.remote("tree"), times=True)
        self.rclone("check", "--download", up, ":ftp:tree")
        self.rclone("copy", ":ftp:tree", down)
        self.assert_tree(down, times=True)
        listed = self.rclone("lsf", "-R", "--files-only", ":ftp:tree").split("\n")
        self.assertEqual(sorted(filter(None, listed)), sorted(name for name, _ in TREE))


class LftpParallel(MoreClients):
    program = "lftp"

    def lftp(self, commands):
        self.run_client("lftp", "-c", f"set cmd:fail-exit true; set net:max-retries 2; open -u "
                        f"plain,{self.password} -p {self.port} ftp://{self.host}; {commands}")

    def test_mirror_both_ways_in_parallel(self):
        up, down = os.path.join(self.here, "up"), os.path.join(self.here, "down")
        self.make_tree(up)
        self.lftp(f"mirror --parallel=4 -R {up} tree")
        self.assert_tree(self.remote("tree"), times=True)
        self.lftp(f"mirror --parallel=4 tree {down}")
        self.assert_tree(down, times=True)


class Aria2(MoreClients):
    program = "aria2c"

    def test_one_file_with_its_time(self):
        self.remote("big", pattern_bytes(9_000_000))
        os.utime(self.remote("big"), (WHEN, WHEN))
        self.run_client("aria2c", "--no-conf", "-q", "--remote-time=true",
                        f"ftp://plain:{self.password}@{self.host}:{self.port}/big")
        self.assertEqual(read_file(os.path.join(self.here, "big")), pattern_bytes(9_000_000))
        self.assertEqual(int(os.stat(os.path.join(self.here, "big")).st_mtime), WHEN)


class Scripts(MoreClients):
    """A library: lists, stores, fetches; the script is told where by its environment."""

    def script(self, *argv, **options):
        content = pattern_bytes(300_000, 9)
        write_file(os.path.join(self.here, "up"), content)
        self.remote("there already", b"content")
        told = self.run_client(*argv, FTP_HOST=str(self.host), FTP_PORT=str(self.port),
                               FTP_USER="plain", FTP_PASSWORD=self.password, **options)
        self.assertIn("there already", told)
        self.assertEqual(read_file(self.remote("new file")), content)
        self.assertEqual(read_file(os.path.join(self.here, "down")), content)


class Php(Scripts):
    program = "php"

    def test_both_ways(self):
        if "ftp" not in self.run_client("php", "-m").split():
            self.skipTest("php has no ftp extension")
        self.script("php", "-r", """
            $c = ftp_connect(getenv("FTP_HOST"), (int)getenv("FTP_PORT"), 10) or exit(2);
            ftp_login($c, getenv("FTP_USER"), getenv("FTP_PASSWORD")) or exit(3);
            ftp_pasv($c, true);
            ftp_put($c, "new file", "up", FTP_BINARY) or exit(4);
            ftp_size($c, "new file") == 300000 or exit(5);
            ftp_get($c, "down", "new file", FTP_BINARY) or exit(6);
            foreach (ftp_mlsd($c, ".") as $row) echo $row["name"], "\\n";
        """)


class Ruby(Scripts):
    program = "ruby"

    def test_both_ways(self):
        if subprocess.run(["ruby", "-e", "require 'net/ftp'"], capture_output=True).returncode:
            self.skipTest("ruby has no net/ftp")
        self.script("ruby", "-e", """
            require "net/ftp"
            f = Net::FTP.new
            f.connect(ENV["FTP_HOST"], ENV["FTP_PORT"].to_i)
            f.login(ENV["FTP_USER"], ENV["FTP_PASSWORD"])
            f.passive = true
            f.putbinaryfile("up", "new file")
            f.getbinaryfile("new file", "down")
            exit 5 if f.size("new file") != 300000
            puts f.nlst, f.mlsd.map(&:pathname), f.list
            f.quit
        """)


class Aioftp(Scripts):
    program = "python3"

    def test_both_ways(self):
        if subprocess.run(["/usr/bin/python3", "-c", "import aioftp"], capture_output=True).returncode:
            self.skipTest("aioftp is not installed")
        self.script("/usr/bin/python3", "-c", """
import asyncio, os, aioftp
async def main():
    e = os.environ
    async with aioftp.Client.context(e["FTP_HOST"], int(e["FTP_PORT"]), e["FTP_USER"],
                                     e["FTP_PASSWORD"]) as client:
        await client.upload("up", "new file", write_into=True)
        await client.download("new file", "down", write_into=True)
        for path, info in await client.list("/"):
            print(path)
asyncio.run(main())
""")


class Npm(Scripts):
    """Clients of the npm registry, in the versions that were the newest when this was written."""

    program = "npm"
    packages = ("basic-ftp@5.0.5", "ftp@0.3.10")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.modules = cls.world.path_of("npm")
        os.mkdir(cls.modules)
        try:
            subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--silent", *cls.packages],
                           cwd=cls.modules, check=True, capture_output=True, timeout=60,
                           stdin=subprocess.DEVNULL)
        except (subprocess.SubprocessError, OSError) as error:
            cls.world.close()
            raise unittest.SkipTest(f"npm cannot fetch {' '.join(cls.packages)}: {error}")

    def node(self, program):
        write_file(os.path.join(self.here, "up"), pattern_bytes(700_000, 1))
        path = os.path.join(self.modules, "both.js")
        with open(path, "w", encoding="utf-8") as file:
            file.write(program)
        shown = self.run_client("node", path, str(self.host), str(self.port), self.password)
        self.assertEqual(read_file(self.remote("stored")), pattern_bytes(700_000, 1))
        self.assertEqual(read_file(os.path.join(self.here, "down")), pattern_bytes(700_000, 1))
        return shown

    def test_basic_ftp_both_ways(self):
        shown = self.node("""
            const { Client } = require("basic-ftp")
            const [host, port, password] = process.argv.slice(2)
            async function main() {
                const client = new Client(20000)
                await client.access({ host, port: Number(port), user: "plain", password })
                await client.uploadFrom("up", "stored")
                await client.downloadTo("down", "stored")
                const names = (await client.list()).map(entry => entry.name + " " + entry.size)
                console.log(names.join("\\n"), (await client.lastMod("stored")).getTime() > 0)
                client.close()
            }
            main().catch(error => { console.error(error); process.exit(1) })
            """)
        self.assertIn("stored 700000 true", shown)

    def test_ftp_both_ways(self):
        shown = self.node("""
            const Client = require("ftp"), fs = require("fs")
            const [host, port, password] = process.argv.slice(2)
            const client = new Client()
            const done = next => (error, result) => {
                if (error) { console.error(error); process.exit(1) }
                next(result)
            }
            client.on("error", done(() => {}))
            client.on("ready", () => client.put("up", "stored", done(() =>
                client.get("stored", done(stream => {
                    stream.pipe(fs.createWriteStream("down")).on("close", () =>
                        client.list(done(list => {
                            console.log(list.map(entry => entry.name + " " + entry.size).join("\\n"))
                            client.end()
                        })))
                })))))
            client.connect({ host, port: Number(port), user: "plain", password })
            """)
        self.assertIn("stored 700000", shown)


class Java(Scripts):
    program = "java"
    jar = "/usr/share/java/commons-net.jar"
    PROGRAM = """
import java.io.*;
import org.apache.commons.net.ftp.*;
public class Both {
    static void must(boolean done, String what) { if (!done) throw new RuntimeException(what); }
    public static void main(String[] a) throws Exception {
        FTPClient f = new FTPClient();
        f.connect(System.getenv("FTP_HOST"), Integer.parseInt(System.getenv("FTP_PORT")));
        must(f.login(System.getenv("FTP_USER"), System.getenv("FTP_PASSWORD")), "login");
        f.enterLocalPassiveMode();
        f.setFileType(FTP.BINARY_FILE_TYPE);
        try (InputStream in = new FileInputStream("up")) { must(f.storeFile("new file", in), "up"); }
        try (OutputStream out = new FileOutputStream("down")) {
            must(f.retrieveFile("new file", out), "down");
        }
        for (FTPFile file : f.listFiles()) System.out.println(file.getName() + file.getSize());
        for (FTPFile file : f.mlistDir()) System.out.println(file.getName());
        f.logout();
    }
}
"""

    def test_both_ways(self):
        if not os.path.exists(self.jar):
            self.skipTest("libcommons-net-java is not installed")
        if subprocess.run(["java", "--list-modules"], capture_output=True,
                          text=True).stdout.find("jdk.compiler") == -1:
            self.skipTest("this java runs no sources: it has no compiler")
        write_file(os.path.join(self.here, "Both.java"), self.PROGRAM.encode())
        self.script("java", "-cp", self.jar, "Both.java")



del MoreClients, Scripts, ServerTest  # they are not tests themselves


if __name__ == "__main__":
    unittest.main()
