// SPDX-License-Identifier: Apache-2.0
// The benchmarks on a machine where a program that they compare with does not work.

import Foundation
import TestSupport
import Testing

@Suite("Benchmarks", .needs("python3"))
struct BenchmarkTests {
  // Red: `make bench` waits for ever for a pasta that spins, or leaves what it has started.
  @Test func `A pasta that never ends is ended with all it started, and left out with the reason`()
    throws
  {
    let session = try Session()
    try session.write(
      "pasta",
      """
      #!/bin/sh
      sleep 1000 & echo $$ $! >"${0%/*}/started"
      while :; do :; done
      """)
    let outcome = try session.run(
      """
      mkdir bin && cp pasta bin/ && chmod +x bin/pasta
      PATH=$PWD/bin:$PATH python3 "$1" "$(command -v nestbox)" 0
      read -r first second <bin/started
      for process in $first $second; do
        case $(ps -o stat= -p "$process") in '' | Z*) ;; *) echo "$process is left"; kill "$process" ;; esac
      done
      """, Workspace.repository.appending(path: "Benchmarks/network.py").path)
    #expect(
      outcome.lines.first == "pasta is left out: it did not end within 5 seconds", "\(outcome)")
    #expect(!outcome.output.contains("is left\n"), "\(outcome)")
    #expect(outcome.errors.isEmpty, "\(outcome)")
  }
}
