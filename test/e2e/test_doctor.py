"""genkanctl check: what the doctor finds on a machine that is a tree of files (--root)."""

import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

from genkan import CTL, SOURCE, World, in_namespace, need_program, root_only

CONF = "/etc/genkan-ftpd.conf"
PASSWD = "/etc/ftp.passwd"

INETD = "ftp stream tcp nowait.100000 root /usr/sbin/genkan-ftpd genkan-ftpd -f %s\n" % CONF


def listening(*ports):
    """/proc/net/tcp with these ports; the inode is the port."""
    rows = ["  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"]
    for number, port in enumerate(ports):
        rows.append("%4d: 00000000:%04X 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0"
                    "        0 %d 1 0000000000000000 100 0 0 10 0" % (number, port, port))
    return "\n".join(rows) + "\n"


class Tree:
    """A machine as files; a healthy home unless told."""

    def __init__(self):
        self.path = tempfile.mkdtemp(prefix="genkan-doctor-")
        os.chmod(self.path, 0o755)
        self.write(CONF, "PassivePorts 4000 4029\nAuthUserFile %s\n" % PASSWD)
        self.write(PASSWD, "anna:x:1000:1000::/home/anna:\n", 0o600)
        self.write("/etc/passwd", "root:x:0:0::/root:\ngenkan:x:998:998::/:\ngenkan-gw:x:997:997::/:\n"
                   "ftp:x:996:996::/:\n")
        self.write("/etc/inetd.conf", INETD)
        self.write("/usr/sbin/genkan-ftpd", "", 0o755)
        self.write("/usr/sbin/inetd", "", 0o755)
        self.write("/proc/net/tcp", listening(21))
        self.write("/proc/sys/net/ipv4/ip_local_port_range", "32768\t60999\n")
        self.write("/home/anna/.keep", "")
        self.tool("nft", "")

    def write(self, path, text, mode=0o644):
        full = self.path + path
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(full, mode)

    def remove(self, path):
        os.unlink(self.path + path)

    def tool(self, name, output, status=0):
        """A program that prints this."""
        self.write("/usr/sbin/" + name, "#!/bin/sh\ncat <<'EOF'\n%s\nEOF\nexit %d\n" % (output, status),
                   0o755)

    def process(self, pid, name, inode, cmdline=""):
        """A process that has the socket open."""
        self.write("/proc/%d/comm" % pid, name + "\n")
        self.write("/proc/%d/cmdline" % pid, cmdline)
        os.makedirs(self.path + "/proc/%d/fd" % pid)
        os.symlink("socket:[%d]" % inode, self.path + "/proc/%d/fd/5" % pid)

    def example(self, name, path=None):
        """An example as it would be installed."""
        with open(os.path.join(SOURCE, "examples", name), encoding="utf-8") as file:
            self.write(path or "/etc/systemd/system/" + os.path.basename(name), file.read())

    def enable(self, unit, target):
        os.makedirs(self.path + "/etc/systemd/system/%s.wants" % target, exist_ok=True)
        os.symlink("../" + unit, self.path + "/etc/systemd/system/%s.wants/%s" % (target, unit))


class DoctorTest(unittest.TestCase):
    def setUp(self):
        self.tree = Tree()
        self.addCleanup(shutil.rmtree, self.tree.path)

    def run_check(self, *args, language="C", **variables):
        return subprocess.run([CTL, "check", "--root", self.tree.path, *args], text=True, timeout=60,
                              capture_output=True, check=False, stdin=subprocess.DEVNULL,
                              env={"PATH": os.environ["PATH"], "LANG": language, **variables})

    def check(self, *args):
        """{id: [finding, ...]} and the exit status."""
        done = self.run_check("--json", *args)
        self.assertEqual(done.stderr, "")
        report = json.loads(done.stdout)
        self.assertEqual(report["status"], done.returncode)
        self.report = report
        found = {}
        for finding in report["findings"]:
            found.setdefault(finding["id"], []).append(finding)
        return found, done.returncode

    def finds(self, name, *words, verdict="WARN"):
        """The doctor says this, with these words in the finding or the advice."""
        found, status = self.check()
        self.assertIn(name, found, self.report)
        self.assertEqual(found[name][0]["verdict"], verdict)
        self.assertEqual(status, {"WARN": 1, "FAIL": 2, "OK": 0, "----": 0}[verdict], self.report)
        said = " ".join(f["finding"] + " " + (f["advice"] or "") for f in found[name])
        for word in words:
            self.assertIn(word, said)
        return found

    def finds_not(self, *names):
        found, _ = self.check()
        for name in names:
            self.assertNotIn(name, found, self.report)


class Output(DoctorTest):
    def test_healthy_home_is_ok(self):
        found, status = self.check()
        self.assertEqual(status, 0, self.report)
        self.assertLessEqual({"config-ok", "config-users", "launcher-ok", "launcher-listens",
                              "ports-ok", "firewall-none"}, set(found))
        self.assertEqual(self.report["failures"] + self.report["warnings"], 0)

    def test_lines_have_verdict_advice_and_name(self):
        self.tree.write("/etc/inetd.conf", INETD.replace(".100000", ""))
        done = self.run_check()
        self.assertEqual((done.returncode, done.stderr), (1, ""))
        self.assertRegex(done.stdout, r"(?m)^Config +OK +/etc/genkan-ftpd\.conf: 2 directives$")
        self.assertRegex(done.stdout, r"(?m)^Launcher +WARN +/etc/inetd\.conf:1: after 256 connections"
                         r".*\n +-> write nowait\.100000.*\n +\[launcher-inetd-limit\]$")
        self.assertRegex(done.stdout, r"Result: \d+ OK, 1 WARN, 0 FAIL, 1 not to be seen\. "
                         r"First thing to fix: Launcher\.\n$")

    def test_first_thing_to_fix_is_the_first_failure(self):
        self.tree.write("/etc/inetd.conf", INETD.replace(".100000", ""))
        self.tree.write("/proc/net/tcp", listening(4000))
        self.tree.write(CONF, "PassivePorts 4000 4000\n")
        done = self.run_check()
        self.assertEqual(done.returncode, 2)
        self.assertIn("First thing to fix: Config.", done.stdout)   # there is no AuthUserFile

    def test_hostile_bytes_are_made_harmless(self):
        self.tree.write("/etc/inetd.conf", INETD.replace("root", "ro\x1b[2Jot"))
        done = self.run_check()
        self.assertIn("ro?[2Jot", done.stdout)
        self.assertEqual(self.check()[0]["launcher-user"][0]["finding"].count("\x1b"), 1)

    def test_japanese_where_the_locale_says_so(self):
        self.tree.write("/etc/inetd.conf", INETD.replace(".100000", ""))
        for language, more in (("ja_JP.UTF-8", {}), ("C", {"LC_ALL": "ja_JP.utf8"}),
                               ("C", {"LC_MESSAGES": "ja_JP.UTF-8"}), ("ja", {})):
            done = self.run_check(language=language, **more)
            self.assertRegex(done.stdout, r"(?m)^起動 +WARN +/etc/inetd\.conf:1: 一分間に 256 回")
            self.assertRegex(done.stdout, r"結果: .*まず「起動」から直してください。")
        for language, more in (("C", {}), ("de_DE.UTF-8", {}), ("ja_JP.UTF-8", {"LC_ALL": "C"}),
                               ("ja_JP.eucJP", {}), ("jam", {})):
            self.assertIn("Result:", self.run_check(language=language, **more).stdout)

    def test_wrong_options_are_usage_errors(self):
        for wrong in (["-x"], ["--nothing"], ["word"], ["--root"]):
            done = subprocess.run([CTL, "check", *wrong], capture_output=True, text=True, check=False,
                                  timeout=10)
            self.assertEqual((done.returncode, done.stdout), (64, ""))
            self.assertIn("usage: genkanctl check", done.stderr)

    def test_every_id_has_an_entry_and_every_entry_is_an_id(self):
        with open(os.path.join(SOURCE, "ftpd/ctl/words.c"), encoding="utf-8") as file:
            ids = re.findall(r'^\t\{ "(\w+-[\w-]+)",', file.read(), re.M)
        with open(os.path.join(SOURCE, "ftpd/ctl/genkanctl.8"), encoding="utf-8") as file:
            section = re.search(r"^\.Sh FINDINGS$(.*?)^\.Sh", file.read(), re.M | re.S)[1]
        told = [name for line in re.findall(r"^\.It Cm (.*)$", section, re.M)
                for name in line.split(" , ")]
        self.assertEqual(sorted(told), sorted(ids))
        self.assertEqual(len(ids), len(set(ids)))
        said = set()
        folder = os.path.join(SOURCE, "ftpd/ctl")
        for name in os.listdir(folder):
            if name.startswith("check_"):
                with open(os.path.join(folder, name), encoding="utf-8") as file:
                    said |= set(re.findall(r'"((?:%s)-[\w-]+)"' % "|".join(
                        {i.split("-")[0] for i in ids}), file.read()))
        self.assertEqual(said - {"firewall-cmd"}, set(ids))

    def test_both_languages_show_the_same_findings(self):
        with open(os.path.join(SOURCE, "ftpd/ctl/words.c"), encoding="utf-8") as file:
            rows = re.findall(r'^\t\{ ("[\s\S]*?) \},$', file.read(), re.M)
        rows = [row for row in rows if re.match(r'"[\w-]+", (OK|WARN|FAIL|SKIP),', row)]
        self.assertGreater(len(rows), 30)
        for row in rows:
            strings = re.findall(r'NULL|"(?:[^"\\]|\\.)*"', row)
            self.assertEqual(len(strings), 5, row)
            places = [set(re.findall(r"\$[1-9]", text)) for text in strings]
            self.assertEqual(places[1], places[3], row)
            self.assertEqual(strings[2] == "NULL", strings[4] == "NULL", row)
            self.assertEqual(places[2], places[4], row)


class Config(DoctorTest):
    def test_wrong_line_is_told_with_its_place(self):
        self.tree.write(CONF, "PassivePorts 4029 4000\n")
        self.finds("config-wrong", CONF + ":1: PassivePorts", verdict="FAIL")

    def test_missing_configuration_is_told(self):
        self.tree.write("/etc/inetd.conf", INETD.replace(" -f " + CONF, ""))
        found, status = self.check()
        self.assertIn("config-none", found)
        self.assertEqual(status, 2)     # nor is there the default AuthUserFile

    def test_missing_file_that_the_launcher_names_is_a_failure(self):
        self.tree.remove(CONF)
        self.finds("config-wrong", "No such file", verdict="FAIL")

    def test_options_of_the_super_server_hold(self):
        self.tree.write("/etc/inetd.conf", INETD.replace("-f " + CONF, "--share " + self.tree.path))
        found, _ = self.check()
        self.assertIn(self.tree.path, found["config-share"][0]["finding"])
        self.tree.write("/etc/xinetd.d/ftp", "service ftp\n{\n\tserver = /usr/sbin/genkan-ftpd\n"
                        "\tserver_args = -f %s -o 'PassivePorts 5000 5001'\n\tcps = 1000 1\n"
                        "\tinstances = 200\n}\n" % CONF)
        self.tree.remove("/etc/inetd.conf")
        self.finds("ports-few", "5000-5001: 2 ports, but MaxClients is 30")

    def test_f_overrides_what_the_super_server_names(self):
        self.tree.write("/etc/other.conf", "PassivePorts 6000 6029\nAuthUserFile %s\n" % PASSWD)
        found, _ = self.check("-f", "/etc/other.conf")
        self.assertIn("6000-6029", found["ports-ok"][0]["finding"])

    def test_nobody_can_log_in(self):
        self.tree.write(PASSWD, "# nobody yet\n", 0o600)
        self.finds("config-users-none", PASSWD, "genkanctl passwd", verdict="FAIL")
        self.tree.remove(PASSWD)
        self.finds("config-users-none", PASSWD, verdict="FAIL")
        self.tree.write(CONF, "PassivePorts 4000 4029\nAuthUserFile %s\nAnonymous on\n"
                        "AnonymousRoot /home\n" % PASSWD)
        self.finds_not("config-users-none")
        self.tree.write(CONF, "PassivePorts 4000 4029\nAuthUserFile %s\nAuthSystem shadow\n" % PASSWD)
        self.finds_not("config-users-none")     # users of the system

    def test_hashes_that_everybody_reads_are_told(self):
        self.tree.write(PASSWD, "anna:x:1000:1000::/home/anna:\n", 0o644)
        self.finds("config-users-open", "chmod 600 " + PASSWD)

    def test_missing_home_is_told(self):
        self.tree.write(PASSWD, "anna:x:1000:1000::/home/anna:\nbert:x:1001:1002::/srv/bert:\n", 0o600)
        found = self.finds("config-home", "/srv/bert", "install -d -o 1001 -g 1002")
        self.assertEqual(len(found["config-home"]), 1)

    def test_guests_need_a_directory_and_a_user(self):
        self.tree.write(CONF, "PassivePorts 4000 4029\nAuthUserFile %s\nAnonymous on\n"
                        "AnonymousRoot /srv/pub\nAnonymousUser guest\n" % PASSWD)
        found, status = self.check()
        self.assertEqual(status, 2)
        self.assertIn("/srv/pub", found["config-guest-root"][0]["finding"])
        self.assertIn("guest", found["config-guest-user"][0]["finding"])

    def test_missing_role_users_are_told(self):
        self.tree.write("/etc/passwd", "root:x:0:0::/root:\n")
        found = self.finds("config-role", "SessionUser genkan", "GatewayUser genkan-gw", "useradd")
        self.assertEqual(len(found["config-role"]), 2)


class Inetd(DoctorTest):
    def test_limit_that_switches_the_service_off(self):
        for wait, limit in (("nowait", "256"), ("nowait.0", "256"), ("nowait.400", "400")):
            self.tree.write("/etc/inetd.conf", "# x\n" + INETD.replace("nowait.100000", wait))
            self.finds("launcher-inetd-limit", "/etc/inetd.conf:2", limit)
        self.tree.write("/etc/inetd.conf", INETD)
        self.finds_not("launcher-inetd-limit")

    def test_wait_is_a_failure(self):
        self.tree.write("/etc/inetd.conf", INETD.replace("nowait.100000", "wait"))
        self.finds("launcher-wait", "nowait", verdict="FAIL")

    def test_other_user_than_root(self):
        self.tree.write("/etc/inetd.conf", INETD.replace(" root ", " ftp "))
        self.finds("launcher-user", "as ftp")

    def test_under_tcpd(self):
        self.tree.write("/etc/inetd.conf", "2121 stream tcp nowait.100000 root /usr/sbin/tcpd "
                        "/usr/sbin/genkan-ftpd -f %s\n" % CONF)
        self.tree.write("/proc/net/tcp", listening(2121))
        found = self.finds("launcher-ok", "port 2121", verdict="OK")
        self.assertIn(CONF, found["config-ok"][0]["finding"])

    def test_the_inetd_of_inetutils_is_slow(self):
        self.tree.remove("/usr/sbin/inetd")
        self.tree.write("/usr/sbin/inetutils-inetd", "", 0o755)
        self.finds("launcher-inetutils", "a second")

    def test_commented_lines_and_other_programs_start_nothing(self):
        self.tree.write("/etc/inetd.conf", "#" + INETD + "ftp stream tcp nowait root /usr/sbin/tcpd "
                        "in.ftpd\n")
        self.finds("launcher-none", verdict="FAIL")

    def test_missing_program(self):
        self.tree.remove("/usr/sbin/genkan-ftpd")
        self.finds("launcher-program", "/usr/sbin/genkan-ftpd", verdict="FAIL")

    def test_unknown_service_name(self):
        self.tree.write("/etc/inetd.conf", INETD.replace("ftp ", "no-such-service ", 1))
        self.finds("launcher-port", "no-such-service")


class Xinetd(DoctorTest):
    SERVICE = """service ftp
{
    socket_type = stream
    wait = no
    user = root
    server = /usr/sbin/genkan-ftpd
    server_args = -f %s
    instances = 200
    cps = 1000 1
    disable = no
}
""" % CONF

    def setUp(self):
        super().setUp()
        self.tree.remove("/etc/inetd.conf")

    def service(self, *change, name="ftp"):
        text = self.SERVICE
        for old, new in change:
            self.assertIn(old, text)
            text = text.replace(old, new)
        self.tree.write("/etc/xinetd.d/" + name, text)

    def test_the_example_is_ok_but_for_its_file(self):
        self.tree.example("xinetd", "/etc/xinetd.d/genkan-ftpd")
        found, _ = self.check("-f", CONF)
        self.assertIn("launcher-ok", found)
        self.assertEqual(self.report["warnings"] + self.report["failures"], 0, self.report)

    def test_cps_that_switches_the_service_off(self):
        self.service(("cps = 1000 1", "cps = 25 30"))
        self.finds("launcher-xinetd-cps", "/etc/xinetd.d/ftp:1", "above 25", "30 seconds")
        self.service(("    cps = 1000 1\n", ""))
        self.finds("launcher-xinetd-cps", "above 50", "10 seconds")
        self.tree.write("/etc/xinetd.conf", "defaults\n{\n\tcps = 2000 5\n}\nincludedir /etc/xinetd.d\n")
        self.finds_not("launcher-xinetd-cps")

    def test_fewer_instances_than_clients(self):
        self.service(("instances = 200", "instances = 30"))
        self.finds("launcher-instances", "30 at once", "MaxClients is 30", "at least 31")
        self.service(("instances = 200", "instances = UNLIMITED"))
        self.finds_not("launcher-instances")

    def test_wait(self):
        self.service(("wait = no", "wait = yes"))
        self.finds("launcher-wait", "wait = no", verdict="FAIL")

    def test_switched_off(self):
        self.service(("disable = no", "disable = yes"))
        self.finds("launcher-xinetd-off", verdict="FAIL")
        self.tree.write("/etc/inetd.conf", INETD)
        self.finds_not("launcher-xinetd-off")

    def test_files_that_xinetd_does_not_read(self):
        self.service(name="ftp.bak")
        self.service(name="ftp~")
        self.finds("launcher-none", verdict="FAIL")

    def test_same_port_twice(self):
        self.service()
        self.tree.write("/etc/inetd.conf", INETD)
        self.finds("launcher-twice", "/etc/xinetd.d/ftp:1", "/etc/inetd.conf:1")


class Systemd(DoctorTest):
    def setUp(self):
        super().setUp()
        self.tree.remove("/etc/inetd.conf")

    def socket(self, change=("", ""), instance=("", "")):
        for name, (old, new) in (("genkan-ftpd.socket", change), ("genkan-ftpd@.service", instance)):
            self.tree.example("systemd/" + name)
            path = "/etc/systemd/system/" + name
            with open(self.tree.path + path, encoding="utf-8") as file:
                text = file.read().replace("=-/usr/sbin/genkan-ftpd", "=-/usr/sbin/genkan-ftpd -f " + CONF)
            self.assertIn(old, text)
            self.tree.write(path, text.replace(old, new))
        if not os.path.exists(self.tree.path + "/etc/systemd/system/sockets.target.wants"):
            self.tree.enable("genkan-ftpd.socket", "sockets.target")

    def test_examples_are_ok(self):
        self.socket()
        found = self.finds("launcher-ok", "genkan-ftpd.socket starts it on port 21", verdict="OK")
        self.assertIn(CONF, found["config-ok"][0]["finding"])
        shutil.rmtree(self.tree.path + "/etc/systemd/system")
        self.tree.example("systemd/genkan-ftpd.service")
        self.tree.enable("genkan-ftpd.service", "multi-user.target")
        found, _ = self.check("-f", CONF)
        self.assertIn("genkan-ftpd.service", found["launcher-ok"][0]["finding"])
        self.assertEqual(self.report["warnings"] + self.report["failures"], 0, self.report)

    def test_unit_that_is_not_enabled(self):
        self.tree.example("systemd/genkan-ftpd.service")
        found, status = self.check("-f", CONF)
        self.assertEqual(status, 2)
        self.assertIn("systemctl enable --now genkan-ftpd.service", found["launcher-unit-off"][0]["advice"])
        self.socket()   # which is enabled, so that the service is meant to be off
        self.finds_not("launcher-unit-off")

    def test_burst_that_lets_the_socket_fail_for_good(self):
        self.socket(("TriggerLimitIntervalSec=0\n", ""))
        self.finds("launcher-socket-trigger", "genkan-ftpd.socket", "TriggerLimitIntervalSec=0")
        self.tree.write("/etc/systemd/system/genkan-ftpd.socket.d/limit.conf",
                        "[Socket]\nTriggerLimitBurst=0\n")
        self.finds_not("launcher-socket-trigger")

    def test_fewer_connections_than_clients(self):
        self.socket(("MaxConnections=200", "MaxConnections=20"))
        self.finds("launcher-instances", "20 at once", "MaxConnections above 30")

    def test_silent_limit_of_64(self):
        self.tree.write(CONF, "PassivePorts 4000 4099\nMaxClients 80\nAuthUserFile %s\n" % PASSWD)
        self.socket(("MaxConnections=200\n", ""))
        self.finds("launcher-instances", "64 at once", "at least 81")

    def test_standard_error_to_the_client(self):
        self.socket(instance=("StandardError=journal\n", ""))
        self.finds("launcher-socket-stderr", "genkan-ftpd")

    def test_listening_socket_for_an_instance(self):
        self.socket(("Accept=yes", "Accept=no"))
        self.finds("launcher-wait", "Accept=yes", verdict="FAIL")

    def test_service_with_a_listening_socket_of_systemd(self):
        self.tree.write("/etc/systemd/system/my-ftp.service", "[Service]\nExecStart=/usr/sbin/genkan-ftpd "
                        "--listen systemd -f %s\n" % CONF)
        self.tree.write("/usr/lib/systemd/system/my-ftp.socket", "[Socket]\nListenStream=[::]:2121\n")
        self.tree.enable("my-ftp.socket", "sockets.target")
        self.tree.write("/proc/net/tcp", listening(2121))
        self.finds("launcher-ok", "port 2121", verdict="OK")

    def test_unit_above_hides_the_one_below(self):
        self.socket()
        self.tree.write("/usr/lib/systemd/system/genkan-ftpd@.service",
                        "[Service]\nExecStart=/usr/sbin/genkan-ftpd --nothing\n")
        found = self.finds("launcher-ok", verdict="OK")
        self.assertEqual(len(found["launcher-ok"]), 1)


class Listening(DoctorTest):
    def test_nobody_listens(self):
        self.tree.write("/proc/net/tcp", listening(22))
        self.finds("launcher-silent", "port 21", verdict="FAIL")

    def test_who_listens_is_named(self):
        self.tree.process(77, "inetd", 21)
        self.finds("launcher-listens", "port 21 is listened on by inetd", verdict="OK")

    def test_server_that_was_started_by_hand(self):
        self.tree.remove("/etc/inetd.conf")
        self.tree.write("/proc/net/tcp", listening(2121, 4000))
        self.tree.process(77, "genkan-ftpd", 2121, "\0".join(
            ("genkan-ftpd", "-f", CONF, "-o", "MaxClients 5", "--listen", "2121", "")))
        self.tree.process(78, "genkan-ftpd", 4000, "\0".join(("genkan-ftpd", "-f", CONF, "")))
        found = self.finds("launcher-by-hand", "process 77", "port 2121")
        self.assertEqual(len(found["launcher-by-hand"]), 1)
        self.assertIn("MaxClients 5", found["ports-ok"][0]["finding"])

    def test_real_server_is_found(self):
        world = World()
        self.addCleanup(world.close)
        server = world.server(directives={"PassivePorts": "4000 4001"})
        done = subprocess.run([CTL, "check", "--json"], capture_output=True, text=True, timeout=60,
                              check=False)
        # others on this machine may run theirs
        said = [f["finding"] for f in json.loads(done.stdout)["findings"]
                if f["id"] == "launcher-by-hand" and f"process {server.pid}" in f["finding"]]
        if not said:
            self.assertTrue(any(f["id"] == "launcher-ok" for f in json.loads(done.stdout)["findings"]),
                            done.stdout)    # this machine has one of its own
        else:
            self.assertIn(str(server.address[1]), said[0])


class Ports(DoctorTest):
    def conf(self, text):
        self.tree.write(CONF, "AuthUserFile %s\n%s\n" % (PASSWD, text))

    def test_any(self):
        self.conf("")
        self.finds("ports-any")
        self.conf("PortMapping auto")
        self.finds("ports-mapped", verdict="OK")

    def test_among_the_kernels_own(self):
        self.conf("PassivePorts 40000 40029")
        self.finds("ports-kernel", "32768-60999")
        self.tree.write("/proc/sys/net/ipv4/ip_local_reserved_ports", "8080,40000-40029\n")
        self.finds_not("ports-kernel")
        self.tree.write("/proc/sys/net/ipv4/ip_local_reserved_ports", "40000-40028\n")
        self.finds("ports-kernel")
        self.tree.write("/proc/sys/net/ipv4/ip_local_reserved_ports", "\n")
        self.finds("ports-kernel")

    def test_taken_by_another_program(self):
        self.tree.write("/proc/net/tcp", listening(21, 4003, 4004, 4005))
        self.tree.process(81, "mpd", 4003)
        self.tree.process(82, "genkan-ftpd", 4004)
        found = self.finds("ports-taken", "port 4003", "by mpd", "4005")
        self.assertEqual(len(found["ports-taken"]), 2)

    def test_control_port_among_them(self):
        self.tree.write("/etc/inetd.conf", INETD.replace("ftp", "4000", 1))
        self.tree.write("/proc/net/tcp", listening(4000))
        self.finds("ports-control", "4000-4029 has 4000", verdict="FAIL")


class Firewall(DoctorTest):
    RULES = """table inet filter {
	chain input {
		type filter hook input priority filter; policy drop;
		ct state established,related accept
		tcp dport { %s } accept
	}
}"""

    def test_nftables(self):
        self.tree.tool("nft", self.RULES % "21, 4000-4029")
        self.finds("firewall-ok", "nftables", verdict="OK")
        self.tree.tool("nft", self.RULES % "21, 4000-4009, 4011-4020")
        self.finds("firewall-closed", "4010,4021-4029", "tcp dport { 4010,4021-4029 } accept",
                   verdict="FAIL")
        self.tree.tool("nft", self.RULES % "21" + "\ntable ip x {\n\tchain i {\n\t\ttype filter hook "
                       "input priority 0; policy accept;\n\t\tfib daddr type local drop\n\t}\n}")
        self.tree.write(CONF, "AuthUserFile %s\nPortMapping auto\n" % PASSWD)
        self.finds("firewall-unknown", verdict="----")

    def test_interface_of_the_default_route_counts(self):
        self.tree.write("/proc/net/route", "Iface\tDestination\tGateway\nwlan7\t00000000\t0101A8C0\n")
        self.tree.tool("nft", (self.RULES % "22").replace("tcp dport", 'iifname "wlan7" accept\n\t\ttcp dport'))
        self.finds("firewall-ok", verdict="OK")

    def test_ufw(self):
        self.tree.tool("nft", self.RULES % "22")    # ufw's own rules are not read
        status = ("Status: active\nDefault: deny (incoming), allow (outgoing)\n\nTo   Action   From\n"
                  "21/tcp   ALLOW IN   Anywhere\n")
        self.tree.tool("ufw", status)
        self.finds("firewall-closed", "ufw does not let tcp 4000-4029 in", "ufw allow 4000:4029/tcp",
                   verdict="FAIL")
        self.tree.tool("ufw", status + "4000:4029/tcp  ALLOW IN  Anywhere\n")
        self.finds("firewall-ok", "ufw", verdict="OK")
        self.tree.tool("ufw", "Status: inactive\n")
        self.finds("firewall-closed", "nftables", verdict="FAIL")

    def test_firewalld(self):
        self.tree.write("/usr/sbin/firewall-cmd", "#!/bin/sh\n[ $1 = --state ] && echo running || "
                        "printf 'public\\n  services: ftp ssh\\n  ports: 4000-4010/tcp\\n'\n", 0o755)
        self.finds("firewall-closed", "firewalld", "--add-port=4011-4029/tcp && firewall-cmd --reload",
                   verdict="FAIL")

    def test_rules_that_cannot_be_read(self):
        self.tree.tool("nft", "Operation not permitted (you must be root)", 1)
        self.finds("firewall-denied", "as root", verdict="----")
        self.tree.remove("/usr/sbin/nft")
        self.finds("firewall-tools", verdict="----")
        self.tree.tool("nft", "")
        self.tree.write("/proc/net/ip_tables_names", "filter\n")
        self.finds("firewall-legacy", verdict="----")

    @root_only("rules of nftables")
    @need_program("nft")
    def test_real_rules(self):
        nft = shutil.which("nft")

        def play():
            self.tree.remove("/usr/sbin/nft")
            os.symlink(nft, self.tree.path + "/usr/sbin/nft")
            self.finds("firewall-none", verdict="OK")
            subprocess.run([nft, "-f", "-"], input=self.RULES % "21, 4000-4009, ssh", text=True,
                           check=True)
            self.finds("firewall-closed", "4010-4029", verdict="FAIL")
            subprocess.run([nft, "add rule inet filter input tcp dport 4010-4029 counter accept"],
                           check=True)
            self.finds("firewall-ok", verdict="OK")
        in_namespace(play)


class Tls(DoctorTest):
    def conf(self, *lines):
        self.tree.write(CONF, "\n".join(("PassivePorts 4000 4029", "AuthUserFile " + PASSWD, *lines)) + "\n")

    def certificate(self, names, days=90):
        """A certificate with its key, made by openssl."""
        for name, text in (("cert", ""), ("key", "")):
            self.tree.write("/etc/%s.pem" % name, text, 0o600)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                        "-nodes", "-keyout", self.tree.path + "/etc/key.pem", "-out",
                        self.tree.path + "/etc/cert.pem", "-days", str(days), "-subj", "/CN=x", "-addext",
                        "subjectAltName=" + ",".join("DNS:" + name for name in names)],
                       check=True, capture_output=True, timeout=60)

    CERTIFICATE = ("TLS on", "TLSCertificateFile /etc/cert.pem", "TLSCertificateKeyFile /etc/key.pem")

    def setUp(self):
        super().setUp()
        # the program of this build, where that machine would have it
        program = os.path.join(os.path.dirname(CTL), "genkan-ftpd-tls")
        self.program = subprocess.run(["make", "-s", "-C", os.path.dirname(CTL), "-f", "-", "show"],
                                      input="include Makefile\nshow:\n\t@echo $(pkglibexecdir)\n",
                                      capture_output=True, text=True, check=True,
                                      timeout=60).stdout.strip() + "/genkan-ftpd-tls"
        self.there = os.access(program, os.X_OK)
        if self.there:
            self.tree.write(self.program, '#!/bin/sh\nexec "%s" "$@"\n' % program, 0o755)

    def test_off_is_told(self):
        self.assertEqual(self.check()[0]["tls-off"][0]["verdict"], "----")
        self.tree.write(CONF, "PassivePorts 4000 4029\nAuthUserFile none\nAnonymous on\n"
                        "AnonymousRoot /home\n")
        self.finds_not("tls-off")       # guests have no password

    @need_program("openssl")
    def test_certificate(self):
        if not self.there:
            self.skipTest("built without TLS")
        self.certificate(["home.example.net", "*.example.org"])
        self.conf(*self.CERTIFICATE)
        self.finds("tls-ok", "home.example.net", "days left", verdict="OK")
        for name, good in (("home.example.net", True), ("HOME.example.net", True),
                           ("a.example.org", True), ("a.b.example.org", False),
                           ("example.org", False), ("other.example.net", False)):
            self.conf(*self.CERTIFICATE, "MasqueradeAddress " + name)
            found, _ = self.check()
            self.assertEqual("tls-ok" in found, good, name)
            self.assertEqual("tls-name" in found, not good, name)

    @need_program("openssl")
    def test_certificate_that_ends_soon_or_cannot_be_used(self):
        if not self.there:
            self.skipTest("built without TLS")
        self.conf(*self.CERTIFICATE)
        self.certificate(["home.example.net"], days=5)
        self.finds("tls-soon", "days left")
        self.tree.write("/etc/key.pem", "nonsense\n", 0o600)
        self.finds("tls-wrong", "key.pem", verdict="FAIL")
        self.tree.remove("/etc/cert.pem")
        self.finds("tls-wrong", "cert.pem", verdict="FAIL")

    def test_program_that_is_not_installed(self):
        self.conf(*self.CERTIFICATE)
        if os.path.exists(self.tree.path + self.program):
            self.tree.remove(self.program)
        self.finds("tls-program", verdict="FAIL")


class Router(DoctorTest):
    """With a gateway that says what the test wants: for -i and for each source."""

    def gateway(self, inspect, **sources):
        """sources: what is said of a source, its dots as underscores."""
        text = "#!/bin/sh\nfor last; do :; done\ncase $1/$last in\n"
        for source, line in sources.items():
            text += "*/%s) echo '%s';;\n" % (source.replace("_", "."), line)
        text += "-i/*) cat <<'EOF'\n%s\nend\nEOF\n;;\n*) echo 'failed not asked for';;\nesac\n" % inspect
        self.tree.write("/gateway", text, 0o755)

    def conf(self, text):
        self.tree.write(CONF, "PassivePorts 4000 4029\nAuthUserFile %s\n%s\n" % (PASSWD, text))

    def check(self, *args):
        return super().check("--gateway", self.tree.path + "/gateway", *args)

    GOOD = "gateway 192.168.1.1\nnatpmp yes ok\npcp no x\nupnp yes http://192.168.1.1/x\nwan %s public natpmp"

    def test_public_address_and_the_name_agree(self):
        self.conf("MasqueradeAddress home.example.net")
        self.gateway(self.GOOD % "203.0.113.2", home_example_net="address 203.0.113.2 home.example.net")
        found, status = self.check()
        self.assertEqual(status, 0, self.report)
        self.assertIn("192.168.1.1 speaks NAT-PMP, UPnP; its address outside is 203.0.113.2",
                      found["router-ok"][0]["finding"])
        self.assertIn("home.example.net is 203.0.113.2", found["ddns-ok"][0]["finding"])
        self.assertIn("PASV tells 203.0.113.2 and a port of 4000-4029",
                      found["clients-world"][0]["finding"])

    def test_name_is_stale(self):
        self.conf("MasqueradeAddress home.example.net")
        self.gateway(self.GOOD % "203.0.113.2", home_example_net="address 203.0.113.77 home.example.net")
        self.finds("ddns-stale", "203.0.113.77", "203.0.113.2", verdict="FAIL")

    def test_first_source_that_answers_is_announced(self):
        self.conf("MasqueradeAddress no.example.net natpmp home.example.net")
        self.gateway(self.GOOD % "203.0.113.2", home_example_net="address 203.0.113.2 home.example.net",
                     no_example_net="failed no.example.net has no address")
        found = self.finds("ddns-failed", "no.example.net has no address", verdict="FAIL")
        self.assertIn("203.0.113.2", found["clients-world"][0]["finding"])
        self.assertIn("ddns-ok", found)

    def test_masquerade_by_address(self):
        self.conf("MasqueradeAddress 203.0.113.2")
        self.gateway(self.GOOD % "203.0.113.2")
        self.finds("ddns-ok", "MasqueradeAddress is 203.0.113.2", verdict="OK")
        self.gateway(self.GOOD % "203.0.113.3")
        self.finds("ddns-stale", verdict="FAIL")
        self.gateway("gateway 192.168.1.1\nnatpmp no x\npcp no x\nupnp no x")
        found = self.finds("ddns-unconfirmed", verdict="OK")
        self.assertEqual(found["router-silent"][0]["verdict"], "----")

    def test_nothing_is_announced(self):
        self.gateway(self.GOOD % "203.0.113.2")
        self.finds("ddns-none", "MasqueradeAddress natpmp")
        self.conf("PortMapping natpmp")
        found, status = self.check()
        self.assertEqual(status, 0, self.report)
        self.assertIn("203.0.113.2", found["clients-world"][0]["finding"])

    def test_second_router(self):
        self.conf("MasqueradeAddress 203.0.113.2")
        self.gateway("gateway 192.168.1.1\nnatpmp yes ok\nwan 192.168.0.7 private natpmp\ndoublenat x")
        self.finds("router-double", "192.168.0.7")

    def test_nat_of_the_provider(self):
        self.conf("MasqueradeAddress natpmp")
        self.gateway("gateway 192.168.1.1\npcp yes ok\nwan 100.72.3.9 carrier pcp")
        found = self.finds("router-carrier", "100.72.3.9", "IPv6", verdict="FAIL")
        self.assertIn("clients-world-lost", found)

    def test_router_without_a_line(self):
        self.gateway("gateway 192.168.1.1\nnatpmp yes ok\nwan 0.0.0.0 none natpmp")
        self.finds("router-offline", "0.0.0.0")
        self.gateway("gateway 192.168.1.1\nnatpmp yes ok\nupnp no x")
        self.assertIn("NAT-PMP", self.check()[0]["router-no-address"][0]["finding"])
        self.gateway("gateway -\nnatpmp no x")
        self.finds("router-none")

    def test_protocols_that_the_configuration_wants(self):
        nothing = "gateway 192.168.1.1\nnatpmp no x\npcp no x\nupnp no x"
        for directive, name in (("MasqueradeAddress natpmp", "router-no-natpmp"),
                                ("PortMapping natpmp", "router-no-natpmp"),
                                ("MasqueradeAddress home.example.net upnp", "router-no-upnp"),
                                ("PortMapping upnp", "router-no-upnp"),
                                ("PortMapping auto", "router-no-mapping")):
            with self.subTest(directive):
                self.conf(directive)
                self.gateway(nothing)
                self.finds(name, verdict="FAIL")
                self.gateway(self.GOOD % "203.0.113.2")
                self.finds_not(name)

    def test_upnp_router_that_is_not_remembered(self):
        self.conf("PortMapping upnp\nStateDirectory /var/lib/x")
        self.gateway(self.GOOD % "203.0.113.2")
        self.finds("router-upnp-forgotten", "genkanctl map --list")
        self.tree.write("/var/lib/x/gateway/upnp", "http://192.168.1.1/x\n")
        self.finds_not("router-upnp-forgotten")

    def test_gateway_that_cannot_be_run(self):
        self.assertIn("No such file", self.check()[0]["router-gateway"][0]["finding"])
        self.tree.write("/gateway", "#!/bin/sh\nexit 1\n", 0o755)
        self.assertIn("has ended", self.check()[0]["router-gateway"][0]["finding"])

    @root_only("becoming another user")
    def test_gateway_runs_without_rights(self):
        self.conf("GatewayUser genkan-none")
        self.tree.write("/gateway", "#!/bin/sh\necho gateway 192.168.1.1\n"
                        "echo wan 10.$(id -u | cut -c1-2).$(id -G | wc -w).1 private\necho end\n", 0o755)
        self.assertIn("10.65.1.1", self.check()[0]["router-double"][0]["finding"])

    def test_other_machines_router_is_left_alone(self):
        found, _ = super().check()
        self.assertFalse([name for name in found if name.startswith(("router", "ddns", "forward"))])


if __name__ == "__main__":
    unittest.main()
