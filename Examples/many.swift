// SPDX-License-Identifier: Apache-2.0
// many COUNT: runs many jobs, fifty at a time, and counts how they ended.

import Nestbox

@main
struct Many {
  static func main() async throws {
    let count = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 200
    var sandbox = Sandbox(profiles: ["untrusted"])
    sandbox.limits.timeout = .seconds(60)
    let jobs = (0..<count).map { ["sh", "-c", "exit \($0 % 3)"] }
    var counts: [Outcome: Int] = [:]
    try await withThrowingTaskGroup(of: Outcome.self) { [sandbox] group in
      for (index, job) in jobs.enumerated() {
        // One of fifty has to end before the next one begins.
        if index >= 50, let outcome = try await group.next() { counts[outcome, default: 0] += 1 }
        group.addTask { try await sandbox.run(job).outcome }
      }
      for try await outcome in group { counts[outcome, default: 0] += 1 }
    }
    for code in 0..<3 as Range<Int32> {
      print("exited with \(code): \(counts[.exited(code)] ?? 0)")
    }
  }
}
