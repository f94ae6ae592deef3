"""Runs the end-to-end tests: python3 test/e2e [-l] [NAME...]

NAME is a module (test_clients, or just clients), a class or a test
(test_clients.Curl.test_get). Without names all modules run. One line is
printed per test, with its time; the last line counts tests, each once however
many of its subtests failed.
"""

import os
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)


class Result(unittest.TestResult):
    """Prints as it goes; remembers tests, not subtests."""

    def __init__(self):
        super().__init__()
        self.passed, self.failed, self.skip_reasons = 0, [], {}
        self.began, self.bad, self.skipping = 0.0, False, None

    def say(self, word, test):
        name = test.id() if hasattr(test, "id") else str(test)
        print(f"{word:4} {name} ({time.monotonic() - self.began:.2f} s)", flush=True)

    def startTest(self, test):
        super().startTest(test)
        self.began, self.bad, self.skipping = time.monotonic(), False, None

    def stopTest(self, test):
        super().stopTest(test)
        if self.bad:
            self.failed.append(test.id())
            self.say("FAIL", test)
        elif self.skipping is not None:
            self.skip_reasons[test.id()] = self.skipping
            self.say("skip", test)
        else:
            self.passed += 1
            self.say("ok", test)

    def blame(self, test, error):
        if not hasattr(test, "_testMethodName") and not hasattr(test, "test_case"):
            # A class that could not be set up, a module that could not be read.
            self.began = time.monotonic()
            self.failed.append(str(test))
            self.say("FAIL", test)
        self.bad = True
        print(f"---- {test}\n{self._exc_info_to_string(error, test)}----", flush=True)

    def addError(self, test, err):
        super().addError(test, err)
        self.blame(test, err)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.blame(test, err)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.bad = True
            print(f"---- {subtest}\n{self._exc_info_to_string(err, test)}----", flush=True)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.skipping = reason
        if not hasattr(test, "_testMethodName"):
            self.began = time.monotonic()
            self.skip_reasons[str(test)] = reason
            self.say("skip", test)


def tests_named(names):
    if not names:
        return unittest.defaultTestLoader.discover(HERE, top_level_dir=HERE)
    full = [name if name.startswith("test_") else f"test_{name}" for name in names]
    return unittest.defaultTestLoader.loadTestsFromNames(full)


def flatten(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from flatten(item)
        else:
            yield item


def main(arguments):
    names = [word for word in arguments if word != "-l"]
    suite = tests_named(names)
    if "-l" in arguments:
        print("\n".join(test.id() for test in flatten(suite)))
        return 0
    result = Result()
    result.buffer = False
    suite.run(result)
    for test, reason in result.skip_reasons.items():
        print(f"skipped {test}: {reason}")
    for test in result.failed:
        print(f"failed {test}")
    print(f"{result.passed} passed, {len(result.failed)} failed, "
          f"{len(result.skip_reasons)} skipped")
    return 1 if result.failed or not result.passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
