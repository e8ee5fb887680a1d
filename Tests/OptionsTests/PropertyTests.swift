// SPDX-License-Identifier: Apache-2.0
// Random command lines, the same ones for the same seed: the parser answers each with a value or a
// message.

import Foundation
import Glibc
import Linux
import Sandbox
import SystemPackage
import TestSupport
import Testing

@testable import Options
import Text

@Suite("Properties of the parser")
struct PropertyTests {
  private static let seeds: [UInt64] = {
    let first = ProcessInfo.processInfo.environment["NESTBOX_SEED"].flatMap { UInt64($0) } ?? 1
    return (0..<8).map { first &+ $0 }
  }()

  /// Values that are odd for every kind of operand.
  private static let values: [[UInt8]] =
    [
      "", "0", "1", "-1", "+1", "00", "2147483647", "2147483648", "4294967294", "4294967295",
      "18446744073709551616", "99999999999999999999", "0x10", "1e3", "0755", "7777", "10000", "ALL",
      "cap_kill", "CAP_", "/", "//", ".", "..", "../..", "/a/b", "a//b/", "--", "-", "--args",
      "--bind", "A=B", "=", "A", "%s%n", "a\nb", "\u{1b}[2J", "\u{202e}", "${HOME}", "~", "*",
    ].map { Array($0.utf8) } + [[0xff, 0xfe], [0x80], Array(repeating: 0x61, count: 5000)]

  private static func words(_ chance: inout Chance, _ count: Int) -> [[UInt8]] {
    var words: [[UInt8]] = []
    while words.count < count {
      switch Int.random(in: 0..<20, using: &chance) {
      case 0: words.append(chance.pick(values))
      case 1:
        // A name with one byte changed.
        var name = Array(chance.pick(Option.all).name.utf8)
        name[Int.random(in: 0..<name.count, using: &chance)] = UInt8.random(
          in: 1...255, using: &chance)
        words.append(name)
      default:
        let option = chance.pick(Option.all)
        words.append(Array(option.name.utf8))
        for operand in option.operands { words.append(value(&chance, operand)) }
      }
    }
    // It reads and closes what it names, as soon as it is parsed: never what these tests have open.
    for index in words.indices.dropFirst() where words[index - 1] == Array("--args".utf8) {
      words[index] = Array("150000".utf8)
    }
    return words
  }

  private static func value(_ chance: inout Chance, _ operand: Operand) -> [UInt8] {
    if Int.random(in: 0..<4, using: &chance) == 0 { return chance.pick(values) }
    switch operand.kind {
    // None that is open here, so that nothing is read from and nothing closed.
    case .descriptor: return Array("\(Int.random(in: 100_000...200_000, using: &chance))".utf8)
    case .number: return Array("\(Int.random(in: 0...777, using: &chance))".utf8)
    case .capability: return Array("cap_net_raw".utf8)
    case .variable: return Array("NAME".utf8)
    default: return Array("/place/\(Int.random(in: 0...9, using: &chance))".utf8)
    }
  }

  private func parse(_ words: [[UInt8]]) -> Result<Draft, UsageError> {
    var parser = Parser()
    do throws(UsageError) {
      try parser.parse(words.map { ByteString($0) })
      return .success(parser.draft)
    } catch {
      return .failure(error)
    }
  }

  private func expectPlain(_ message: String, _ line: [[UInt8]]) {
    let isPlain = message.unicodeScalars.allSatisfy {
      $0 == "\n"
        || $0.properties.generalCategory != .control && $0.properties.generalCategory != .format
    }
    #expect(isPlain && !message.isEmpty, "\(line)")
  }

  // Red: a line of a program that puts options together crashes the launcher, or gets a message
  // that forges others or drives a terminal.
  @Test("Any line is read or refused with a sentence", arguments: seeds)
  func anyLine(_ seed: UInt64) {
    var chance = Chance(seed: seed)
    var (read, refused) = (0, 0)
    for _ in 0..<500 {
      let line = PropertyTests.words(&chance, Int.random(in: 1...12, using: &chance))
      switch parse(line) {
      case .success(let draft):
        read += 1
        do {
          try draft.sandbox.validate()
        } catch {
          expectPlain(error.message, line)
        }
      case .failure(let error):
        refused += 1
        expectPlain(error.message, line)
      }
    }
    // Neither kind is so rare that nothing was tried.
    #expect(read > 20 && refused > 20, "\(read) \(refused)")
  }

  // Red: what flatpak sends through --args means something else than the same options typed.
  @Test("Options mean the same typed and in the data of --args", arguments: seeds)
  func nested(_ seed: UInt64) throws {
    var chance = Chance(seed: seed)
    var compared = 0
    for _ in 0..<200 {
      var line = PropertyTests.words(&chance, Int.random(in: 1...8, using: &chance))
      line.removeAll { $0.isEmpty }
      guard !line.contains(where: { $0 == Array("--args".utf8) || $0 == Array("--".utf8) }) else {
        continue
      }
      guard case .success(let typed) = parse(line), typed.task == nil else { continue }
      guard typed.sandbox.command.isEmpty else { continue }
      let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
      try Data(line.joined(separator: [0])).write(to: file)
      defer { try? FileManager.default.removeItem(at: file) }
      let number = unsafe open(file.path, O_RDONLY)
      try #require(number >= 0)
      let sent = parse([Array("--args".utf8), Array(String(number).utf8)])
      guard case .success(let sent) = sent else {
        Issue.record("refused in --args: \(line) \(sent)")
        continue
      }
      compared += 1
      #expect(sent.sandbox.typed == typed.sandbox)
    }
    #expect(compared > 5)
  }

  // Red: a line of a build tool is too long, or takes time that grows with the square of it.
  @Test func `Ten thousand options and values of a megabyte are read`() throws {
    let long = [UInt8](repeating: UInt8(ascii: "x"), count: 1 << 20)
    var line: [[UInt8]] = []
    for index in 0..<10_000 {
      line += ["--ro-bind", "/source/\(index)", "/place/\(index)"].map { Array($0.utf8) }
    }
    line += [Array("--setenv".utf8), Array("LONG".utf8), long, Array("--bind".utf8), long, long]
    line += [Array("--symlink".utf8), long, Array("/link".utf8), long]
    guard case .success(let draft) = parse(line) else {
      Issue.record("refused")
      return
    }
    #expect(draft.sandbox.filesystem.count == 10_002)
    #expect(draft.sandbox.command.first?.count == 1 << 20)
  }
}
