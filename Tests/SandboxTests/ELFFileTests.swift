// SPDX-License-Identifier: Apache-2.0
// Headers of executables, which a payload may have written.

import Foundation
import SystemPackage
import TestSupport
import Testing
import Text

@testable import Sandbox

@Suite("Executables")
struct ELFFileTests {
  /// The headers of a program that a loader loads, with two libraries and a place to look for them.
  private struct Image {
    var is64Bit = true
    var isBigEndian = false
    var machine: UInt64 = 62
    /// `DT_RPATH` or `DT_RUNPATH`.
    var pathTag: UInt64 = 29

    var bytes: [UInt8] {
      let width = is64Bit ? 8 : 4
      let headerSize = is64Bit ? 64 : 52
      let entrySize = is64Bit ? 56 : 32
      let strings = Array("\0/lib/ld.so\0liba.so\0libb.so.1\0/opt/lib:/x\0".utf8)
      let stringsAt = headerSize + 3 * entrySize
      let dynamicAt = stringsAt + strings.count
      // Addresses are not offsets: every segment is loaded a page further on.
      let base = 0x1000
      let tags: [(UInt64, UInt64)] = [
        (1, 12), (1, 20), (pathTag, 30), (5, UInt64(base + stringsAt)), (0, 0),
      ]
      let size = dynamicAt + tags.count * 2 * width

      var header: [UInt8] = [0x7f, 0x45, 0x4c, 0x46, is64Bit ? 2 : 1, isBigEndian ? 2 : 1, 1]
      header += [UInt8](repeating: 0, count: 9)
      header += number(2, 2) + number(machine, 2) + number(1, 4) + number(0, width)
      header += number(UInt64(headerSize), width) + number(0, width) + number(0, 4)
      header += [UInt64(headerSize), UInt64(entrySize), 3, 0, 0, 0].flatMap { number($0, 2) }
      func segment(_ type: UInt64, _ offset: Int, _ count: Int) -> [UInt8] {
        let (place, length) = (number(UInt64(offset), width), number(UInt64(count), width))
        let address = number(UInt64(base + offset), width)
        return is64Bit
          ? number(type, 4) + number(4, 4) + place + address + address + length + length
            + number(8, 8)
          : number(type, 4) + place + address + address + length + length + number(4, 4)
            + number(8, 4)
      }
      let segments =
        segment(3, stringsAt + 1, 11) + segment(1, 0, size)
        + segment(2, dynamicAt, tags.count * 2 * width)
      let dynamic = tags.flatMap { number($0.0, width) + number($0.1, width) }
      return header + segments + strings + dynamic
    }

    private func number(_ value: UInt64, _ size: Int) -> [UInt8] {
      let bytes = (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) }
      return isBigEndian ? bytes.reversed() : bytes
    }
  }

  private func file(_ bytes: [UInt8], in session: Session) throws -> ELFFile? {
    let file = session.directory.appending(path: "program")
    try Data(bytes).write(to: file)
    return ELFFile(at: FilePath(file.path))
  }

  // Red: the message gives a wrong reason why a program does not start.
  @Test("Headers are read in every width and byte order", arguments: [true, false], [true, false])
  func headers(_ is64Bit: Bool, _ isBigEndian: Bool) throws {
    let image = Image(is64Bit: is64Bit, isBigEndian: isBigEndian, machine: 183)
    let read = try #require(try file(image.bytes, in: Session()))
    #expect(read.is64Bit == is64Bit)
    #expect(read.machine == 183)
    #expect(read.loader == "/lib/ld.so")
    #expect(read.needed == ["liba.so", "libb.so.1"])
    #expect(read.searchPath == ["/opt/lib", "/x"])
    var old = image
    old.pathTag = 15
    #expect(try file(old.bytes, in: Session())?.searchPath == ["/opt/lib", "/x"])
  }

  // Red: the same, for a real one.
  @Test func `A program of this machine is recognised`() throws {
    let shell = try #require(ELFFile(at: "/bin/sh"))
    #expect(shell.machine == ELFFile.native)
    #expect(shell.needed.contains { $0.text.hasPrefix("libc.") })
    let loader = try #require(shell.loader)
    #expect(FileManager.default.fileExists(atPath: loader.string))
    #expect(ELFFile(at: "/etc/passwd") == nil)
    #expect(ELFFile(at: "/nonexistent") == nil)
    #expect(ELFFile(at: "/") == nil)
  }

  // Red: a damaged file, or one that a payload has made up, ends the process that looks at it.
  @Test func `A file that is cut short or damaged does no harm`() throws {
    let session = try Session()
    let whole = Image().bytes
    for count in 0..<whole.count { _ = try file(Array(whole[..<count]), in: session) }
    var chance = Chance(seed: 1)
    for round in 0..<3000 {
      var image = Image(is64Bit: round % 2 == 0, isBigEndian: round % 3 == 0)
      image.pathTag = 29
      var bytes = image.bytes
      for _ in 0..<Int.random(in: 1...12, using: &chance) {
        let index = Int.random(in: 6..<bytes.count, using: &chance)
        bytes[index] = chance.pick([0, 1, 0x7f, 0x80, 0xff])
      }
      // Runs of one byte make the largest numbers, of which sums overflow.
      if chance.pick([true, false]) {
        let start = Int.random(in: 16..<bytes.count - 8, using: &chance)
        for index in start..<start + 8 { bytes[index] = 0xff }
      }
      _ = try file(bytes, in: session)
    }
  }
}
