"""More clients, each up and down, compared by checksum and time."""

import hashlib
import os
import shutil
import subprocess
import unittest

from clients import TREE, WHEN, MoreClients
from genkan import pattern_bytes, read_file, sha256, write_file


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
    """A library: lists, stores, fetches, and takes the time along both ways (MFMT, MDTM).

    The script is told where by its environment; "up" becomes FTP_NAME, and that "down".
    """

    argv = None
    CONTENT = pattern_bytes(300_000, 9)

    @classmethod
    def missing(cls):
        """Why it cannot run here, or nothing."""
        return "" if shutil.which(cls.program) else f"{cls.program} is not installed"

    @classmethod
    def argv_in(cls, _folder):
        return cls.argv

    @classmethod
    def setUpClass(cls):
        why = cls.missing()
        if why:
            raise unittest.SkipTest(why)
        super().setUpClass()

    def begin_script(self, name):
        """Starts it in a folder of its own."""
        folder = os.path.join(self.here, name)
        os.mkdir(folder)
        os.utime(write_file(os.path.join(folder, "up"), self.CONTENT), (WHEN, WHEN))
        return subprocess.Popen(
            self.argv_in(folder), cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True,
            env={**os.environ, "HOME": folder, "LC_ALL": "C.UTF-8", "FTP_HOST": str(self.host),
                 "FTP_PORT": str(self.port), "FTP_USER": "plain", "FTP_NAME": name,
                 "FTP_PASSWORD": self.password})

    def end_script(self, process, name):
        told, _ = process.communicate(timeout=120)
        self.assertEqual(process.returncode, 0, told)
        self.assertIn("there already", told)
        for path in (self.remote(name), os.path.join(self.here, name, "down")):
            self.assertEqual(sha256(path), hashlib.sha256(self.CONTENT).hexdigest(), path)
            self.assertEqual(int(os.stat(path).st_mtime), WHEN, path)

    def both_ways(self):
        self.remote("there already", b"content")
        self.end_script(self.begin_script("new file"), "new file")


class Php(Scripts):
    program = "php"
    argv = ("php", "-r", """
        $c = ftp_connect(getenv("FTP_HOST"), (int)getenv("FTP_PORT"), 60) or exit(2);
        ftp_login($c, getenv("FTP_USER"), getenv("FTP_PASSWORD")) or exit(3);
        ftp_pasv($c, true);
        $name = getenv("FTP_NAME");
        ftp_put($c, $name, "up", FTP_BINARY) or exit(4);
        ftp_size($c, $name) == filesize("up") or exit(5);
        $said = ftp_raw($c, "MFMT " . gmdate("YmdHis", filemtime("up")) . " $name");
        substr($said[0], 0, 4) == "213 " or exit(6);
        ftp_get($c, "down", $name, FTP_BINARY) or exit(7);
        touch("down", ftp_mdtm($c, $name));
        foreach (ftp_mlsd($c, ".") as $row) echo $row["name"], "\n";
    """)

    @classmethod
    def missing(cls):
        why = super().missing()
        if not why and "ftp" not in subprocess.run(["php", "-m"], capture_output=True,
                                                   text=True, check=False).stdout.split():
            why = "php has no ftp extension"
        return why

    def test_both_ways(self):
        self.both_ways()


class Ruby(Scripts):
    program = "ruby"
    argv = ("ruby", "-e", """
        require "net/ftp"
        f = Net::FTP.new
        f.connect(ENV["FTP_HOST"], ENV["FTP_PORT"].to_i)
        f.login(ENV["FTP_USER"], ENV["FTP_PASSWORD"])
        f.passive = true
        name = ENV["FTP_NAME"]
        f.putbinaryfile("up", name)
        f.sendcmd("MFMT #{File.mtime("up").utc.strftime("%Y%m%d%H%M%S")} #{name}")
        f.getbinaryfile(name, "down")
        File.utime(f.mtime(name), f.mtime(name), "down")
        exit 5 if f.size(name) != File.size("up")
        puts f.nlst, f.mlsd.map(&:pathname), f.list
        f.quit
    """)

    @classmethod
    def missing(cls):
        why = super().missing()
        if not why and subprocess.run(["ruby", "-e", "require 'net/ftp'"], check=False,
                                      capture_output=True).returncode:
            why = "ruby has no net/ftp"
        return why

    def test_both_ways(self):
        self.both_ways()


class Aioftp(Scripts):
    # Debian's own: another python may stand before it in PATH
    program = "/usr/bin/python3"
    argv = (program, "-c", """
import asyncio, calendar, os, time, aioftp
async def main():
    e = os.environ
    name = e["FTP_NAME"]
    async with aioftp.Client.context(e["FTP_HOST"], int(e["FTP_PORT"]), e["FTP_USER"],
                                     e["FTP_PASSWORD"]) as client:
        await client.upload("up", name, write_into=True)
        when = time.strftime("%Y%m%d%H%M%S", time.gmtime(os.stat("up").st_mtime))
        await client.command(f"MFMT {when} {name}", "213")
        await client.download(name, "down", write_into=True)
        when = calendar.timegm(time.strptime((await client.stat(name))["modify"], "%Y%m%d%H%M%S"))
        os.utime("down", (when, when))
        for path, info in await client.list("/"):
            print(path)
asyncio.run(main())
""")

    @classmethod
    def missing(cls):
        why = super().missing()
        if not why and subprocess.run([cls.program, "-c", "import aioftp"], check=False,
                                      capture_output=True).returncode:
            why = "aioftp is not installed"
        return why

    def test_both_ways(self):
        self.both_ways()


class Java(Scripts):
    program = "java"
    jar = "/usr/share/java/commons-net.jar"
    PROGRAM = """
import java.io.*;
import java.text.SimpleDateFormat;
import java.util.*;
import org.apache.commons.net.ftp.*;
public class Both {
    static void must(boolean done, String what) { if (!done) throw new RuntimeException(what); }
    public static void main(String[] a) throws Exception {
        FTPClient f = new FTPClient();
        f.connect(System.getenv("FTP_HOST"), Integer.parseInt(System.getenv("FTP_PORT")));
        must(f.login(System.getenv("FTP_USER"), System.getenv("FTP_PASSWORD")), "login");
        f.enterLocalPassiveMode();
        f.setFileType(FTP.BINARY_FILE_TYPE);
        String name = System.getenv("FTP_NAME");
        try (InputStream in = new FileInputStream("up")) { must(f.storeFile(name, in), "up"); }
        SimpleDateFormat utc = new SimpleDateFormat("yyyyMMddHHmmss");
        utc.setTimeZone(TimeZone.getTimeZone("UTC"));
        String when = utc.format(new Date(new File("up").lastModified()));
        must(f.setModificationTime(name, when), "MFMT");
        try (OutputStream out = new FileOutputStream("down")) {
            must(f.retrieveFile(name, out), "down");
        }
        long then = f.mdtmFile(name).getTimestamp().getTimeInMillis();
        must(new File("down").setLastModified(then), "the time of down");
        must(f.mlistFile(name).getTimestamp().getTimeInMillis() == then, "MLST and MDTM differ");
        for (FTPFile file : f.listFiles()) System.out.println(file.getName() + file.getSize());
        for (FTPFile file : f.mlistDir()) System.out.println(file.getName());
        f.logout();
    }
}
"""

    @classmethod
    def missing(cls):
        why = super().missing()
        if not why and not os.path.exists(cls.jar):
            why = "libcommons-net-java is not installed"
        if not why and "jdk.compiler" not in subprocess.run(
                ["java", "--list-modules"], capture_output=True, text=True, check=False).stdout:
            why = "this java runs no sources: it has no compiler"
        return why

    @classmethod
    def argv_in(cls, folder):
        write_file(os.path.join(folder, "Both.java"), cls.PROGRAM.encode())
        return ("java", "-cp", cls.jar, "Both.java")

    def test_both_ways(self):
        self.both_ways()


class Together(Scripts):
    """All libraries at the same time, several of each: nobody gets another's bytes or time."""

    program = "python3"
    EACH = 3

    def test_uploads_and_downloads_in_parallel(self):
        libraries = [library for library in (Php, Ruby, Aioftp, Java) if not library.missing()]
        if not libraries:
            self.skipTest("none of the libraries is installed")
        self.remote("there already", b"content")
        running = []
        for number in range(self.EACH):
            for library in libraries:
                one = library()
                one.server, one.home, one.here = self.server, self.home, self.here
                one.host, one.port = self.host, self.port
                one.CONTENT = pattern_bytes(2_000_000 + number, len(running) + 1)
                name = f"{library.__name__} {number}"
                running.append((one, one.begin_script(name), name))
        for one, process, name in running:
            with self.subTest(name=name):
                one.end_script(process, name)


class Npm(MoreClients):
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
                await client.send("MFMT 20170714024000 stored")
                const names = (await client.list()).map(entry => entry.name + " " + entry.size)
                console.log(names.join("\\n"), (await client.lastMod("stored")).getTime())
                client.close()
            }
            main().catch(error => { console.error(error); process.exit(1) })
            """)
        self.assertIn(f"stored 700000 {WHEN}000", shown)

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


del MoreClients, Scripts  # they are not tests themselves


if __name__ == "__main__":
    unittest.main()
