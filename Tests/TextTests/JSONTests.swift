// SPDX-License-Identifier: Apache-2.0
// Reports for programs, as RFC 8259 has them.

import Foundation
import TestSupport
import Testing
import Text

@Suite("JSON")
struct JSONTests {
  // Red: a program that reads a report finds another value, or none.
  @Test func `Values are written over several lines`() {
    let value = JSON.object([
      .init("a", .array([.number(-1), .unsigned(.max), .boolean(true), .null])),
      .init("b", .object([])), .init("c", .array([])), .init("d", .optional(nil)),
    ])
    #expect(
      value.text == """
        {
          "a": [
            -1,
            18446744073709551615,
            true,
            null
          ],
          "b": {},
          "c": [],
          "d": null
        }

        """)
  }

  // Red: a file name ends a string early, or adds members to a report.
  @Test func `Any text is read back as it was`() throws {
    var chance = Chance(seed: 1)
    for _ in 0..<500 {
      var text = ""
      for _ in 0..<Int.random(in: 0...8, using: &chance) {
        let value =
          UInt32.random(in: 0...0x10ffff, using: &chance) >> UInt32(chance.pick([0, 8, 14]))
        if let scalar = Unicode.Scalar(value) { text.unicodeScalars.append(scalar) }
      }
      let report = JSON.object([.init(text, .string(text))]).text
      let object = try JSONSerialization.jsonObject(with: Data(report.utf8)) as? [String: String]
      #expect(object?.first.map { Array($0.key.utf8) } == Array(text.utf8), "\(report)")
      #expect(object?.first.map { Array($0.value.utf8) } == Array(text.utf8), "\(report)")
    }
  }

  // Red: a report drives the terminal of the one who looks at it.
  @Test func `Control characters are written as numbers`() {
    let text = String(String.UnicodeScalarView((0..<0xa0).compactMap(Unicode.Scalar.init)))
    let isClean = JSON.string(text).text.dropLast().unicodeScalars.allSatisfy {
      $0.properties.generalCategory != .control
    }
    #expect(isClean)
  }

  // Red: names that are not UTF-8 make a report that no program reads.
  @Test func `Bytes that are not UTF-8 are replaced`() {
    #expect(JSON.bytes(ByteString([0x61, 0xff])).line == "\"a\u{fffd}\"\n")
  }

  // Red: a program that reads a report line by line gets half of it, or a time is wrong by a power
  // of ten.
  @Test func `A value in one line has no line break, and fractions keep their places`() {
    let value = JSON.object([
      .init("a", .array([.number(1), .object([]), .string("x\ny")])),
      .init("t", .microseconds(1_204_000)), .init("u", .milliseconds(5)),
      .init("v", .fraction(-7, places: 2)),
    ])
    #expect(
      value.line == "{\"a\": [1, {}, \"x\\ny\"], \"t\": 1.204000, \"u\": 0.005, \"v\": -0.07}\n")
  }
}
