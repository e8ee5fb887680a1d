// SPDX-License-Identifier: Apache-2.0
// The watch never permits what a policy refuses.

import Linux
import SystemPackage
import Testing

@testable import Seccomp
import Text

@Suite("Watching")
struct WatchTests {
  private static let notify: UInt32 = 0x7fc0_0000
  private static let word: UInt64 = 0x1122_3344_5566_7788

  private func data(_ call: UInt32, _ token: UInt32, _ arguments: [UInt64]) -> CallData {
    var six = InlineArray<6, UInt64>(repeating: 0)
    for (index, argument) in arguments.enumerated() { six[index] = argument }
    return CallData(number: call, architecture: token, arguments: six)
  }

  // Red: the watcher gives another answer than the kernel would, or is not asked.
  @Test(
    "A watched policy answers as it does without the watch",
    arguments: ["default", "desktop", "strict", "compat"])
  func policies(_ name: String) throws {
    let policy = try PolicyChoice(ByteString(name)).policy()
    let program = try policy.compiled()
    let list = WatchList()
    let watched = try #require(list.program(with: program, word: Self.word))
    var compared = 0
    for explanation in try policy.explanations() {
      let token = explanation.architecture.token
      for (call, decision) in explanation.calls {
        for arguments in decision.edges {
          let data = data(UInt32(call.number), token, arguments)
          let alone = try #require(program.answer(to: data))
          let both = try #require(watched.answer(to: data))
          switch alone & 0xffff_0000 {
          case 0x7fff_0000, 0x7ffc_0000:
            // Permitted: at once, or by the listener if the call is on the list.
            #expect(program.verdict(on: data) == .permits)
            let isAlone = both == 0x7fff_0000 || both == Self.notify && list.call(data) != nil
            #expect(isAlone || both >> 16 == 5 && call.name == "io_uring_setup", "\(call.name)")
          case 0x0005_0000:
            #expect(both == Self.notify, "\(call.name)")
            let error = Errno(rawValue: CInt(alone & 0xffff))
            #expect(program.verdict(on: data) == .refuses(error), "\(call.name)")
          default: #expect(both == alone, "\(call.name)")
          }
          compared += 1
        }
      }
    }
    #expect(compared > 500)
  }

  // Red: any process can send descriptors past the policy.
  @Test func `Only the message with the word passes`() throws {
    let policy = SeccompProgram(instructions: [0x0005_0001_0000_0006])
    let watched = try #require(WatchList().program(with: policy, word: Self.word))
    let token = Architecture.native.token
    let send = CurrentProcess.sendNumber
    #expect(watched.answer(to: data(send, token, [3, 4, 0, 0, 0, Self.word])) == 0x7fff_0000)
    for wrong in [Self.word ^ 1, Self.word ^ 1 << 63, 0] {
      #expect(watched.answer(to: data(send, token, [3, 4, 0, 0, 0, wrong])) == Self.notify)
    }
    #expect(watched.answer(to: data(send + 1, token, [3, 4, 0, 0, 0, Self.word])) == Self.notify)
    #expect(watched.answer(to: data(send, token ^ 1, [3, 4, 0, 0, 0, Self.word])) == Self.notify)
  }

  // Red: an answer that the watcher does not understand counts as a permission.
  @Test func `What is not understood is refused`() throws {
    let call = data(1, Architecture.native.token, [])
    let odd: [[UInt64]] = [
      [], [0x16], [0x7ff0_0000_0000_0006], [0x8000_0000_0000_0006], [0x0003_0000_0000_0006],
      [0x7fc0_0000_0000_0006], [0xffff_ffff_0000_0005],
      [0x0000_0040_0000_0020, 0x7fff_0000_0000_0006],
      [0x07],
    ]
    for instructions in odd {
      let program = SeccompProgram(instructions: instructions)
      #expect(program.verdict(on: call) == .refuses(.notPermitted), "\(instructions)")
    }
    #expect(SeccompProgram(instructions: [0x16]).asksOthers)
    #expect(SeccompProgram(instructions: [0x7ff0_0000_0000_0006]).asksOthers)
    #expect(!SeccompProgram(instructions: [0x7fff_0000_0000_0006]).asksOthers)
    #expect(WatchList().program(with: SeccompProgram(instructions: [0x16]), word: 1) == nil)
  }
}
