// SPDX-License-Identifier: Apache-2.0
// Searches for a command's libraries, inside and on the host, as ld.so(8) does.
//
// The command has ended and may have replaced its files with anything. The search does not read a
// file that the command may have written, limits what it reads of others and in total, and
// recommends only system libraries (SystemFiles.swift).

internal import Linux
internal import SystemPackage
internal import Text

/// The search for the libraries of one command.
struct LibrarySearch {
  private let plan: Plan
  /// The line that was typed.
  private let line: TypedLine
  /// How many more files may be looked for, and how many read.
  private var budget = (lookups: 20_000, files: 512)
  private let deadline = MonotonicClock.milliseconds + 2000
  /// The libraries that the loader's cache knows, inside, by name; read when first asked for.
  private var cache: [ByteString: [FilePath]]?

  /// The search has reached its limit.
  private struct Exhausted: Error {}

  private typealias Program = (elf: ELFFile, inside: FilePath)

  private init(_ plan: Plan, _ line: TypedLine) { (self.plan, self.line) = (plan, line) }

  /// Names the first library that the command of `plan` needs and that is not visible inside; nil
  /// where there is none or the search took too long.
  /// - Returns: What is missing, and the remedy.
  static func explanation(of plan: Plan, line words: [ByteString]) -> [String] {
    var search = LibrarySearch(plan, TypedLine(words, command: plan.sandbox.command))
    return (try? search.run()) ?? []
  }

  private mutating func run() throws(Exhausted) -> [String] {
    guard let host = plan.command.host, let inside = plan.command.file,
      let command = try program(at: host, inside: inside)
    else { return [] }
    var pending = [command]
    var seen: Set<ByteString> = []
    while let file = pending.popLast() {
      let directories = directories(for: file)
      // A name with a slash is a path, which ld.so(8) looks for nowhere else.
      for name in file.elf.needed
      where !name.bytes.contains(UInt8(ascii: "/")) && seen.insert(name).inserted {
        guard let found = try find(name, in: directories) else {
          return try missing(name, of: file, directories)
        }
        if let elf = try read(found.host) { pending.append((elf, found.inside)) }
      }
    }
    return []
  }
}

// MARK: - Looking inside

extension LibrarySearch {
  /// The program that is loaded for a file: itself, or its interpreter.
  private mutating func program(
    at host: FilePath, inside path: FilePath
  ) throws(Exhausted) -> Program? {
    var (host, path) = (host, path)
    if !plan.mayHaveWritten(host), let line = ScriptLine(at: host) {
      guard let interpreter = try inside(line.interpreter.path) else { return nil }
      (path, host) = interpreter
    }
    guard let elf = try read(host), elf.loader != nil else { return nil }
    return (elf, path)
  }

  /// The headers of a file of the host that the command cannot have written.
  private mutating func read(_ host: FilePath) throws(Exhausted) -> ELFFile? {
    budget.files -= 1
    guard budget.files >= 0 else { throw Exhausted() }
    return plan.mayHaveWritten(host) ? nil : ELFFile(at: host)
  }

  /// A file inside, and where it lies on the host.
  private mutating func inside(
    _ path: FilePath
  ) throws(Exhausted) -> (inside: FilePath, host: FilePath)? {
    budget.lookups -= 1
    guard budget.lookups >= 0, MonotonicClock.milliseconds < deadline else { throw Exhausted() }
    guard let trail = plan.root.find(path), plan.root.node(at: trail.end) == .file,
      let host = plan.root.hostPath(of: trail.end)
    else { return nil }
    return (trail.path, host)
  }

  /// The library `name` inside, and where it lies on the host.
  private mutating func find(
    _ name: ByteString, in directories: [FilePath]
  ) throws(Exhausted) -> (inside: FilePath, host: FilePath)? {
    for directory in directories {
      if let found = try inside(directory.pushing(name.path)) { return found }
    }
    for path in try cached(name) {
      if let found = try inside(path) { return found }
    }
    return nil
  }

  /// The directories in which the loader looks.
  private func directories(for file: Program) -> [FilePath] {
    let origin = ByteString(file.inside.removingLastComponent()).text
    var texts = file.elf.searchPath.map { text in
      ["${ORIGIN}", "$ORIGIN"].reduce(text.text) { text, word in
        text.replacingAll(word, by: origin)
      }
    }
    if let path = plan.environment.value(of: "LD_LIBRARY_PATH") {
      texts += path.text.split(separator: ":").map(String.init)
    }
    let triplets: [UInt16: String] = [
      3: "i386-linux-gnu", 62: "x86_64-linux-gnu", 183: "aarch64-linux-gnu",
    ]
    for name in [triplets[file.elf.machine], "64", ""].compactMap({ $0 }) {
      let end = name.utf8.count > 2 ? "/" + name : name
      texts += ["/lib" + end, "/usr/lib" + end]
    }
    // The word may expand to a long path, and may occur repeatedly.
    return texts.filter { $0.utf8.count < 4096 }.map { FilePath($0) }
  }

  /// Where the loader's cache says that the library `name` lies.
  private mutating func cached(_ name: ByteString) throws(Exhausted) -> [FilePath] {
    if cache == nil {
      let file = try inside(LibrarySearch.cacheFile)
      let isTrusted = file.map { !plan.mayHaveWritten($0.host) } ?? false
      cache = file.flatMap { isTrusted ? LibrarySearch.readCache($0.host) : nil } ?? [:]
    }
    return cache?[name] ?? []
  }

  private static let cacheFile: FilePath = "/etc/ld.so.cache"

  /// The paths in the loader's cache, by their last components.
  ///
  /// See ldconfig(8).
  private static func readCache(_ file: FilePath) -> [ByteString: [FilePath]] {
    var paths: [ByteString: [FilePath]] = [:]
    let bytes = (try? TextFile.beginning(of: file, 1 << 20)) ?? []
    for text in bytes.split(separator: 0) where text.first == UInt8(ascii: "/") {
      guard let slash = text.lastIndex(of: UInt8(ascii: "/")) else { continue }
      paths[ByteString(text[(slash + 1)...]), default: []].append(ByteString(text).path)
    }
    return paths
  }
}

// MARK: - Looking on the host

extension LibrarySearch {
  private func missing(
    _ name: ByteString, of file: Program, _ directories: [FilePath]
  ) throws(Exhausted) -> [String] {
    let what =
      "the library \(name.quoted), which \(ByteString(file.inside).quoted) needs, is not visible "
      + "inside"
    let places =
      directories.map { $0.pushing(name.path) }
      + (LibrarySearch.readCache(LibrarySearch.cacheFile)[name] ?? [])
    guard let place = places.first(where: { plan.isOfSystem($0) }) else {
      return [
        what + ", and the host's system directories lack it as well",
        Remedy.advice("install it, or show the directory that has it: --read DIR").text,
      ]
    }
    var line = line
    line.insert(["--ro-bind", ByteString(place), ByteString(place)])
    return [what, Remedy.line(line.text).text]
  }
}
