"""Golden transcripts: whole conversations, word by word.

transcripts/*.txt are what client and server say to each other. Lines of input:

    > USER anna         a command; PASV and EPSV open a data connection for the next transfer
    ^ 'one\\r\\n'         what an upload sends, as a Python literal
    # a remark

and of output, which is compared after times, ports and numbers of this machine
have been made equal:

    < 331 Password, please.
    v 'one\\n'           what a download or listing brings, line by line

GENKAN_RECORD=1 writes the output anew; the difference is for you to read.
"""

import ast
import glob
import os
import re
import socket
import unittest

from genkan import HERE, IS_ROOT, SOURCE, USER_GID, USER_UID, ServerTest, write_file

FOLDER = os.path.join(HERE, "transcripts")
WHEN = 1_577_934_245  # 2020-01-02 03:04:05 UTC
UPLOADS = ("STOR", "APPE", "STOU")
TRANSFERS = UPLOADS + ("RETR", "LIST", "NLST", "MLSD")

# What differs from run to run and from machine to machine.
SAME = (
    (r"\(127,0,0,1,\d+,\d+\)", "(127,0,0,1,*,*)"),
    (r"\(\|\|\|\d+\|\)", "(|||*|)"),
    (r"unique=[^;]*;", "unique=*;"),
    (r"\b20(?!200102)\d{12}\b", "<now>"),
    (r"(type=[cp]?dir;)size=\d+;", r"\1size=*;"),
    (r"^(< [- ]?|v ['\"])?([dlr-][-rwx]{9}) +\d+ (\S+) +(\S+) +(\d+) "
     r"\w{3} [ \d]\d +[\d:]+ ", r"\1\2 <links> \3 \4 <size> <date> "),
    (rf"(owner=|group=|<links> |Group ){USER_UID}\b", r"\1<uid>"),
    (rf"(<uid>) {USER_GID}\b", r"\1 <uid>"),
    (r"^< 213 (?!20200102)\d{6,}$", "< 213 <bytes>"),
    (r"room for \d+ bytes", "room for <bytes> bytes"),
    (r"Version=[^;]*;", "Version=*;"),
    (r"\d+ bytes/s", "* bytes/s"),
)


# Known and not offered, or done with TLS alone; and what no argument can make wrong.
NEVER_DONE = {"REIN", "SMNT", "LPRT", "LPSV", "MFCT", "DSIZ", "COMB",
              "AUTH", "PBSZ", "PROT", "CCC"}
NEVER_REFUSED = {"NOOP", "CLNT", "CSID"}


def table(file, pattern):
    """The names of a table in the session's sources."""
    with open(os.path.join(SOURCE, "ftpd/session", file), encoding="utf-8") as source:
        return re.findall(pattern, source.read(), re.M)


def answers():
    """(verb, code) of every reply in the transcripts."""
    for path in glob.glob(os.path.join(FOLDER, "*.txt")):
        verb = None
        with open(path, encoding="utf-8") as file:
            for line in file:
                if line.startswith("> "):
                    verb = line[2:].strip().split(" ")[0].upper()
                elif re.match(r"< \d{3} ", line):
                    yield verb, int(line[2:5])


def normal(line):
    for pattern, same in SAME:
        line = re.sub(pattern, same, line)
    return line


class Conversation:
    """One control connection, and everything that was said."""

    def __init__(self, control):
        self.control, self.said, self.where = control, [], None

    def hear(self):
        reply = self.control.reply()
        self.said += [normal("< " + line) for line in reply.lines]
        return reply

    def transfer(self, verb, sent):
        """Behind the command: 1xx, the bytes, the last word."""
        with socket.create_connection(self.where, 10) as data:
            if self.hear().code >= 200:
                return
            if verb in UPLOADS:
                for literal in sent:
                    self.said.append("^ " + literal)
                    data.sendall(ast.literal_eval(literal).encode("latin-1"))
            else:
                content = b""
                while block := data.recv(65536):
                    content += block
                lines = content.decode("utf-8").splitlines(keepends=True)
                self.said += sorted(normal("v " + repr(line)) for line in lines)
        self.hear()

    def say(self, line, sent):
        verb = line.split(" ")[0].upper()
        self.said.append("> " + line)
        self.control.send(line.encode() + b"\r\n")
        if verb in TRANSFERS and self.where:
            self.transfer(verb, sent)
            self.where = None
            return
        reply = self.hear()
        port = re.search(r"\(127,0,0,1,(\d+),(\d+)\)", reply.text)
        extended = re.search(r"\(\|\|\|(\d+)\|\)", reply.text)
        if reply.code == 227:
            self.where = ("127.0.0.1", int(port.group(1)) * 256 + int(port.group(2)))
        elif reply.code == 229:
            self.where = ("127.0.0.1", int(extended.group(1)))

    def play(self, script):
        """Says the script's lines of input; returns the whole conversation."""
        lines = script.splitlines()
        for i, line in enumerate(lines):
            if line == "" or line.startswith("#"):
                self.said.append(line)
            elif line.startswith("> "):
                sent = []
                for after in lines[i + 1:]:
                    if after.startswith("> "):
                        break
                    if after.startswith("^ "):
                        sent.append(after[2:])
                self.say(line[2:], sent)
        return "\n".join(self.said) + "\n"


class Transcripts(ServerTest):
    maxDiff = None
    directives = {"ServerIdent": "Genkan"}

    def setUp(self):
        super().setUp()
        os.mkdir(self.remote("dir"))
        for name, content in (("file", b"one\ntwo\n"), ("dir/inner", b"x"), (".hidden", b"")):
            os.utime(write_file(self.remote(name), content), (WHEN, WHEN))
        os.chmod(self.remote("dir"), 0o755)
        os.utime(self.remote("dir"), (WHEN, WHEN))
        for name in ("dir", "dir/inner", "file", ".hidden"):
            if IS_ROOT:
                os.chown(self.remote(name), USER_UID, USER_GID)

    def replay(self, path):
        with open(path, encoding="utf-8") as file:
            golden = file.read()
        conversation = Conversation(self.connect())
        conversation.hear()
        conversation.said.clear()  # the greeting is in no transcript
        said = conversation.play(golden)
        if os.environ.get("GENKAN_RECORD"):
            with open(path, "w", encoding="utf-8") as file:
                file.write(said)
        self.assertMultiLineEqual(golden, said)

    def test_every_command_is_in_a_transcript_done_and_refused(self):
        done, refused = set(), set()
        for verb, code in answers():
            (done if code < 400 else refused).add(verb)
        verbs = set(table("command.c", r'^\t\{ "(\w+)",'))
        self.assertEqual(verbs - done - NEVER_DONE, set(), "commands that are never done")
        self.assertEqual(verbs - refused - NEVER_REFUSED, set(), "commands that are never refused")

    def test_every_site_command_is_in_a_transcript(self):
        said = set()
        for path in glob.glob(os.path.join(FOLDER, "*.txt")):
            with open(path, encoding="utf-8") as file:
                said |= set(re.findall(r"^> SITE (\w+)", file.read(), re.M))
        verbs = set(table("cmd_site.c", r'^\t\t\{ "(\w+)",'))
        self.assertGreater(len(verbs), 5)
        self.assertEqual(verbs - said, set(), "SITE commands without a transcript")


def add_tests():
    """One test for each file, named as it is."""
    for path in sorted(glob.glob(os.path.join(FOLDER, "*.txt"))):
        name = os.path.splitext(os.path.basename(path))[0]
        setattr(Transcripts, f"test_{name}", lambda self, path=path: self.replay(path))


add_tests()

if __name__ == "__main__":
    unittest.main()
