// SPDX-License-Identifier: Apache-2.0
// The library for other programs, which starts the executable under test.

import Foundation
import Nestbox
import TestSupport
import Testing

// One at a time: they count the processes and the descriptors that are there.
@Suite("The library Nestbox", .serialized)
struct NestboxTests {
  /// A sandbox with the executable under test.
  private static func sandbox() -> Sandbox {
    var sandbox = Sandbox()
    sandbox.executable = Program.directory.appending(path: "nestbox").path
    return sandbox
  }

  /// A number of seconds that no other process sleeps for.
  private static let mark = "1000.\(getpid())"
  /// A command that resists, with others in the background.
  private static let stubborn = [
    "sh", "-c", "trap '' TERM; setsid sleep \(mark) & sleep \(mark); sleep \(mark)",
  ]

  /// How many processes with the mark there are.
  private static func marked() -> Int {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return names.filter { name in
      let line = FileManager.default.contents(atPath: "/proc/\(name)/cmdline") ?? Data()
      // Whole: another suite has a mark that begins with this one.
      return line.starts(with: Data("sleep\0\(mark)\0".utf8))
    }.count
  }

  private static func count(_ directory: String) -> Int {
    (try? FileManager.default.contentsOfDirectory(atPath: directory))?.count ?? 0
  }

  // Red: output is lost, or a number is taken for another end.
  @Test func `Output, outcome and use come back`() async throws {
    var sandbox = NestboxTests.sandbox()
    sandbox.variables["A"] = "b c"
    let result = try await sandbox.run(
      ["sh", "-c", "cat; echo $A; echo e >&2; exit 137"], input: Array("in\n".utf8))
    #expect(result.outcome == .exited(137))
    #expect(result.output.text == "in\nb c\n")
    #expect(result.errors.text.hasSuffix("e\n"))
    #expect(result.report?.wall ?? 0 > 0)
    #expect(result.report?.memoryPeak == nil)
    #expect(try await sandbox.run(["sh", "-c", "kill -9 $$"]).outcome == .signaled(9))
    let big = [UInt8](repeating: 7, count: 1 << 20)
    #expect(try await sandbox.run(["cat"], input: big).output.bytes == big)
    let cut = try await sandbox.run(["head", "-c", "100000", "/dev/zero"], collecting: 10)
    #expect(cut.output.bytes == [UInt8](repeating: 0, count: 10) && cut.output.isCut)
  }

  // Red: a limit is taken for a failure, or does not hold.
  @Test func `Limits have their own outcomes`() async throws {
    var sandbox = NestboxTests.sandbox()
    sandbox.limits.timeout = .milliseconds(100)
    sandbox.limits.timeoutGrace = .milliseconds(100)
    #expect(try await sandbox.run(NestboxTests.stubborn).outcome == .exceeded(.timeout))
    sandbox = NestboxTests.sandbox()
    sandbox.limits.output = 1000
    #expect(try await sandbox.run(["yes"]).outcome == .exceeded(.output))
    sandbox.limits.resources["nofile"] = "20:30"
    #expect(try await sandbox.run(["sh", "-c", "ulimit -n"]).output.text == "20\n")
  }

  /// Changes of a sandbox that are mistakes.
  private static let mistakes: [@Sendable (inout Sandbox) -> Void] = [
    { $0.profiles = [""] }, { $0.read = ["a\0b"] }, { $0.home = "" }, { $0.policy = "\0" },
    { $0.limits.timeout = .zero }, { $0.limits.timeout = .seconds(-1) },
    { $0.limits.timeout = .seconds(1 << 40) }, { $0.limits.processes = 0 },
    { $0.limits.processors = 0 }, { $0.limits.processors = .nan },
    { $0.limits.resources = ["nofile": ""] }, { $0.variables = ["A=B": "c"] },
    { $0.environment = ["": "c"] }, { $0.name = "" }, { $0.options = ["--args", "3"] },
    { $0.options = ["--"] }, { $0.netAllow = [""] }, { $0.name = "a b" },
    { $0.netHost = ["0"] }, { $0.netHost = ["90-80"] }, { $0.netHost = ["80,"] },
    { $0.publish = ["80:"] }, { $0.publish = ["70000"] }, { $0.publish = ["1:2:3:4"] },
    { $0.publish = ["80/udp"] }, { $0.review = [""] }, { $0.reviewName = "a" },
    { $0.resume = "a/b" }, { ($0.review, $0.resume) = (["."], "a") },
    { $0.keptVariables = ["A,B"] }, { ($0.environment, $0.keptVariables) = ([:], ["A"]) },
  ]

  // Red: a mistake starts a command with another sandbox than was meant.
  @Test("Misuse is an error before anything starts", arguments: mistakes.indices)
  func misuse(_ index: Int) async throws {
    var sandbox = NestboxTests.sandbox()
    // It would say that there is no report.
    sandbox.executable = "/bin/false"
    NestboxTests.mistakes[index](&sandbox)
    do throws(NestboxError) {
      _ = try await sandbox.run(["true"])
      Issue.record("no error")
    } catch {
      guard case .invalidOption = error else {
        Issue.record("\(error)")
        return
      }
    }
  }

  // Red: a caller cannot tell what is wrong.
  @Test func `What cannot start is an error with its reason`() async throws {
    var sandbox = NestboxTests.sandbox()
    func failure(_ command: [String], _ sandbox: Sandbox) async -> NestboxError? {
      do throws(NestboxError) {
        _ = try await sandbox.run(command)
        return nil
      } catch {
        return error
      }
    }
    for command in [[], [""], ["a\0"]] {
      guard case .invalidOption("command", _) = await failure(command, sandbox) else {
        Issue.record("\(command)")
        continue
      }
    }
    guard case .notStarted(let missing, 127) = await failure(["nosuchcommand"], sandbox) else {
      Issue.record("a missing command")
      return
    }
    #expect(missing.call == "execve" && missing.remedy != nil)
    sandbox.profiles = ["nosuch"]
    guard case .notStarted(let profile, 125) = await failure(["true"], sandbox) else {
      Issue.record("a missing profile")
      return
    }
    #expect(profile.message.contains("there is no profile nosuch"))
    sandbox.executable = "/etc/passwd"
    #expect(await failure(["true"], sandbox) == .executableNotFound("/etc/passwd"))
  }

  // Red: a cancelled task leaves processes behind.
  @Test func `A cancelled task leaves nothing`() async throws {
    let sandbox = NestboxTests.sandbox()
    let task = Task { try await sandbox.run(NestboxTests.stubborn) }
    while NestboxTests.marked() < 2 { try await Task.sleep(for: .milliseconds(10)) }
    task.cancel()
    #expect(try await task.value.outcome == .cancelled)
    #expect(NestboxTests.marked() == 0)
    // At any moment.
    for step in 0..<20 {
      let command = try sandbox.start(NestboxTests.stubborn)
      try await Task.sleep(for: .microseconds(step * 500))
      command.cancel()
      #expect(try await command.result().outcome == .cancelled)
      #expect(NestboxTests.marked() == 0)
    }
  }

  // Red: a job is taken for another, or something grows with their number.
  @Test func `Of a thousand jobs, fifty at a time, nothing is left and nothing grows`() async throws
  {
    let sandbox = NestboxTests.sandbox()
    // So that what begins with the first job is there.
    _ = try await sandbox.run(["true"])
    let before = NestboxTests.count("/proc/self/fd")
    var mostThreads = 0
    var counts: [String: Int] = [:]
    try await withThrowingTaskGroup(of: String.self) { group in
      func collect() async throws {
        guard let kind = try await group.next() else { return }
        counts[kind, default: 0] += 1
        mostThreads = max(mostThreads, NestboxTests.count("/proc/self/task"))
      }
      for number in 0..<1000 {
        if number >= 50 { try await collect() }
        group.addTask {
          var sandbox = sandbox
          switch number % 50 {
          case 0:
            let command = try sandbox.start(NestboxTests.stubborn)
            command.cancel()
            return "0 \(try await command.result().outcome)"
          case 1:
            sandbox.limits.timeout = .milliseconds(100)
            return "1 \(try await sandbox.run(["sleep", NestboxTests.mark]).outcome)"
          default:
            let result = try await sandbox.run(["sh", "-c", "echo \(number); exit \(number % 50)"])
            return
              "\(result.output.text == "\(number)\n") \(result.outcome == .exited(Int32(number % 50)))"
          }
        }
      }
      for _ in 0..<50 { try await collect() }
    }
    #expect(
      counts == [
        "0 cancelled": 20, "1 exceeded(Nestbox.Outcome.Limit.timeout)": 20, "true true": 960,
      ])
    #expect(NestboxTests.marked() == 0)
    #expect(NestboxTests.count("/proc/self/fd") <= before + 5)
    // A pool of 64 and some more; with a thread for each stream of fifty jobs there would be more than 150.
    #expect(mostThreads < 120, "\(mostThreads) threads")
  }
}
