// SPDX-License-Identifier: Apache-2.0
// What explains why an executable does not start: the parts of elf(5) that say so. A payload may
// have written the file, so no number in it is trusted.

internal import Linux
internal import SystemPackage
internal import Text

/// An executable or library in the form that Linux executes.
struct ELFFile {
  /// Whether addresses have 64 bits.
  let is64Bit: Bool
  /// The processor that it is for (`EM_…`).
  let machine: UInt16
  /// The program that loads it, where it is not complete by itself.
  let loader: FilePath?
  /// The libraries that it asks for by name.
  let needed: [String]
  /// Directories in which it wants them to be looked for first.
  let searchPath: [String]

  static let magic: [UInt8] = [0x7f, 0x45, 0x4c, 0x46]

  /// Reads the headers of `path`; nil where it is no such file, or a damaged one.
  init?(at path: FilePath) {
    guard let file = try? OwnedDescriptor.open(path, .reading) else { return nil }
    var reader = Reader(number: file.rawValue)
    // The headers of 64 bits are the longer ones, and no file that the kernel executes ends in
    // those of 32 bits.
    guard let header = reader.bytes(at: 0, 64), header.count >= 52,
      header.starts(with: ELFFile.magic)
    else { return nil }
    (is64Bit, reader.isBigEndian) = (header[4] == 2, header[5] == 2)
    reader.is64Bit = is64Bit
    machine = UInt16(truncatingIfNeeded: reader.number(header, 18, 2))
    guard let segments = Segments(header, reader) else { return nil }
    loader = segments.loader(reader)
    (needed, searchPath) = segments.dynamic(reader)
  }
}

// MARK: - Parts of the file

/// Numbers in the byte order and width of a file.
private struct Reader {
  let number: CInt
  var is64Bit = true
  var isBigEndian = false

  func bytes(at offset: UInt64, _ count: Int) -> [UInt8]? {
    guard offset < UInt64(Int64.max), (0...1 << 20).contains(count) else { return nil }
    let bytes = try? Descriptors.bytes(of: number, at: offset, count: count)
    return bytes?.isEmpty == false ? bytes : nil
  }

  /// The number of `size` bytes at `offset`; 0 where there are not as many.
  func number(_ bytes: [UInt8], _ offset: Int, _ size: Int) -> UInt64 {
    guard offset >= 0, offset + size <= bytes.count else { return 0 }
    let part = bytes[offset..<(offset + size)]
    return (isBigEndian ? Array(part) : part.reversed()).reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// A number that is as wide as an address.
  func word(_ bytes: [UInt8], _ offset: Int) -> UInt64 { number(bytes, offset, is64Bit ? 8 : 4) }

  /// The text at `offset` up to a NUL.
  func text(at offset: UInt64) -> [UInt8]? {
    bytes(at: offset, 4096).map { Array($0.prefix { $0 != 0 }) }
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
    guard let segment = all.first(where: { $0.type == Segments.interpreter }),
      let text = reader.text(at: segment.offset)
    else { return nil }
    return ByteString(text).path
  }

  /// The libraries that are needed, and where they are to be looked for.
  func dynamic(_ reader: Reader) -> (needed: [String], searchPath: [String]) {
    let width = reader.is64Bit ? 8 : 4
    guard let segment = all.first(where: { $0.type == Segments.dynamic }), segment.size < 1 << 16,
      let table = reader.bytes(at: segment.offset, Int(segment.size))
    else { return ([], []) }
    var entries: [(tag: UInt64, value: UInt64)] = []
    for offset in stride(from: 0, to: table.count - 2 * width + 1, by: 2 * width) {
      entries.append((reader.word(table, offset), reader.word(table, offset + width)))
    }
    // DT_STRTAB holds an address, not a place in the file.
    guard let address = entries.first(where: { $0.tag == 5 })?.value,
      let home = all.first(where: {
        $0.type == Segments.load && $0.address <= address && address - $0.address < $0.size
      })
    else { return ([], []) }
    let start = home.offset &+ (address - home.address)
    func texts(_ tag: UInt64) -> [String] {
      entries.filter { $0.tag == tag }.compactMap { entry in
        reader.text(at: start &+ entry.value).map { String(decoding: $0, as: UTF8.self) }
      }
    }
    // DT_RUNPATH takes the place of DT_RPATH.
    let path = texts(29).first ?? texts(15).first ?? ""
    return (texts(1), path.split(separator: ":").map(String.init))
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

  /// What a processor is called.
  static func name(of machine: UInt16) -> String {
    let names: [UInt16: String] = [
      3: "32-bit x86", 8: "MIPS", 20: "32-bit PowerPC", 21: "64-bit PowerPC", 22: "S/390",
      40: "32-bit ARM", 62: "x86-64", 183: "64-bit ARM", 243: "RISC-V", 258: "LoongArch",
    ]
    return names[machine] ?? "the processor number \(String(machine))"
  }
}
