#!/usr/bin/env python3
"""Runs every test suite and adds up what they report.

Each suite writes a JUnit XML file; the totals are read from those files and not
from what is printed. The last line is `N passed, N failed`; where tests were
skipped, the line before says how many. The exit status is 1 when a test failed,
a suite broke off, or no test ran.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import xml.etree.ElementTree as ElementTree


def suites(build, source, jobs):
    """Yields (name, command, report file) for every suite."""
    reports = build / "reports"
    lit = (build / "lit-path.txt").read_text().strip()
    yield ("lit",
           [sys.executable, lit, "-sv", f"-j{jobs}",
            f"--xunit-xml-output={reports / 'lit.xml'}", str(build / "test")],
           reports / "lit.xml")
    for binary in sorted((build / "unittests").glob("Lowbit*Tests")):
        report = reports / f"{binary.name}.xml"
        yield (binary.name,
               [str(binary), "--gtest_brief=1", f"--gtest_output=xml:{report}"],
               report)
    if (source / "python" / "tests").is_dir():
        report = reports / "pytest.xml"
        yield ("pytest",
               [sys.executable, "-m", "pytest", "-q", f"--junitxml={report}",
                "-p", "no:cacheprovider", str(source / "python" / "tests")],
               report)


def count(report):
    """Returns (passed, failed, skipped) of a JUnit XML file."""
    failed = skipped = total = 0
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        total += 1
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        elif (case.find("skipped") is not None
              or case.get("status") == "notrun"):
            skipped += 1
    return total - failed - skipped, failed, skipped


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, required=True,
                        help="the build folder")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(),
                        help="tests to run at once")
    arguments = parser.parse_args()
    source = pathlib.Path(__file__).resolve().parent.parent
    build = arguments.build.resolve()
    (build / "reports").mkdir(exist_ok=True)

    environment = dict(os.environ)
    environment["PATH"] = f"{build / 'bin'}{os.pathsep}{environment['PATH']}"
    environment["PYTHONPATH"] = str(source / "python")
    environment["PYTHONDONTWRITEBYTECODE"] = "1"

    passed = failed = skipped = 0
    for name, command, report in suites(build, source, arguments.jobs):
        print(f"--- {name}", flush=True)
        report.unlink(missing_ok=True)
        status = subprocess.run(command, env=environment,
                                stdin=subprocess.DEVNULL).returncode
        if not report.exists():
            print(f"{name}: no report was written (exit status {status})")
            failed += 1
            continue
        suite = count(report)
        if status != 0 and suite[1] == 0:
            # A crash after the report, or an error outside any test.
            print(f"{name}: exit status {status}")
            failed += 1
        passed += suite[0]
        failed += suite[1]
        skipped += suite[2]

    if skipped:
        print(f"{skipped} skipped")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
