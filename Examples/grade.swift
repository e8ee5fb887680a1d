// SPDX-License-Identifier: Apache-2.0
// grade PROGRAM INPUT: runs a program that nobody vouches for, with limits, and says how it ended.

import Nestbox

@main
struct Grade {
  static func main() async {
    let words = CommandLine.arguments
    guard words.count == 3 else { return print("usage: grade PROGRAM INPUT") }
    var sandbox = Sandbox(profiles: ["untrusted"])
    sandbox.read = [words[1]]
    sandbox.limits.timeout = .seconds(5)
    sandbox.limits.output = 10_000
    sandbox.limits.memory = 256 << 20
    // Not every machine can hold a limit of memory.
    sandbox.limits.isBestEffort = true
    do {
      let result = try await sandbox.run([words[1]], input: Array(words[2].utf8))
      switch result.outcome {
      case .exited(0): print("answered: \(result.output.text)")
      case .exited(let code): print("failed with \(code)")
      case .signaled(let signal): print("crashed with signal \(signal)")
      case .exceeded(let limit): print("exceeded the limit of \(limit.rawValue)")
      case .cancelled, .other: print("no answer")
      }
    } catch {
      print("not started: \(error)")
    }
  }
}
