"""The papers say what the program does.

Manual pages, README and examples are compared with what the programs tell of
themselves: directives and defaults (-T), options (-h), and whether the
configurations that the papers show are accepted.
"""

import glob
import os
import re
import shutil
import subprocess
import tempfile
import unittest

from genkan import AUTH, CTL, FTPD, SOURCE, need_program, require_build

PAGES = ("ftpd/genkan-ftpd.8", "ftpd/genkan-ftpd.conf.5", "ftpd/ctl/genkanctl.8",
         "ftpd/gateway/genkan-ftpd-gateway.8", "ftpd/genkan-ftpd-tls.8",
         "ftpd/auth/genkan-ftpd-auth.8")
MARKDOWN = ("README.md", "README.ja.md", "HACKING.md", "NEWS.md", "SECURITY.md", "examples/README.md",
            "examples/accounts.md")

# The names of RFC 775.
ALIASES = ("XCWD", "XCUP", "XPWD", "XMKD", "XRMD")

# Their defaults depend on how it was configured and who runs it.
PATHS = ("AuthUserFile", "RunDirectory", "StateDirectory")


def read(*parts):
    with open(os.path.join(SOURCE, *parts), encoding="utf-8") as file:
        return file.read()


def run(*argv, **options):
    return subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=60, check=False, **options)


def effective(*options):
    """What -T prints, as a dictionary."""
    done = run(FTPD, "-T", *options)
    if done.returncode != 0:
        raise AssertionError(f"-T {options}: {done.stderr}")
    return dict(line.split(" ", 1) for line in done.stdout.splitlines())


def example_configurations():
    return sorted(glob.glob(os.path.join(SOURCE, "examples", "*.conf")))


def options_of(text):
    """-x and --long in a help text."""
    return set(re.findall(r"(?<![\w-])(--?[A-Za-z][A-Za-z-]*)(?![\w-])", text))


class PapersTest(unittest.TestCase):
    def setUp(self):
        require_build()
        self.here = tempfile.mkdtemp(prefix="genkan-papers-")
        self.addCleanup(shutil.rmtree, self.here)

    def write(self, name, text):
        """A file that the program accepts as its configuration, also as root."""
        path = os.path.join(self.here, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, 0o644)
        return path

    def accepted(self, text, what):
        done = run(FTPD, "-t", "-f", self.write("checked.conf", text))
        self.assertEqual(done.returncode, 0, f"{what}: {done.stderr}")


class ManualPages(PapersTest):
    @need_program("mandoc")
    def test_pages_have_nothing_to_complain_of(self):
        for page in PAGES:
            done = run("mandoc", "-T", "lint", os.path.join(SOURCE, page))
            # which other pages are installed is no matter of ours
            told = [line for line in done.stdout.splitlines()
                    if "referenced manual not found" not in line]
            self.assertEqual(told, [], page)

    def test_every_directive_has_an_entry_and_every_entry_is_a_directive(self):
        page = re.findall(r"^\.It Ic (\w+)", read("ftpd/genkan-ftpd.conf.5"), re.M)
        self.assertEqual(sorted(page), sorted(effective("-f", "/dev/null")))

    def test_entries_tell_the_defaults(self):
        entries = re.split(r"^\.It Ic ", read("ftpd/genkan-ftpd.conf.5"), flags=re.M)[1:]
        actual = effective("-f", "/dev/null")
        for entry in entries:
            name = entry.split()[0]
            told = re.search(r"^Default:\n\.(?:Cm|Pa) (.*?)(?: [.,])?$", entry, re.M)
            self.assertIsNotNone(told, f"{name}: no default is told")
            if name not in PATHS:
                line = f"{name} {told.group(1)}"
                self.assertEqual(effective("-f", "/dev/null", "-o", line)[name], actual[name], line)

    def test_entries_have_an_example_that_is_accepted(self):
        entries = re.split(r"^\.It Ic ", read("ftpd/genkan-ftpd.conf.5"), flags=re.M)[1:]
        for entry in entries:
            name = entry.split()[0]
            example = re.search(r"^Examples?:\n\.Ql (.*?)(?: [.,])?$", entry, re.M)
            self.assertIsNotNone(example, f"{name}: no example")
            line = example.group(1).replace(r"\(dq", '"')
            self.assertTrue(line.startswith(name + " "), line)
            done = run(FTPD, "-T", "-f", "/dev/null", "-o", "AnonymousRoot /srv",
                       "-o", "PassivePorts 40000 40029", "-o", "TLS on",
                       "-o", "TLSCertificateFile /c.pem", "-o", "TLSClientCA /ca.pem", "-o", line)
            self.assertEqual(done.returncode, 0, f"{line}: {done.stderr}")

    def test_every_command_has_its_place(self):
        page = read("ftpd/genkan-ftpd.8")
        told = re.search(r"^\.Ss Commands$(.*?)^\.S", page, re.M | re.S).group(1)
        # verb, argument and help of each row; what is known but refused says "(not here"
        rows = re.findall(r'^\t\{ "(\w+)", [^"]*"([^"]*)" \}', read("ftpd/session/command.c"), re.M)
        self.assertGreater(len(rows), 50)
        for verb, syntax in rows:
            if not syntax.startswith("(not here") and verb not in ALIASES:
                self.assertRegex(told, rf"\b{verb}\b")

    def check_options(self, help_text, page):
        # ".It Fl d , -debug": -d and --debug
        items = re.findall(r"^\.It Fl (.*)$", read(page), re.M)
        told = {"-" + option for item in items
                for option in re.findall(r"(?:^|, )(-?[A-Za-z][A-Za-z-]*)", item)}
        real = options_of(help_text)
        cluster = re.search(r"\[-([A-Za-z]{2,})\]", help_text)  # "[-deVhtT]"
        if cluster:
            real.discard("-" + cluster.group(1))
            real |= {"-" + letter for letter in cluster.group(1)}
        self.assertEqual(real - told, set(), f"{page} does not tell of these")
        return told - real

    def test_every_option_of_the_server_has_an_entry(self):
        extra = self.check_options(run(FTPD, "-h").stdout, "ftpd/genkan-ftpd.8")
        self.assertLessEqual(extra, {"--debug", "--help", "--version"})
        for option in ("--help", "--version"):
            self.assertEqual(run(FTPD, option).returncode, 0, option)

    def test_every_option_of_the_password_checker_has_an_entry(self):
        extra = self.check_options(run(AUTH, "-h").stdout, "ftpd/auth/genkan-ftpd-auth.8")
        self.assertEqual(extra, set())

    def test_every_option_of_genkanctl_has_an_entry(self):
        text = ""
        for command in re.findall(r"^  (\w+) .*", run(CTL, "help").stdout, re.M):
            if command != "help":
                done = run(CTL, command, "-h")
                self.assertEqual(done.returncode, 0, command)
                text += done.stdout
        extra = self.check_options(text, "ftpd/ctl/genkanctl.8")
        self.assertLessEqual(extra, {"-h", "--help"})


class Examples(PapersTest):
    def test_configurations_are_accepted(self):
        for path in example_configurations():
            self.accepted(read(path), path)

    def test_every_directive_stands_in_an_example(self):
        text = "\n".join(map(read, example_configurations()))
        known = set(re.findall(r"^#?([A-Z]\w+) ", text, re.M))
        self.assertEqual(set(effective("-f", "/dev/null")) - known, set())

    def test_the_complete_example_shows_the_defaults(self):
        text = read("examples/genkan-ftpd.conf")
        self.assertEqual(re.findall(r"^[^#\n].*", text, re.M), [], "a default is changed")
        directives = effective("-f", "/dev/null")
        lines = [line[1:] for line in text.splitlines()
                 if line[1:].split(" ")[0] in directives]
        changed = effective("-f", self.write("all.conf", "\n".join(lines) + "\n"))
        self.assertEqual(len(lines), len(directives))
        for name, value in directives.items():
            if name not in PATHS:
                self.assertEqual(changed[name], value, name)

    def test_every_file_is_in_the_index(self):
        index = read("examples/README.md")
        for folder, _, files in os.walk(os.path.join(SOURCE, "examples")):
            for file in files:
                path = os.path.relpath(os.path.join(folder, file), os.path.join(SOURCE, "examples"))
                listed = f"({path})" in index or f"({os.path.dirname(path)}/)" in index or \
                    f"({os.path.dirname(path)})" in index
                self.assertTrue(path == "README.md" or listed, f"{path} is not in the index")

    def units(self):
        """The systemd units, with the program of this build."""
        paths = []
        for path in sorted(glob.glob(os.path.join(SOURCE, "examples", "systemd", "*.[st]*"))):
            text = read(path).replace("/usr/sbin/genkan-ftpd", FTPD)
            text = text.replace("/usr/sbin/genkanctl", CTL)
            paths.append(self.write(os.path.basename(path), text))
        return paths

    @need_program("systemd-analyze")
    def test_systemd_takes_the_units_without_a_word(self):
        done = run("systemd-analyze", "verify", "--man=no", *self.units())
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))

    @need_program("systemd-analyze")
    def test_the_service_is_not_exposed_above_3(self):
        service = os.path.join(SOURCE, "examples", "systemd", "genkan-ftpd.service")
        done = run("systemd-analyze", "security", "--offline=true", "--threshold=30",
                   "--no-pager", service)
        if "Unknown" in done.stderr or "unrecognized" in done.stderr:
            self.skipTest("this systemd-analyze does not judge files")
        self.assertEqual(done.returncode, 0, done.stdout[-400:] + done.stderr)

    def test_scripts_are_shell_and_executable(self):
        for name in ("quickstart", "tcpserver"):
            path = os.path.join(SOURCE, "examples", name)
            self.assertTrue(os.access(path, os.X_OK), name)
            self.assertEqual(run("sh", "-n", path).returncode, 0, name)

    def test_quickstart_explains_itself_on_wrong_use(self):
        quickstart = os.path.join(SOURCE, "examples", "quickstart")
        for wrong in ([], ["a", "b"], ["--port"], ["--port", "0", "a"], ["--port", "65536", "a"],
                      ["--nonsense", "a"]):
            done = run(quickstart, *wrong, cwd=self.here)
            self.assertEqual((done.returncode, done.stdout), (64, ""), wrong)
            self.assertIn("usage: examples/quickstart", done.stderr, wrong)
        self.assertEqual(os.listdir(self.here), [])
        self.assertEqual(run(quickstart, "-h").returncode, 0)


class Readme(PapersTest):
    def test_the_inetd_line_is_the_same_everywhere(self):
        lines = [line for line in read("inetd.conf.sample").splitlines()
                 if line and not line.startswith("#")]
        self.assertEqual(len(lines), 1)
        self.assertRegex(lines[0], r"^ftp stream tcp nowait\.\d+ root /\S+ genkan-ftpd$")
        for paper in ("README.md", "README.ja.md"):
            self.assertIn(f"\n    {lines[0]}\n", read(paper), paper)
        self.assertIn(f"\n{lines[0]}\n", read("examples/inetd"))
        self.assertIn(f"\n.Dl {lines[0]}\n", read("ftpd/genkan-ftpd.8"))

    def test_the_configuration_shown_is_accepted(self):
        shown = {}
        for paper in ("README.md", "README.ja.md"):
            block = re.search(r"^\*\*`/etc/genkan-ftpd/genkan-ftpd\.conf`.*\n\n((?:    .*\n)+)",
                              read(paper), re.M)
            self.assertIsNotNone(block, paper)
            self.accepted(block.group(1), paper)
            shown[paper] = re.sub(r"#.*", "", block.group(1)).split()
        self.assertEqual(shown["README.md"], shown["README.ja.md"])

    def test_the_tree_of_the_house_has_every_room(self):
        tree = re.search(r"^```\n(ftpd/.*?)^```", read("HACKING.md"), re.M | re.S).group(1)
        sources = glob.glob(os.path.join(SOURCE, "lib", "*.c")) + \
            glob.glob(os.path.join(SOURCE, "ftpd", "**", "*.c"), recursive=True)
        self.assertGreater(len(sources), 40)
        for source in sources:
            name = os.path.basename(source).removesuffix(".c")
            family, _, member = name.partition("_")
            listed = re.search(rf"\b{name}\b", tree) or \
                (f"{family}_*.c" in tree and re.search(rf"\b{member}\b", tree))
            self.assertTrue(listed, f"HACKING.md does not show {source}")

    def test_every_test_that_security_names_is_there(self):
        named = set(re.findall(r"`(test_\w+)\.(\w+)`", read("SECURITY.md")))
        self.assertGreater(len(named), 40)
        for module, name in sorted(named):
            e2e = os.path.join(SOURCE, "test", "e2e", module + ".py")
            with self.subTest(f"{module}.{name}"):
                if os.path.exists(e2e):
                    self.assertRegex(read(e2e), rf"def {name}\(self\)")
                else:  # a function of cmocka, or a row of a table of tests
                    self.assertRegex(read("test", "unit", module + ".c"),
                                     rf'\b{name}\(void \*\*state\)|"{name}"')

    def test_links_lead_somewhere(self):
        for paper in MARKDOWN:
            folder = os.path.dirname(os.path.join(SOURCE, paper))
            for link in re.findall(r"\]\(([^)#:]+)\)", read(paper)):
                self.assertTrue(os.path.exists(os.path.join(folder, link)), f"{paper}: {link}")

    def test_the_two_commands_are_there(self):
        for command in ("examples/quickstart", "test/run"):
            self.assertIn(f"\n    {command}", read("README.md"))
            self.assertTrue(os.access(os.path.join(SOURCE, command), os.X_OK), command)


if __name__ == "__main__":
    unittest.main()
