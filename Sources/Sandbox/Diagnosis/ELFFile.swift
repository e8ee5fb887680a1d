// SPDX-License-Identifier: Apache-2.0
// Reads as much of an executable as is needed to say why it does not start. See elf(5).
//
// A sandboxed command may have written the file, so no number in it is believed: sums and products
// are checked, and each part has a limit far above what linkers write.

internal import Linux
package import SystemPackage
package import Text

/// An executable or library in the format that Linux executes.
package struct ELFFile {
  /// Whether addresses have 64 bits.
  package let is64Bit: Bool
  /// The processor that it was built for (`EM_…`).
  package let machine: UInt16
  /// The program that loads it; nil where it is complete by itself.
  package let loader: FilePath?
  /// The names of the libraries that it needs.
  package let needed: [ByteString]
  /// The directories where the loader searches for them first.
  package let searchPath: [ByteString]

  static let magic: [UInt8] = [0x7f, 0x45, 0x4c, 0x46]
  /// The bytes of the header where addresses have 32 bits.
  private static let shortestHeader = 52

  /// Reads the headers of the regular file `path`; nil where it has another format or is damaged.
  init?(at path: FilePath) {
    guard let file = try? OwnedDescriptor.openRegularFile(path) else { return nil }
    self.init(of: file.rawValue)
  }

  /// Reads the headers of the open file `number`, and what it needs only if it `isWhole`.
  package init?(of number: CInt, isWhole: Bool = true) {
    var reader = Reader(number: number)
    guard let header = reader.bytes(at: 0, 64), header.count >= ELFFile.shortestHeader,
      header.starts(with: ELFFile.magic)
    else { return nil }
    (is64Bit, reader.isBigEndian) = (header[4] == 2, header[5] == 2)
    reader.is64Bit = is64Bit
    machine = UInt16(truncatingIfNeeded: reader.number(header, 18, 2))
    guard let segments = Segments(header, reader) else { return nil }
    loader = segments.loader(reader)
    (needed, searchPath) = isWhole ? segments.dynamic(reader) : ([], [])
  }

  /// The program that the kernel opens by itself to run the file `path`: a script's interpreter, or a
  /// loader.
  static func interpreter(of path: FilePath) -> FilePath? {
    guard let file = try? OwnedDescriptor.openRegularFile(path) else { return nil }
    let start = try? Descriptors.bytes(of: file.rawValue, at: 0, count: ScriptLine.size)
    if let line = start.flatMap({ ScriptLine($0) }) { return line.interpreter.path }
    return ELFFile(of: file.rawValue, isWhole: false)?.loader
  }
}

// MARK: - Parts of the file

/// The most that is read of one file.
private enum Bound {
  /// The bytes of the table of segments, and of the dynamic section.
  static let table = 1 << 16
  /// The libraries that a file needs; large programs of a desktop need some 150.
  static let needed = 512
  /// The directories of a search path.
  static let directories = 32
  /// The bytes of a path, as PATH_MAX.
  static let path = 4096
  /// The bytes of a library's name, as NAME_MAX.
  static let name = 255
}

/// Numbers in the byte order and width of a file.
private struct Reader {
  let number: CInt
  var is64Bit = true
  var isBigEndian = false

  /// At most `count` bytes from `offset` on; nil where there is none.
  func bytes(at offset: UInt64, _ count: Int) -> [UInt8]? {
    guard offset < UInt64(Int64.max) - UInt64(Bound.table), (0...Bound.table).contains(count) else {
      return nil
    }
    let bytes = try? Descriptors.bytes(of: number, at: offset, count: count)
    return bytes?.isEmpty == false ? bytes : nil
  }

  /// The number of `size` bytes at `offset`; 0 where there are fewer.
  func number(_ bytes: [UInt8], _ offset: Int, _ size: Int) -> UInt64 {
    guard offset >= 0, offset + size <= bytes.count else { return 0 }
    let part = bytes[offset..<(offset + size)]
    return (isBigEndian ? Array(part) : part.reversed()).reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// A number as wide as an address.
  func word(_ bytes: [UInt8], _ offset: Int) -> UInt64 { number(bytes, offset, is64Bit ? 8 : 4) }

  /// The text at `offset`; nil where no NUL ends it within `limit` bytes.
  func text(at offset: UInt64, _ limit: Int) -> ByteString? {
    guard let bytes = bytes(at: offset, limit + 1), let end = bytes.firstIndex(of: 0) else {
      return nil
    }
    return ByteString(bytes[..<end])
  }
}

/// The segments of a file.
private struct Segments {
  private struct Segment {
    let type, offset, address, size: UInt64
  }

  private let all: [Segment]

  private static let load: UInt64 = 1
  private static let dynamic: UInt64 = 2
  private static let interpreter: UInt64 = 3

  init?(_ header: [UInt8], _ reader: Reader) {
    let start = reader.word(header, reader.is64Bit ? 32 : 28)
    // Two numbers of 16 bits: their product cannot overflow.
    let size = Int(reader.number(header, reader.is64Bit ? 54 : 42, 2))
    let count = Int(reader.number(header, reader.is64Bit ? 56 : 44, 2))
    guard size >= 32, count > 0, let table = reader.bytes(at: start, size * count),
      table.count == size * count
    else { return nil }
    all = (0..<count).map { index in
      let base = index * size
      let wide = reader.is64Bit
      return Segment(
        type: reader.number(table, base, 4), offset: reader.word(table, base + (wide ? 8 : 4)),
        address: reader.word(table, base + (wide ? 16 : 8)),
        size: reader.word(table, base + (wide ? 32 : 16)))
    }
  }

  func loader(_ reader: Reader) -> FilePath? {
    guard let segment = all.first(where: { $0.type == Segments.interpreter }) else { return nil }
    return reader.text(at: segment.offset, Bound.path)?.path
  }

  /// The libraries that are needed, and where to look for them first.
  func dynamic(_ reader: Reader) -> (needed: [ByteString], searchPath: [ByteString]) {
    let width = reader.is64Bit ? 8 : 4
    guard let segment = all.first(where: { $0.type == Segments.dynamic }),
      let size = Int(exactly: segment.size), let table = reader.bytes(at: segment.offset, size)
    else { return ([], []) }
    var entries: [(tag: UInt64, value: UInt64)] = []
    for offset in stride(from: 0, to: table.count - 2 * width + 1, by: 2 * width) {
      entries.append((reader.word(table, offset), reader.word(table, offset + width)))
    }
    guard let start = strings(entries.first { $0.tag == 5 }?.value) else { return ([], []) }
    func texts(_ tag: UInt64, _ limit: Int) -> [ByteString] {
      entries.lazy.filter { $0.tag == tag }.prefix(Bound.needed).compactMap { entry in
        let (place, overflows) = start.addingReportingOverflow(entry.value)
        return overflows ? nil : reader.text(at: place, limit)
      }
    }
    // DT_RUNPATH takes the place of DT_RPATH.
    let path = texts(29, Bound.path).first ?? texts(15, Bound.path).first ?? ""
    let directories = path.bytes.split(separator: UInt8(ascii: ":")).prefix(Bound.directories)
    return (texts(1, Bound.name), directories.map { ByteString($0) })
  }

  /// Where the strings lie in the file: DT_STRTAB says where they lie in memory.
  private func strings(_ address: UInt64?) -> UInt64? {
    guard let address,
      let home = all.first(where: {
        $0.type == Segments.load && $0.address <= address && address - $0.address < $0.size
      })
    else { return nil }
    let (start, overflows) = home.offset.addingReportingOverflow(address - home.address)
    return overflows ? nil : start
  }
}

extension ELFFile {
  /// The processor that this program was built for.
  static var native: UInt16 {
    #if arch(x86_64)
      62
    #elseif arch(arm64)
      183
    #else
      0
    #endif
  }

  /// The name of a processor.
  static func name(of machine: UInt16) -> String {
    let names: [UInt16: String] = [
      3: "32-bit x86", 8: "MIPS", 20: "32-bit PowerPC", 21: "64-bit PowerPC", 22: "S/390",
      40: "32-bit ARM", 62: "x86-64", 183: "64-bit ARM", 243: "RISC-V", 258: "LoongArch",
    ]
    return names[machine] ?? "processor number \(String(machine))"
  }
}
