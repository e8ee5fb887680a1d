// SPDX-License-Identifier: Apache-2.0
// Sandboxes that run, and reviews, through the library.

import Foundation
import Nestbox
import TestSupport
import Testing

@Suite("Running sandboxes and reviews through Nestbox", .serialized)
struct TaskTests {
  private static let executable = Program.directory.appending(path: "nestbox").path

  // Reviews of the tests do not lie among the user's own.
  init() { unsafe setenv("XDG_STATE_HOME", Workspace.root.appending(path: "state").path, 1) }

  private static func sandbox() -> Sandbox {
    var sandbox = Sandbox()
    sandbox.executable = executable
    return sandbox
  }

  /// The error of what must fail.
  private static func error(_ body: () async throws -> Void) async -> NestboxError? {
    do {
      try await body()
      return nil
    } catch {
      return error as? NestboxError
    }
  }

  // Red: a program loses a sandbox that it has made, or a failure of nestbox is taken for the command's.
  @Test func `A kept sandbox is listed, inspected, entered and stopped`() async throws {
    let executable = TaskTests.executable
    var sandbox = TaskTests.sandbox()
    let name = "swift-\(getpid())"
    sandbox.name = name
    sandbox.variables["A"] = "b c"
    let kept = try await sandbox.keep()
    #expect(kept == .name(name))
    let listed = try await RunningSandbox.all(executable: executable).first { $0.name == name }
    let found = try #require(listed)
    #expect(found.kept && found.network == "none" && found.madeBy == "nestbox")
    let again = await TaskTests.error { _ = try await sandbox.keep() }
    guard case .notStarted(let failure, 125) = again, failure.message.contains("in use") else {
      Issue.record("\(String(describing: again))")
      return
    }
    let seen = try await kept.inspect(executable: executable)
    let link = try FileManager.default.destinationOfSymbolicLink(
      atPath: "/proc/\(found.process)/ns/net")
    #expect(seen.namespaces["net"] == link && seen.processes.contains(found.process))
    #expect(seen.sandbox.process == found.process)
    let entered = try await kept.enter(
      ["sh", "-c", "cat; echo $A $B; echo e >&2; exit 3"], input: Array("in ".utf8),
      variables: ["B": "d"], executable: executable)
    #expect(entered.outcome == .exited(3))
    #expect(entered.output.text == "in b c d\n" && entered.errors.text == "e\n")
    let missing = await TaskTests.error {
      _ = try await kept.enter(["nosuchcommand"], executable: executable)
    }
    guard case .notStarted(_, 127) = missing else {
      Issue.record("\(String(describing: missing))")
      return
    }
    try await SandboxReference.process(found.process).stop(executable: executable)
    let tries: [() async throws -> Void] = [
      { try await kept.stop(executable: executable) },
      { _ = try await kept.inspect(executable: executable) },
      { _ = try await kept.enter(["true"], executable: executable) },
    ]
    for attempt in tries {
      #expect(await TaskTests.error(attempt) == .noSuchSandbox(kept))
    }
  }

  // Red: a command cannot be ended or told something by its name, or lives on when nobody waits.
  @Test func `A command gets signals, is stopped, and what entered it ends with its task`()
    async throws
  {
    let executable = TaskTests.executable
    var sandbox = TaskTests.sandbox()
    sandbox.name = "signals-\(getpid())"
    let reference = SandboxReference.name("signals-\(getpid())")
    let lines = AsyncStream<String>.makeStream()
    // A shell cannot trap a signal that it inherits as ignored, as nohup(1) passes SIGHUP on.
    let command = try sandbox.start(
      ["sh", "-c", "trap 'echo told' USR1; echo ready; while :; do sleep 0.1; done"]
    ) { kind, bytes in
      if kind == .output { lines.continuation.yield(String(decoding: bytes, as: UTF8.self)) }
    }
    var said = lines.stream.makeAsyncIterator()
    #expect(await said.next() == "ready\n")
    try await reference.send(SIGUSR1, executable: executable)
    #expect(await said.next() == "told\n")
    let mark = "1000.\(getpid())7"
    let task = Task {
      try await reference.enter(
        ["sh", "-c", "echo begun >/tmp/begun; sleep \(mark)"], executable: executable)
    }
    while try await reference.enter(["test", "-e", "/tmp/begun"], executable: executable).outcome
      != .exited(0)
    {
      try await Task.sleep(for: .milliseconds(10))
    }
    task.cancel()
    #expect(try await task.value.outcome == .cancelled)
    try await reference.stop(timeout: .milliseconds(500), executable: executable)
    guard case .signaled = try await command.result().outcome else {
      Issue.record("it was not stopped")
      return
    }
  }

  // Red: a change is lost, or overwrites what the host has changed since.
  @Test func `Changes wait for a decision`() async throws {
    let executable = TaskTests.executable
    let place = Workspace.root.appending(path: "review-\(getpid())")
    defer { try? FileManager.default.removeItem(at: place) }
    try FileManager.default.createDirectory(at: place, withIntermediateDirectories: false)
    func file(_ name: String) -> URL { place.appending(path: name) }
    func text(_ name: String) throws -> String {
      try String(contentsOf: file(name), encoding: .utf8)
    }
    for name in ["a", "b"] { try "old".write(to: file(name), atomically: false, encoding: .utf8) }
    var sandbox = TaskTests.sandbox()
    let name = "swift-\(getpid())"
    (sandbox.review, sandbox.reviewName, sandbox.directory) = ([place.path], name, place.path)
    let result = try await sandbox.run(
      ["sh", "-c", "echo new >a; echo new >b; echo x >./-x; ln -s /etc out"])
    #expect(result.succeeded, "\(result.errors.text)")
    #expect(try text("a") == "old")
    let listed = try await Review.all(executable: executable).first { $0.name == name }
    let review = try #require(listed)
    #expect(review.changes == 4 && !review.running && review.directories == [place.path])
    let changes = try await review.reference.changes(executable: executable)
    #expect(changes.complete)
    let found = changes.directories.flatMap(\.changes)
    #expect(
      Set(found.map { "\($0.change) \($0.path)" }) == [
        "changed a", "changed b", "added -x", "added out",
      ])
    #expect(found.filter { !$0.marks.isEmpty }.map(\.path) == ["out"])
    try await review.reference.apply(["-x"], executable: executable)
    #expect(try text("-x") == "x\n")
    try await review.reference.discard(["out"], executable: executable)
    try "of the host".write(to: file("a"), atomically: false, encoding: .utf8)
    let left = await TaskTests.error {
      try await review.reference.apply(executable: executable)
    }
    guard case .changesLeft(let lines) = left, lines.first?.contains("left a: ") == true else {
      Issue.record("\(String(describing: left))")
      return
    }
    #expect(try text("a") == "of the host" && text("b") == "new\n")
    (sandbox.review, sandbox.reviewName, sandbox.resume) = ([], nil, name)
    #expect(try await sandbox.run(["cat", "a"]).output.text == "new\n")
    try await review.reference.apply(isOverwriting: true, executable: executable)
    #expect(try text("a") == "new\n")
    let gone = await TaskTests.error {
      try await review.reference.discard(executable: executable)
    }
    #expect(gone == .noSuchReview(name))
  }

  // Red: a mistake ends or changes something else than was meant.
  @Test func `Misuse is an error before anything starts`() async {
    // It would say that something failed.
    let no = "/bin/false"
    let box = SandboxReference.name("box")
    let review = ReviewReference("a")
    let mistakes: [() async throws -> Void] = [
      {
        _ = try await SandboxReference.name("").inspect(executable: no)
      },
      {
        _ = try await SandboxReference.name("--list").inspect(executable: no)
      },
      { try await SandboxReference.process(0).stop(executable: no) },
      { try await box.stop(timeout: .zero, executable: no) },
      { try await box.send(0, executable: no) },
      { try await box.send(65, executable: no) },
      { _ = try await box.enter([], executable: no) },
      { _ = try await box.enter(["a\0"], executable: no) },
      {
        _ = try await box.enter(["a"], variables: ["A=": ""], executable: no)
      },
      { _ = try await box.enter(["a"], directory: "", executable: no) },
      { _ = try await box.enter(["a"], policy: "\0", executable: no) },
      { _ = try await box.enter(["a"], collecting: -1, executable: no) },
      { _ = try await ReviewReference("a/b").changes(executable: no) },
      { try await review.apply([""], executable: no) },
      { try await ReviewReference("").discard(executable: no) },
      { _ = try await Sandbox().keep() },
    ]
    for (index, mistake) in mistakes.enumerated() {
      let error = await TaskTests.error(mistake)
      guard case .invalidOption = error else {
        Issue.record("\(index): \(String(describing: error))")
        continue
      }
    }
  }
}
