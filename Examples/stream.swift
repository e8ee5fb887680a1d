// SPDX-License-Identifier: Apache-2.0
// stream: reads the output of a command while it runs, and cancels it when it has seen enough.

import Nestbox

@main
struct Stream {
  static func main() async throws {
    let (pieces, continuation) = AsyncStream<Int>.makeStream()
    let command = try Sandbox().start(["yes"], collecting: 0) { _, bytes in
      continuation.yield(bytes.count)
    }
    var seen = 0
    for await count in pieces {
      seen += count
      if seen > 100_000 { break }
    }
    command.cancel()
    print("\(try await command.result().outcome) after more than 100000 bytes")
  }
}
