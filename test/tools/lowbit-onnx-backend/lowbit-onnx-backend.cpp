//===- lowbit-onnx-backend.cpp - runs ONNX's own tests --------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Runs the tests that come with ONNX: folders with a model.onnx and, for a
// number of data sets, input_*.pb and the output_*.pb that are expected of it.
// Each test runs in a process of its own, so that one that crashes or hangs is
// a failure and not the end.
//
//   lowbit-onnx-backend DATA/node DATA/simple --unsupported=list.txt --jobs=2
//
// Tests with nodes of operators that the onnx dialect does not have, or of an
// opset that the importer does not read, are skipped. The list names what else
// is not to be run, and why, one `test_name: reason` a line.
//
//===----------------------------------------------------------------------===//

#include "TensorFile.h"
#include "lowbit/Execution/Session.h"
#include "lowbit/InitAllDialects.h"
#include "lowbit/Target/Onnx/ImportOnnx.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Regex.h"
#include "llvm/Support/WithColor.h"
#include "llvm/Support/raw_ostream.h"
#include <sys/wait.h>
#include <unistd.h>

using namespace llvm;
using namespace lowbit;

static cl::list<std::string> suites(cl::Positional, cl::OneOrMore,
                                    cl::desc("<folders of tests>"));
static cl::opt<std::string>
    unsupportedPath("unsupported",
                    cl::desc("List of what is not supported, and why"));
static cl::opt<std::string> filter("filter",
                                   cl::desc("Run only tests that match"));
static cl::opt<unsigned> jobs("jobs", cl::init(2),
                              cl::desc("Number of tests to run at a time"));
static cl::opt<unsigned> timeLimit("time-limit", cl::init(120),
                                   cl::desc("Seconds that a test may take"));
static cl::opt<bool> verbose("verbose", cl::desc("Also list what passes"));

namespace {
enum class Outcome { Passed, Failed, Skipped };

struct Test {
  std::string path;
  Outcome outcome = Outcome::Passed;
  std::string reason;

  StringRef getName() const { return sys::path::filename(path); }
};

/// Reasons by the names of tests.
using Unsupported = StringMap<std::string>;

/// A test that runs in a child process, which writes the reason of a failure
/// into a pipe.
struct Child {
  Test *test;
  pid_t pid;
  int pipe;
};
} // namespace

//===----------------------------------------------------------------------===//
// One test
//===----------------------------------------------------------------------===//

/// The files PREFIX_0.pb, PREFIX_1.pb, ... of a data set.
static Expected<std::vector<Tensor>> readTensors(StringRef folder,
                                                 StringRef prefix) {
  std::vector<Tensor> tensors;
  for (unsigned i = 0;; ++i) {
    SmallString<128> path(folder);
    sys::path::append(path, prefix + "_" + Twine(i) + ".pb");
    if (!sys::fs::exists(path))
      return tensors;
    Expected<Tensor> tensor = readTensorFile(path);
    if (!tensor)
      return tensor.takeError();
    tensors.push_back(std::move(*tensor));
  }
}

static Error runTest(const Test &test) {
  mlir::DialectRegistry registry;
  lowbit::registerAllDialects(registry);
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  std::string diagnostics;
  context.getDiagEngine().registerHandler([&](mlir::Diagnostic &diagnostic) {
    if (diagnostics.empty())
      raw_string_ostream(diagnostics) << diagnostic;
    return mlir::success();
  });
  auto addDiagnostics = [&](Error error) {
    std::string message = toString(std::move(error));
    return createStringError(
        diagnostics.empty() ? message : message + ": " + diagnostics);
  };

  auto module = importOnnx(test.path + "/model.onnx", context);
  if (!module)
    return addDiagnostics(module.takeError());
  Expected<CpuTarget> target = CpuTarget::get();
  if (!target)
    return target.takeError();
  auto engine = JitEngine::create({*target, /*optimizationLevel=*/0});
  if (!engine)
    return engine.takeError();
  auto session = Session::compile(**module, *engine);
  if (!session)
    return addDiagnostics(session.takeError());

  for (unsigned set = 0;; ++set) {
    std::string folder = test.path + "/test_data_set_" + std::to_string(set);
    if (!sys::fs::is_directory(folder))
      return Error::success();
    Expected<std::vector<Tensor>> inputs = readTensors(folder, "input");
    if (!inputs)
      return inputs.takeError();
    Expected<std::vector<Tensor>> expected = readTensors(folder, "output");
    if (!expected)
      return expected.takeError();
    Expected<std::vector<Tensor>> outputs =
        (*session)->run(ArrayRef<Tensor>(*inputs));
    if (!outputs)
      return outputs.takeError();
    if (outputs->size() != expected->size())
      return createStringError("expected %zu outputs, got %zu",
                               expected->size(), outputs->size());
    for (auto [i, tensor] : enumerate(*outputs))
      if (Error error = compareTensors(tensor, (*expected)[i]))
        return createStringError("output " + Twine(i) + ": " +
                                 toString(std::move(error)));
  }
}

//===----------------------------------------------------------------------===//
// Processes
//===----------------------------------------------------------------------===//

static Child start(Test &test) {
  int ends[2];
  if (pipe(ends) != 0)
    report_fatal_error("cannot create a pipe");
  outs().flush();
  pid_t pid = fork();
  if (pid < 0)
    report_fatal_error("cannot fork");
  if (pid != 0) {
    close(ends[1]);
    return {&test, pid, ends[0]};
  }
  close(ends[0]);
  // What libraries say before they abort belongs to the reason.
  dup2(ends[1], STDERR_FILENO);
  alarm(timeLimit);
  Error error = runTest(test);
  int status = error ? 1 : 0;
  if (error)
    errs() << toString(std::move(error));
  _exit(status);
}

static std::string readAll(int pipe) {
  std::string text;
  char buffer[4096];
  for (ssize_t n; (n = read(pipe, buffer, sizeof buffer)) > 0;)
    text.append(buffer, n);
  close(pipe);
  return text;
}

static void finish(const Child &child) {
  std::string reason = readAll(child.pipe);
  int status = 0;
  waitpid(child.pid, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
    return;
  child.test->outcome = Outcome::Failed;
  StringRef text = StringRef(reason).trim();
  // The last line is the one that says what went wrong.
  child.test->reason = text.rsplit('\n').second.empty()
                           ? text.str()
                           : text.rsplit('\n').second.str();
  if (WIFSIGNALED(status))
    child.test->reason += WTERMSIG(status) == SIGALRM
                              ? " (took too long)"
                              : std::string(" (crashed with ") +
                                    strsignal(WTERMSIG(status)) + ")";
}

static void runAll(MutableArrayRef<Test> tests) {
  std::vector<Child> running;
  for (Test &test : tests) {
    if (test.outcome == Outcome::Skipped)
      continue;
    if (running.size() == jobs) {
      finish(running.front());
      running.erase(running.begin());
    }
    running.push_back(start(test));
  }
  for (const Child &child : running)
    finish(child);
}

//===----------------------------------------------------------------------===//
// The list of tests
//===----------------------------------------------------------------------===//

static Expected<Unsupported> readUnsupported(StringRef path) {
  Unsupported result;
  if (path.empty())
    return result;
  auto buffer = MemoryBuffer::getFile(path, /*IsText=*/true);
  if (!buffer)
    return createStringError(path + ": " + buffer.getError().message());
  SmallVector<StringRef> lines;
  (*buffer)->getBuffer().split(lines, '\n', -1, /*KeepEmpty=*/false);
  for (StringRef line : lines) {
    if (line.starts_with("#"))
      continue;
    auto [name, reason] = line.split(": ");
    if (reason.empty())
      return createStringError(path + ": no reason in '" + line + "'");
    result[name] = reason.str();
  }
  return result;
}

static Expected<std::vector<Test>> findTests(const Unsupported &unsupported) {
  std::vector<Test> tests;
  Regex pattern(filter);
  for (const std::string &suite : suites) {
    std::error_code error;
    for (sys::fs::directory_iterator it(suite, error), end; it != end && !error;
         it.increment(error)) {
      Test test{it->path(), Outcome::Passed, ""};
      if (!sys::fs::exists(test.path + "/model.onnx") ||
          (!filter.empty() && !pattern.match(test.getName())))
        continue;
      Expected<std::string> reason = getReasonToSkip(test.path + "/model.onnx");
      if (!reason)
        return reason.takeError();
      test.reason = *reason;
      if (auto found = unsupported.find(test.getName());
          found != unsupported.end())
        test.reason = found->second;
      if (!test.reason.empty())
        test.outcome = Outcome::Skipped;
      tests.push_back(std::move(test));
    }
    if (error)
      return createStringError(suite + ": " + error.message());
  }
  sort(tests, [](const Test &a, const Test &b) { return a.path < b.path; });
  return tests;
}

int main(int argc, char **argv) {
  InitLLVM init(argc, argv);
  cl::ParseCommandLineOptions(argc, argv, "Runs the tests of ONNX\n");
  auto fail = [](Error error) {
    WithColor::error(errs(), "lowbit-onnx-backend")
        << toString(std::move(error)) << '\n';
    return 1;
  };
  Expected<Unsupported> unsupported = readUnsupported(unsupportedPath);
  if (!unsupported)
    return fail(unsupported.takeError());
  Expected<std::vector<Test>> tests = findTests(*unsupported);
  if (!tests)
    return fail(tests.takeError());
  runAll(*tests);

  size_t counts[3] = {};
  for (const Test &test : *tests) {
    ++counts[static_cast<size_t>(test.outcome)];
    if (test.outcome == Outcome::Failed)
      outs() << "FAILED " << test.getName() << ": " << test.reason << '\n';
    else if (verbose)
      outs() << (test.outcome == Outcome::Passed ? "PASSED " : "SKIPPED ")
             << test.getName()
             << (test.reason.empty() ? "" : ": " + test.reason) << '\n';
  }
  outs() << counts[0] << " passed, " << counts[1] << " failed, " << counts[2]
         << " skipped\n";
  return counts[1] == 0 && counts[0] != 0 ? 0 : 1;
}
